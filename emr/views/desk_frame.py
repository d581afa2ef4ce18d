"""What the desk's pages about the record system share: their tabs, and the way through a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from emr.forms import CLOSED, OPEN, ShownForm
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


def show_work(
    request: StaffRequest,
    template: str,
    found: QuerySet[Any],
    *,
    here: str,
    closed: str,
    row: Callable[[Any], Any],
) -> HttpResponse:
    """Show a list of work: what is open, the oldest first, or what is closed, the latest first.

    `closed` is the word for the latter, `row` puts one of it in words. Raises Http404 where the
    address asks for something else.
    """
    form = ShownForm(request.GET)
    if not form.is_valid():
        raise Http404
    is_open = form.chosen == OPEN
    ordered = (
        found.filter(closed_at=None).order_by("opened_at", "pk")
        if is_open
        else found.exclude(closed_at=None).order_by("-closed_at", "-pk")
    )
    shown = Paginator(ordered, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": [row(one) for one in shown],
        "filters": open_or_closed(f"emr:{here}", form.chosen, closed=closed),
        "is_open": is_open,
        **ways(shown, show=request.GET.get("show", "")),
    }
    return show(request, template, context, here=here)


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
