"""How our FHIR face answers: JSON alone, refusals as OperationOutcome, cacheable, limited in rate.

Nothing here belongs to anybody, so nobody signs in and no look is recorded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers

from emr.fhir.face.answering import outcome
from emr.fhir.face.asking import Wrong, check_accepts
from patients.throttle import Limit, TooManyRequests
from patients.visitors import network_of

FHIR_JSON = "application/fhir+json"
ASKED = Limit("fhir", times=600)
ASKED_FOR_FILES = Limit("fhir-files", times=120)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said, in which media type, and for how many seconds it may be kept."""

    body: bytes
    media_type: str = FHIR_JSON
    seconds: int = 60

    @classmethod
    def of(cls, said: dict[str, Any], *, media_type: str = FHIR_JSON, seconds: int = 60) -> Answer:
        return cls(json.dumps(said, ensure_ascii=False).encode(), media_type, seconds)


View = Callable[..., Answer]


def base() -> str:
    """Return the FHIR root's own address, without a slash at its end."""
    site: str = settings.SITE_URL
    return site + reverse("fhir:root").rstrip("/")


def spoken(view: View, *, limit: Limit = ASKED) -> Callable[..., HttpResponseBase]:
    """Answer in FHIR, whatever comes of the request."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            limit.spend(network_of(request))
            check_accepts(request.headers.get("Accept", ""), request.GET.get("_format", ""))
            return _kept(request, view(request, *args, **kwargs))
        except TooManyRequests:
            refusal = Wrong("throttled", "Asked too often; come back later.", status=429)
            return _refused(refusal, {"Retry-After": str(limit.seconds)})
        except Wrong as refusal:
            return _refused(refusal, {})

    return answer


def _kept(request: HttpRequest, said: Answer) -> HttpResponseBase:
    """Return the answer, or that it is still what the visitor has (304)."""
    response = HttpResponse(said.body, content_type=said.media_type)
    etag = f'"{hashlib.sha256(said.body).hexdigest()[:32]}"'
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=said.seconds)
    patch_vary_headers(response, ["Accept"])
    return get_conditional_response(request, etag=etag, response=response) or response


def _refused(refusal: Wrong, headers: dict[str, str]) -> HttpResponse:
    said = Answer.of(outcome(refusal.code, refusal.reason))
    response = HttpResponse(
        said.body, content_type=FHIR_JSON, status=refusal.status, headers=headers
    )
    patch_cache_control(response, no_store=True)
    return response
