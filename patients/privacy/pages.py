"""What each page declares about itself: for whom, with which permission, how, and whether with PHI.

Declared here, enforced by the middleware beside it. A page that declares nothing is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django_htmx.middleware import HtmxDetails

from providers.models import Clinic

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Audience(Enum):
    PUBLIC = "public"
    PATIENT = "patient"
    DESK = "desk"
    PROVIDER = "provider"
    STAFF = "staff"
    PRIVACY = "privacy"


HELD_AT_A_CLINIC = {Audience.DESK, Audience.PROVIDER, Audience.PRIVACY}


@dataclass(frozen=True, slots=True)
class Page:
    """`permission` is held at a clinic; `passive` pages (polls) do not count as being there."""

    audience: Audience
    permission: str
    methods: tuple[str, ...]
    phi: bool
    passive: bool


class PageRequest(HttpRequest):
    """A request as views of desk and provider get it: `clinic` is where the user is at work."""

    htmx: HtmxDetails
    page: Page
    clinic: Clinic
    clinics: list[Clinic]


class StaffRequest(PageRequest):
    user: User


def page(
    *,
    audience: Audience,
    permission: str = "",
    methods: tuple[str, ...] = ("GET",),
    phi: bool = False,
    passive: bool = False,
) -> Callable[[View], View]:
    """Declare a page. Staff pages must name a permission; `phi` pages are never stored."""
    if (audience in HELD_AT_A_CLINIC) != bool(permission):
        raise ValueError("A page of desk, provider or privacy, and no other, names a permission.")
    declared = Page(audience, permission, methods, phi, passive)

    def declare(view: View) -> View:
        view.page = declared  # type: ignore[attr-defined]
        return view

    return declare
