"""Which records are open to somebody for a while, for the banner on every page of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse

from patients.models import BreakGlassGrant, GrantKind
from patients.privacy.pages import Audience, Page

PATIENTS_PAGES = {Audience.PUBLIC, Audience.PATIENT}
PAGES = {
    GrantKind.EMERGENCY: ("emergency:record", "emergency:end"),
    GrantKind.OVERSIGHT: ("emergency:looked_at", "emergency:end_look"),
}


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """Where it is shown and ended, and until when it stays open, on the clock of `zone`."""

    href: str
    end_href: str
    until: datetime
    zone: ZoneInfo
    is_emergency: bool


def open_records(request: HttpRequest) -> list[OpenRecord]:
    """Return what is open to the user now; nothing on the patients' own pages.

    One query at most, and none where the page gate has seen that nothing is open.
    """
    declared: Page | None = getattr(request, "page", None)
    if declared is not None and declared.audience in PATIENTS_PAGES:
        return []
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    grants = (
        BreakGlassGrant.objects.opened_to(user)
        .select_related("patient__clinic__time_zone")
        .only("kind", "expires_at", "patient__clinic__time_zone")
        .order_by("expires_at")
    )
    return [_shown(grant) for grant in grants]


def _shown(grant: BreakGlassGrant) -> OpenRecord:
    kind = GrantKind(grant.kind)
    href, end_href = (reverse(name, args=[grant.pk]) for name in PAGES[kind])
    zone = grant.patient.clinic.zone
    return OpenRecord(href, end_href, grant.expires_at, zone, kind == GrantKind.EMERGENCY)
