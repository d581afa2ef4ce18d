"""What can be photographed: a page, who looks at it, and which pages have no picture and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.routes import all_routes

NO_PICTURE = {
    "home": "only leads on",
    "healthz": "for machines",
    "readyz": "for machines",
    "smart:jwks": "for machines",
    "smart:launch": "only leads on",
    "smart:standalone": "only leads on",
    "portal:calendar": "a file for calendars",
    "portal:record_looks_file": "a file of looks",
    "portal:join_link": "only leads on",
    "portal:worker": "a script",
    "reports:messages_file": "a file of figures",
    "reports:waitlist_file": "a file of figures",
    "reports:no_shows_file": "a file of figures",
    "privacy:start_file": "a file of looks",
    "privacy:patient_file": "a file of looks",
    "privacy:colleague_file": "a file of looks",
    "account_reset_password_from_key": "needs the key of an e-mail",
    "account_session": "for the warning's script",
    "mfa_login_webauthn": "for the passkey's script",
    "mfa_view_recovery_codes": "shown once",
    "desk:board_now": "a part of the board",
    "desk:gaps_now": "a part of the list of gaps",
    "desk:gap_now": "a part of a gap's page",
    "fhir:root": "for machines",
    "fhir:metadata": "for machines",
    "fhir:bulk_publish": "for machines",
    "fhir:locations": "for machines",
    "fhir:schedules": "for machines",
    "fhir:slots": "for machines",
    "fhir:search": "for machines",
    "fhir:read": "for machines",
    "fhir:elsewhere": "for machines",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """`page` is a route's name; `label` tells several pictures of one page apart."""

    page: str
    audience: str
    client: Client
    arguments: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    label: str = ""
    status: int = 200

    @property
    def address(self) -> str:
        path = reverse(self.page, kwargs=self.arguments)
        return f"{path}?{self.query}" if self.query else path

    @property
    def file_name(self) -> str:
        parts = [self.audience, self.page.rpartition(":")[2], self.label]
        return "-".join(part.replace("_", "-") for part in parts if part)


def without_picture(taken: Iterable[Subject]) -> list[str]:
    """Return the pages that nobody photographs, although they can be looked at."""
    known = {subject.page for subject in taken} | set(NO_PICTURE)
    return [
        route.name
        for route in all_routes()
        if "GET" in route.methods and route.name not in known and not _is_admins(route.name)
    ]


def _is_admins(name: str) -> bool:
    """Admin's pages are taken from its registry, and nobody can forget one there."""
    return name.startswith("admin:")
