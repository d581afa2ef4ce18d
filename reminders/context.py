"""What the desk's menu shows of messages. Nothing is counted for a page that shows no menu."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest

from patients.privacy.pages import Audience, Page
from reminders.waiting import waiting_at


def desk(request: HttpRequest) -> dict[str, Any]:
    """Return `waiting`, which a template calls by naming it."""
    declared: Page | None = getattr(request, "page", None)
    if declared is None or declared.audience is not Audience.DESK:
        return {}
    clinics = [clinic.pk for clinic in getattr(request, "clinics", [])]
    return {"waiting": partial(waiting_at, clinics)}
