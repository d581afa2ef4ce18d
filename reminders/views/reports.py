"""Figures for whoever runs a clinic: who did not come, and what became of the messages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from patients.csv_files import csv_file
from patients.privacy.pages import Audience, StaffRequest, page
from reminders import report_words
from reminders.forms.reports import DaysForm, span_of
from reminders.reports import Span, messages, no_shows

INVALID = 422
managers_only = page(audience=Audience.DESK, permission="manage_clinic")


@managers_only
def start(request: StaffRequest) -> HttpResponse:
    """Show the figures of some days, each as a plot and as the table that it was drawn from."""
    form = DaysForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "nav_current": "reports"}
        return render(request, "reports/start.html", context, status=INVALID)
    first, last = form.days(request.clinic.zone, now=timezone.now())
    span = span_of((first, last), request.clinic.zone)
    return render(
        request,
        "reports/start.html",
        {
            "nav_current": "reports",
            "form": form if request.GET else DaysForm(initial={"since": first, "until": last}),
            "first": first,
            "last": last,
            "file_query": "?" + urlencode({"since": first, "until": last}),
            **_figures(request, span),
        },
    )


def _figures(request: StaffRequest, span: Span) -> dict[str, Any]:
    visits, sent = no_shows(request.clinic, span), messages(request.clinic, span)
    ways, reasons = report_words.message_table(sent), report_words.reason_table(sent)
    return {
        "overall": visits.overall,
        "sections": report_words.sections(visits),
        "ways": {"columns": ways[0], "rows": ways[1]},
        "reasons": {"columns": reasons[0], "rows": reasons[1]},
    }


@managers_only
def no_shows_file(request: StaffRequest) -> HttpResponse:
    """Hand out the figures of visits as a file."""
    heads, lines = report_words.no_show_lines(no_shows(request.clinic, span_asked(request)))
    return csv_file("no-shows", heads, lines)


@managers_only
def messages_file(request: StaffRequest) -> HttpResponse:
    """Hand out the figures of messages as a file."""
    heads, lines = report_words.message_lines(messages(request.clinic, span_asked(request)))
    return csv_file("messages", heads, lines)


def span_asked(request: StaffRequest) -> Span:
    """Return the days asked for. Raises Http404 for some that are none."""
    form = DaysForm(request.GET)
    if not form.is_valid():
        raise Http404
    zone = request.clinic.zone
    return span_of(form.days(zone, now=timezone.now()), zone)
