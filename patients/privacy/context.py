"""What every template may count on."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from patients.privacy.access import may
from patients.privacy.open_records import open_records
from patients.privacy.pages import Audience, Page
from providers.models import Clinic

SHORTCUTS_COOKIE = "shortcuts"


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the site's name, the clinic at hand where there is one, and the demo switch.

    At the desk also the clinics to switch to, where to post the choice, and whether single keys
    are wanted.
    """
    clinic: Clinic | None = getattr(request, "clinic", None)
    declared: Page | None = getattr(request, "page", None)
    others = [one for one in getattr(request, "clinics", []) if one != clinic]
    at_desk = declared is not None and declared.audience is Audience.DESK
    return {
        "site_name": settings.SITE_NAME,
        "current_clinic": clinic,
        "clinics": others,
        "clinic_switch_url": reverse("desk:choose_clinic") if at_desk and others else "",
        "shortcuts_on": request.COOKIES.get(SHORTCUTS_COOKIE) != "off",
        "may_break_glass": at_desk and clinic and may(request.user, "break_glass", at=clinic),
        "may_see_reports": at_desk and clinic and may(request.user, "manage_clinic", at=clinic),
        "open_records": partial(open_records, request),
        "demo_entry": getattr(settings, "DEMO_ENTRY", False),
    }
