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
    "portal:calendar": "a file for calendars",
    "account_reset_password_from_key": "needs the key of an e-mail",
    "admin:jsi18n": "a script",
    "admin:autocomplete": "data for a field",
    "admin:view_on_site": "only leads on",
    "admin:login": "leads to the site's own sign-in",
    "admin:logout": "answers a POST",
    "admin:app_list": "a part of admin's first page",
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
    return [r.name for r in all_routes() if "GET" in r.methods and r.name not in known]
