"""The choice of a language, kept by the browser. Knows no account and changes no record."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from patients.privacy.pages import Audience, page

LONGEST_ADDRESS = 2_000
START = "/"


@page(audience=Audience.PUBLIC, methods=("POST",))
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep `language` in a cookie and go back to `next`. Raises BadRequest of an unknown one."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        raise BadRequest
    answer = redirect(_way_back(request))
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return answer


def _way_back(request: HttpRequest) -> str:
    """Return the page that the form stood on, and never another site's."""
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    is_path = address.startswith("/") and len(address) <= LONGEST_ADDRESS
    return address if is_ours and is_path else START
