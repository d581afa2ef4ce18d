"""What the desk's pages about the record system share: their tabs, and the way through a list."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from emr.forms import CLOSED, OPEN
from emr.queries import needs_at
from patients.privacy.pages import StaffRequest

ON_A_PAGE = 25
BAD_REQUEST, CONFLICT = 400, 409


def show(
    request: StaffRequest,
    template: str,
    context: dict[str, Any],
    *,
    here: str,
    status: int = 200,
) -> HttpResponse:
    """Render a page below its tab, `here`."""
    shown = {
        **context,
        "tabs": tabs(request, here=here),
        "several_clinics": len(request.clinics) > 1,
        "nav_current": "record_system",
    }
    return render(request, f"desk/emr/{template}", shown, status=status)


def tabs(request: StaffRequest, *, here: str) -> list[dict[str, Any]]:
    """Return the five tabs, each with how many rows of it wait for somebody."""
    needs = needs_at([clinic.pk for clinic in request.clinics])
    rows = [
        ("tasks", _("Tasks"), needs.tasks),
        ("conflicts", _("Conflicts"), needs.conflicts),
        ("patients", _("Patients"), needs.patients),
        ("messages", _("Messages"), needs.messages),
        ("connections", _("Connections"), 0),
    ]
    return [
        {
            "label": f"{label} ({count})" if count else label,
            "href": reverse(f"emr:{name}"),
            "current": name == here,
        }
        for name, label, count in rows
    ]


def open_or_closed(name: str, chosen: str, *, closed: str) -> list[dict[str, Any]]:
    """Return the two links above a list of work: what is open, and what was closed."""
    here = reverse(name)
    return [
        {"label": _("Open"), "href": here, "current": chosen == OPEN},
        {"label": closed, "href": f"{here}?show={CLOSED}", "current": chosen == CLOSED},
    ]


def ways(shown: Page[Any], **kept: str) -> dict[str, str]:
    """Return where the pages before and after this one are."""
    told = {name: value for name, value in kept.items() if value}
    earlier = shown.number - 1 if shown.has_previous() else 0
    later = shown.number + 1 if shown.has_next() else 0
    return {
        "earlier_href": f"?{urlencode(told | {'page': earlier})}" if earlier else "",
        "later_href": f"?{urlencode(told | {'page': later})}" if later else "",
    }
