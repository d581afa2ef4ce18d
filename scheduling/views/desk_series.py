"""A visit that is repeated: every date with the times free on it, booked as one linked series."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.privacy.pages import Audience, StaffRequest, page
from scheduling import booking
from scheduling.desk_words import day_name
from scheduling.errors import SchedulingError
from scheduling.forms.desk_book import RepeatForm
from scheduling.forms.desk_move import SeriesForm
from scheduling.forms.desk_place import Asked, PlaceForm
from scheduling.policies import terms_for
from scheduling.presenters import clock
from scheduling.refusal_words import in_words
from scheduling.series import SeriesDate, series_dates
from scheduling.views.desk_book_panel import after_booking
from scheduling.views.desk_pages import at_desk, new_key, panel, request_key

CONFLICT, UNPROCESSABLE = 409, 422


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def series(request: StaffRequest) -> HttpResponse:
    """Show each date of a series, free or not, and book those that are chosen."""
    now = timezone.now()
    asked, repeat = _asked(request)
    dates = series_dates(
        provider=asked.provider,
        clinic=asked.clinic,
        visit_type=_kind(asked),
        start=asked.start,
        terms=terms_for(at_desk(request)),
        now=now,
        **repeat,
    )
    if request.method == "GET":
        return _show(request, asked, SeriesForm(dates=dates), dates)
    form = SeriesForm(request.POST, dates=dates)
    if not form.is_valid():
        return _show(request, asked, form, dates, status=_status(form))
    return _book(request, asked, form, dates, now=now)


def _asked(request: StaffRequest) -> tuple[Asked, dict[str, int]]:
    """Return what the address says of the first visit and of its repetition; raises Http404."""
    place, repeat = PlaceForm(request), RepeatForm(request.GET)
    if not (place.is_valid() and repeat.is_valid()):
        raise Http404
    asked = place.asked(None)
    if asked is None or asked.patient is None or asked.visit_type is None:
        raise Http404
    return asked, repeat.cleaned_data


def _kind(asked: Asked) -> Any:
    return asked.visit_type


def _status(form: SeriesForm) -> int:
    """A time that was offered and is gone is a conflict; to choose nothing is a mistake."""
    gone = any(name.startswith("date_") for name in form.errors)
    return CONFLICT if gone else UNPROCESSABLE


def _book(
    request: StaffRequest,
    asked: Asked,
    form: SeriesForm,
    dates: list[SeriesDate],
    *,
    now: datetime,
) -> HttpResponse:
    try:
        booked = booking.book_series(
            patient=asked.whom,
            provider=asked.provider,
            clinic=asked.clinic,
            visit_type=_kind(asked),
            starts=form.starts(),
            key=request_key(request, form.cleaned_data["key"]),
            by=at_desk(request),
            now=now,
        )
    except SchedulingError as refusal:
        return _show(request, asked, form, dates, problem=in_words(refusal), status=CONFLICT)
    words = ngettext("%(n)d visit is booked.", "%(n)d visits are booked.", len(booked))
    messages.success(request, words % {"n": len(booked)})
    return after_booking(request, booked[0])


def _show(
    request: StaffRequest,
    asked: Asked,
    form: SeriesForm,
    dates: list[SeriesDate],
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "fields": [form[f"date_{number}"] for number in range(len(dates))],
        "key": new_key(),
        "free": sum(one.is_free for one in dates),
        "total": len(dates),
        "problem": problem,
        "back": asked.address(),
    }
    return panel(
        request,
        "desk/series_panel.html",
        context,
        title=_("Repeat this visit"),
        subtitle=f"{asked.whom.full_name} · {_first(asked)} · {asked.provider.name}",
        back=asked.address(),
        status=status,
    )


def _first(asked: Asked) -> str:
    first = {"day": day_name(asked.local_start.date()), "time": clock(asked.local_start)}
    return _("from %(day)s, %(time)s") % first
