"""What the desk's menu shows of the waitlist. Nothing is counted for a page that shows no menu."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest

from patients.privacy.pages import Audience, Page
from scheduling.gap_counts import open_gaps_at


def desk(request: HttpRequest) -> dict[str, Any]:
    """Return `open_gaps`, which a template calls by naming it."""
    declared: Page | None = getattr(request, "page", None)
    clinic = getattr(request, "clinic", None)
    if declared is None or declared.audience is not Audience.DESK or clinic is None:
        return {}
    return {"open_gaps": partial(open_gaps_at, clinic.pk)}
