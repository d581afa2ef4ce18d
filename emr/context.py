"""What the desk's menu shows of the record system. Nothing is counted where no menu is shown."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest

from emr.queries import needs_at
from patients.privacy.pages import Audience, Page


def desk(request: HttpRequest) -> dict[str, Any]:
    """Return `record_system`, which a template calls by naming it."""
    declared: Page | None = getattr(request, "page", None)
    if declared is None or declared.audience is not Audience.DESK:
        return {}
    clinics = [clinic.pk for clinic in getattr(request, "clinics", [])]
    return {"record_system": partial(needs_at, clinics)}
