"""Figures of the waitlist for whoever runs a clinic: how freed time ended, and what was offered."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from patients.csv_files import csv_file
from patients.privacy.pages import StaffRequest
from reminders import waitlist_words
from reminders.forms.reports import DaysForm, span_of
from reminders.reports import Span
from reminders.views.reports import INVALID, managers_only, span_asked
from scheduling.waitlist.figures import Offers, Openings, offers, openings


@managers_only
def show(request: StaffRequest) -> HttpResponse:
    """Show the figures of some days: how much was filled as a plot, and all of it in tables."""
    form = DaysForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "nav_current": "reports"}
        return render(request, "reports/waitlist.html", context, status=INVALID)
    first, last = form.days(request.clinic.zone, now=timezone.now())
    found, offered = _counted(request, span_of((first, last), request.clinic.zone))
    return render(
        request,
        "reports/waitlist.html",
        {
            "nav_current": "reports",
            "form": form if request.GET else DaysForm(initial={"since": first, "until": last}),
            "first": first,
            "last": last,
            "file_query": "?" + urlencode({"since": first, "until": last}),
            **_shown(found, offered),
        },
    )


def _shown(found: Openings, offered: Offers) -> dict[str, Any]:
    causes, ends = waitlist_words.cause_table(found), waitlist_words.end_table(found)
    became = waitlist_words.offer_table(offered)
    return {
        "freed": found.total,
        "filling": found.filling,
        "overall": waitlist_words.rate(found.filling),
        "leads": waitlist_words.leads(found),
        "causes": {"columns": causes[0], "rows": causes[1]},
        "ends": {"columns": ends[0], "rows": ends[1]},
        "made": offered.made,
        "became": {"columns": became[0], "rows": became[1]},
        "facts": waitlist_words.facts(offered),
    }


@managers_only
def waitlist_file(request: StaffRequest) -> HttpResponse:
    """Hand out the same figures as a file."""
    heads, lines = waitlist_words.lines(*_counted(request, span_asked(request)))
    return csv_file("waitlist", heads, lines)


def _counted(request: StaffRequest, span: Span) -> tuple[Openings, Offers]:
    when = {"since": span.since, "until": span.until}
    return openings(request.clinic, **when), offers(request.clinic, **when)
