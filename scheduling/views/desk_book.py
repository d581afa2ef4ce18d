"""Quick book, from a free cell: patient, type, Enter is booked. A refusal offers a way on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from patients.privacy.access import may
from patients.privacy.pages import Audience, StaffRequest, page
from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.alternatives import alternatives, offered_types, usual_type
from scheduling.availability import Query, best_fits
from scheduling.errors import (
    HoldExpired,
    KeyReused,
    SchedulingError,
    SlotTaken,
    TooFar,
    TooSoon,
)
from scheduling.forms.desk_book import BookForm, RepeatForm
from scheduling.forms.desk_place import Asked, PlaceForm
from scheduling.holds import find_hold
from scheduling.policies import terms_for
from scheduling.refusal_words import in_words
from scheduling.views.desk_book_panel import (
    CONFLICT,
    UNPROCESSABLE,
    after_booking,
    alternative,
    ask,
    booked_words,
    find_patient,
)
from scheduling.views.desk_holds import holder_of
from scheduling.views.desk_pages import at_desk, new_key, request_key


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def book(request: StaffRequest) -> HttpResponse:
    """Book the time in the address: first the patient is found, then one Enter books."""
    form = _place(request)
    try:
        asked = form.asked(_hold(request, form))
    except HoldExpired:
        return redirect("desk:hold", form.cleaned_data["hold"])
    if asked is None:
        return redirect(_elsewhere(form))
    now = timezone.now()
    if asked.patient is None:
        return find_patient(request, asked, now=now)
    if request.method == "GET":
        return ask(request, asked, _first_form(request, asked), now=now)
    return _answer(request, asked, now=now)


def _place(request: StaffRequest) -> PlaceForm:
    form = PlaceForm(request)
    if not form.is_valid():
        raise Http404
    return form


def _hold(request: StaffRequest, form: PlaceForm) -> Any:
    """Return the kept time in the address: one's own, at a clinic that one still works at."""
    pk = form.cleaned_data["hold"]
    kept = find_hold(pk, holder=holder_of(request)) if pk else None
    if kept is not None and kept.clinic not in request.clinics:
        raise Http404
    return kept


def _elsewhere(form: PlaceForm) -> str:
    """Return where a time is looked for, for a patient who is known already."""
    patient = form.cleaned_data["patient"]
    query = urlencode({"patient": patient.pk} if patient else {})
    return f"{reverse('desk:next_available')}?{query}".rstrip("?")


def _first_form(request: StaffRequest, asked: Asked) -> BookForm:
    kinds = offered_types(asked.provider, asked.clinic, asked.start)
    kind = usual_type(kinds, patient=asked.whom, asked=asked.visit_type)
    initial = {"key": new_key(), "type": kind.code}
    return BookForm(initial=initial, kinds=kinds, asks_why=_asks_why(request, asked))


def _asks_why(request: StaffRequest, asked: Asked) -> bool:
    return may(request.user, "view_reasons", at=asked.clinic)


def _answer(request: StaffRequest, asked: Asked, *, now: datetime) -> HttpResponse:
    kinds = offered_types(asked.provider, asked.clinic, asked.start)
    form = BookForm(request.POST, kinds=kinds, asks_why=_asks_why(request, asked))
    if not form.is_valid():
        return ask(request, asked, form, now=now, status=UNPROCESSABLE)
    step = request.POST.get("step")
    if step == "series":
        return _to_series(request, asked, form, now=now)
    if step == "overbook":
        return ask(request, asked, form, now=now, overbooking=may_overbook(request, asked))
    return _book(request, _instead(asked, form), form, now=now)


def may_overbook(request: StaffRequest, asked: Asked) -> bool:
    return may(request.user, "overbook", at=asked.clinic)


def _instead(asked: Asked, form: BookForm) -> Asked:
    """Take another free time in place of the one in the address; its own hold stays behind."""
    slot = form.cleaned_data["instead"]
    if slot is None:
        return asked
    bookable = Provider.objects.bookable().select_related("specialty")
    provider = get_object_or_404(bookable, pk=slot[0])
    return replace(asked, provider=provider, start=slot[1], hold=None)


def _book(request: StaffRequest, asked: Asked, form: BookForm, *, now: datetime) -> HttpResponse:
    told = form.cleaned_data
    beside = told["overbook"] and told["instead"] is None and may_overbook(request, asked)
    try:
        booked = booking.book(
            patient=asked.whom,
            provider=asked.provider,
            clinic=asked.clinic,
            visit_type=told["type"],
            start=asked.start,
            reason=told.get("reason", ""),
            hold=asked.hold,
            overbook=beside,
            override=told["override"],
            key=request_key(request, told["key"]),
            by=at_desk(request),
            now=now,
        )
    except SchedulingError as refusal:
        return _refuse(request, asked, form, refusal, now=now)
    messages.success(request, booked_words(booked))
    return after_booking(request, booked)


def _refuse(
    request: StaffRequest,
    asked: Asked,
    form: BookForm,
    refusal: SchedulingError,
    *,
    now: datetime,
) -> HttpResponse:
    """Say why it was not booked, keep what was typed, and offer what would be."""
    told = form.cleaned_data
    if isinstance(refusal, HoldExpired):
        asked = replace(asked, hold=None)
    terms = terms_for(at_desk(request), override=told["override"])
    found = alternatives(
        provider=asked.provider,
        clinic=asked.clinic,
        visit_type=told["type"],
        start=asked.start,
        patient=asked.whom,
        terms=terms,
        now=now,
    )
    query = Query(told["type"], asked.start.date(), asked.start.date(), (asked.clinic,))
    best = best_fits(found, query=query, kinds=VisitType.objects.all(), terms=terms, now=now)
    taken = isinstance(refusal, SlotTaken) and not told["overbook"]
    return ask(
        request,
        asked,
        form,
        now=now,
        problem=in_words(refusal),
        alternatives=[alternative(slot, asked, best) for slot in found],
        has_best=bool(best),
        can_overbook=taken and may_overbook(request, asked),
        must_override=isinstance(refusal, TooSoon | TooFar),
        status=UNPROCESSABLE if isinstance(refusal, KeyReused) else CONFLICT,
    )


def _to_series(
    request: StaffRequest, asked: Asked, form: BookForm, *, now: datetime
) -> HttpResponse:
    """Go on to the dates of a series, where how often it is repeated makes sense."""
    repeat = RepeatForm(request.POST)
    if not repeat.is_valid():
        return ask(request, asked, form, repeat=repeat, now=now, status=UNPROCESSABLE)
    asked = replace(asked, visit_type=form.cleaned_data["type"], hold=None)
    return redirect(asked.address("desk:series", **repeat.cleaned_data))
