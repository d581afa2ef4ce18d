"""The public halves of this house's keys, for whoever checks its signatures."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from emr.smart import keys
from patients.privacy.pages import Audience, page

KEPT_SECONDS = 60 * 60


@page(audience=Audience.PUBLIC)
def jwks(request: HttpRequest) -> HttpResponse:
    """Answer the JWK set. It may be kept for an hour: a new pair signs a day later."""
    answer = JsonResponse(keys.published(now=timezone.now()))
    answer["Content-Type"] = "application/jwk-set+json"
    answer["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return answer
