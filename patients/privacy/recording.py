"""Writes down who looked at whose data: one row for each page, before the page leaves the house.

What a page shows is collected while it is made. A page whose row cannot be written is not sent.
Decides nothing about who may look; an unchanged poll shows nothing and leaves no row.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from patients.client_address import NOWHERE, client_address
from patients.models.audit import Outcome
from patients.privacy import audit
from patients.privacy.audit import Record, Who
from patients.privacy.pages import Audience, Page
from patients.visitors import known_browser
from providers.fields import new_id

logger = logging.getLogger(__name__)

TOKEN = re.compile(r"\A[A-Za-z0-9_-]{8,64}\Z")
DENIED = {401, 403, 404, 405, 429}
UNCHANGED = {204, 304}
SAFE = {"GET", "HEAD", "OPTIONS"}
PURPOSES = {
    Audience.PUBLIC: "own_record",
    Audience.PATIENT: "own_record",
    Audience.DESK: "scheduling",
    Audience.PROVIDER: "care",
    Audience.STAFF: "administration",
    Audience.PRIVACY: "privacy_review",
}


class StreamsPatients(Exception):
    """A page with patients' data that would be sent before it is known whom it shows."""


class AccessRecordMiddleware:
    """Keeps a record of each request, and writes its row where patients' data was concerned."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        kept = Record(
            who=partial(_who, request),
            request_id=request_id(request),
            address=_address(request),
        )
        request.request_id = kept.request_id  # type: ignore[attr-defined]
        with audit.opened(kept):
            response = self.get_response(request)
        if not _is_wanted(request, response, kept):
            return response
        try:
            audit.write(_row(request, response, kept))
        except Error:
            logger.exception("page not sent", extra={"request_id": kept.request_id})
            return _not_sent(request, kept)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Note which page it is, before anything of it is done."""
        kept = audit.current()
        if kept is None or request.resolver_match is None:
            return
        declared: Page | None = getattr(view, "page", None)
        kept.page = request.resolver_match.view_name
        kept.purpose = PURPOSES[declared.audience if declared else Audience.STAFF]


def request_id(request: HttpRequest) -> str:
    """Return the request's number: a proxy's where it is a short plain token, or else a new one."""
    told = request.META.get("HTTP_X_REQUEST_ID", "")
    return told if TOKEN.match(told) else new_id().hex


def _address(request: HttpRequest) -> str | None:
    address = client_address(request)
    return None if address == NOWHERE else address


def _who(request: HttpRequest) -> Who:
    clinic = getattr(request, "clinic", None)
    place: UUID | None = clinic.pk if clinic else None
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Who(user=user.pk, clinic=place)
    return Who(system=audit.VISITOR, clinic=place, browser=known_browser(request))


def _is_wanted(request: HttpRequest, response: HttpResponse, kept: Record) -> bool:
    """Whether a row is to be written. Raises StreamsPatients."""
    declared: Page | None = getattr(request, "page", None)
    shows = declared.phi if declared else _is_set_up_of_patients(request)
    if shows and response.streaming:
        raise StreamsPatients(kept.page)
    if declared and declared.passive and response.status_code in UNCHANGED:
        return False
    return shows or bool(kept.look.patients or kept.look.fields)


def _row(request: HttpRequest, response: HttpResponse, kept: Record) -> dict[str, Any]:
    outcome = _outcome(request, response)
    row = audit.row_of(kept, outcome=outcome)
    match = request.resolver_match
    key = match and (match.kwargs.get("pk") or match.kwargs.get("object_id"))
    if key:
        row["object"] = str(key)[:255]
    if isinstance(key, UUID) and outcome is Outcome.DENIED:
        row["asked"] = str(key)
    return row


def _outcome(request: HttpRequest, response: HttpResponse) -> Outcome:
    if response.status_code >= 500:
        return Outcome.FAILED
    declared: Page | None = getattr(request, "page", None)
    is_open = declared is not None and declared.audience is Audience.PUBLIC
    turned_away = getattr(request, "turned_away", not is_open and not request.user.is_authenticated)
    return Outcome.DENIED if turned_away or response.status_code in DENIED else Outcome.DONE


def _not_sent(request: HttpRequest, kept: Record) -> HttpResponse:
    """Answer 503 with nothing of the page; after a POST, say that its act may stand."""
    template = "errors/503.html" if request.method in SAFE else "errors/503_after_act.html"
    return render(request, template, {"request_id": kept.request_id}, status=503)


@lru_cache(maxsize=1)
def _set_up_prefixes() -> tuple[str, ...]:
    """Return how the names of the set-up pages begin that show rows about patients."""
    about = [model for model in apps.get_models() if hasattr(model, "about_patient")]
    return tuple(f"admin:{m._meta.app_label}_{m._meta.model_name}_" for m in about)


def _is_set_up_of_patients(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name.startswith(_set_up_prefixes())
