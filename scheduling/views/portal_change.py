"""Patients move a visit: a day, a time, a look at old and new, and only then a POST that moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from patients.privacy.pages import PageRequest
from providers.models import Provider
from scheduling import booking
from scheduling.actors import Actor
from scheduling.availability import (
    Query,
    bookable,
    days_with_openings,
    nearest,
    search,
)
from scheduling.availability.changing import ChangeKind
from scheduling.errors import (
    IllegalTransition,
    InThePast,
    SchedulingError,
    SlotTaken,
    Stale,
    TooLateToChange,
)
from scheduling.forms.portal import DayForm, SlotForm
from scheduling.models import Appointment
from scheduling.policies import terms_for
from scheduling.presenters import clock, long_date
from scheduling.refusal_words import in_words
from scheduling.standing import standing_of
from scheduling.views.portal_explained import why_no_move
from scheduling.views.portal_offers import day_choices, offers, time_groups
from scheduling.views.portal_visit import (
    actor_of,
    as_it_is,
    show,
    show_standing,
    visit_page,
)
from scheduling.visit_words import zone_words

DAYS_SHOWN = 10
MOST_TIMES = 300
ANYONE = "anyone"
TERMS = terms_for(Actor.patient())
NO_LONGER_CHANGEABLE = (IllegalTransition, InThePast, Stale, TooLateToChange)


def others_too(request: PageRequest) -> bool:
    """Whether other providers of the same specialty will do."""
    return request.GET.get("with") == ANYONE


def query_for(visit: Appointment, now: datetime, *, anyone: bool) -> Query:
    """Return what may take the visit's place: the same kind of visit, at the same clinic."""
    today = now.astimezone(visit.zone).date()
    return Query(
        visit_type=visit.appointment_type,
        first_day=today,
        last_day=today + timedelta(days=visit.appointment_type.horizon_days),
        clinics=(visit.clinic,),
        provider=None if anyone else visit.provider,
        specialty=visit.provider.specialty if anyone else None,
    )


def address(visit: Appointment, page: str, *, anyone: bool, **params: str) -> str:
    if anyone:
        params["with"] = ANYONE
    return f"{reverse(f'portal:{page}', args=[visit.pk])}?{urlencode(params)}".rstrip("?")


@visit_page()
def change(request: PageRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """Offer the next ten days that have openings, from `?from=` on."""
    if not standing_of(visit, now=now).can_change:
        return redirect("portal:manage", pk=visit.pk)
    return _show_days(request, visit, now)


def _show_days(
    request: PageRequest,
    visit: Appointment,
    now: datetime,
    *,
    empty: date | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show days that have openings; where there are none, or none on an `empty` one, say why."""
    anyone = others_too(request)
    query = query_for(visit, now, anyone=anyone)
    begin = max(_day(request, "from") or query.first_day, query.first_day)
    is_first_page = begin == query.first_day
    query = _from(query, min(begin, query.last_day))
    found = days_with_openings(query, terms=TERMS, now=now, days=DAYS_SHOWN, ignore=visit)
    explained: dict[str, Any] = {}
    if not found:
        explained = _why(visit, query, now, anyone=anyone)
    elif empty is not None:
        on_day = _from(query, empty, empty)
        explained = _why(visit, on_day, now, anyone=anyone, other_days=False)
    context: dict[str, Any] = {
        "days": day_choices(found, is_first_page=is_first_page),
        "is_first_page": is_first_page,
        "anyone": anyone,
        "other_href": address(visit, "change", anyone=not anyone),
        "error": error,
        **explained,
    }
    if len(found) == DAYS_SHOWN:
        later = {"from": (found[-1].day + timedelta(days=1)).isoformat()}
        context["later_href"] = address(visit, "change", anyone=anyone, **later)
    return show(request, "appointment_change_day", visit, status=status, **context)


def _why(
    visit: Appointment, query: Query, now: datetime, *, anyone: bool, other_days: bool = True
) -> dict[str, Any]:
    """Return why nothing is free, and links to days or, for a day, to its times that would be."""
    day = query.first_day.isoformat()
    addresses = {
        ChangeKind.EARLIER: address(visit, "change", anyone=anyone),
        ChangeKind.OTHER_PROVIDER: address(visit, "change", anyone=True)
        if other_days
        else address(visit, "change_times", anyone=True, day=day),
    }
    return why_no_move(visit, query, addresses=addresses, other_days=other_days, now=now)


def _from(query: Query, first: date, last: date | None = None) -> Query:
    return replace(query, first_day=first, last_day=last or query.last_day)


def _day(request: PageRequest, name: str) -> date | None:
    """Return a day of the query string; None where it is absent. Raises BadRequest."""
    if not request.GET.get(name):
        return None
    form = DayForm({"day": request.GET[name]})
    if not form.is_valid():
        raise BadRequest
    day: date = form.cleaned_data["day"]
    return day


@visit_page()
def change_times(request: PageRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """Offer the times of the day that was chosen."""
    if not standing_of(visit, now=now).can_change:
        return redirect("portal:manage", pk=visit.pk)
    day = _day(request, "day")
    if day is None:
        return _show_days(request, visit, now, error=_("Choose a day."), status=422)
    return _show_times(request, visit, now, day)


def _show_times(
    request: PageRequest, visit: Appointment, now: datetime, day: date, *, error: str = ""
) -> HttpResponse:
    anyone = others_too(request)
    query = query_for(visit, now, anyone=anyone)
    if not query.first_day <= day <= query.last_day:
        gone = _("That day has no free time any more. Choose another one.")
        return _show_days(request, visit, now, error=gone, status=409)
    on_day = _from(query, day, day)
    slots = search(on_day, terms=TERMS, now=now, limit=MOST_TIMES, ignore=visit)
    if not slots:
        return _show_days(request, visit, now, empty=day, status=409)
    return show(
        request,
        "appointment_change_time",
        visit,
        status=422 if error else 200,
        day=long_date(slots[0].local_start),
        day_value=day.isoformat(),
        zone=_("Times at the clinic, %(zone)s.") % {"zone": zone_words(visit.zone)},
        groups=time_groups(slots),
        anyone=anyone,
        back_href=address(visit, "change", anyone=anyone),
        error=error,
    )


@visit_page(methods=("GET", "POST"))
def change_check(request: PageRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """Show the old time beside the new one; a POST moves the visit."""
    is_post = request.method == "POST"
    form = SlotForm(request.POST if is_post else request.GET)
    if not form.is_valid():
        day = _day(request, "day")
        if is_post or "slot" in request.GET or day is None:
            raise BadRequest
        return _show_times(request, visit, now, day, error=_("Choose a time."))
    start, provider_id = form.cleaned_data["slot"]
    provider = _provider(visit, now, provider_id)
    if is_post:
        return _move(request, visit, provider, start, now)
    if not standing_of(visit, now=now).can_change:
        return redirect("portal:manage", pk=visit.pk)
    return _show_check(request, visit, provider, start, now, slot=request.GET["slot"])


def _provider(visit: Appointment, now: datetime, provider_id: object) -> Provider:
    """Return the visit's provider, or one who may stand in. Raises Http404."""
    if provider_id == visit.provider_id:
        return visit.provider
    for provider in bookable(query_for(visit, now, anyone=True)).order_by("name"):
        if provider.pk == provider_id:
            return provider
    raise Http404


def _show_check(
    request: PageRequest,
    visit: Appointment,
    provider: Provider,
    start: datetime,
    now: datetime,
    *,
    slot: str,
) -> HttpResponse:
    local = start.astimezone(visit.zone)
    only = replace(query_for(visit, now, anyone=False), provider=provider)
    today_only = _from(only, local.date(), local.date())
    free = search(today_only, terms=TERMS, now=now, limit=MOST_TIMES, ignore=visit)
    if not any(offered.start == start for offered in free):
        return _show_taken(request, visit, provider, start, now, SlotTaken())
    return show(
        request,
        "appointment_change_check",
        visit,
        slot=slot,
        new_moment=f"{long_date(local)}, {clock(local)}",
        new_provider=provider,
        back_href=address(
            visit,
            "change_times",
            anyone=provider.pk != visit.provider_id,
            day=local.date().isoformat(),
        ),
    )


def _move(
    request: PageRequest, visit: Appointment, provider: Provider, start: datetime, now: datetime
) -> HttpResponse:
    """Move the visit. Sent twice it moves once: the second request finds it there."""
    if visit.scheduled_start != start or visit.provider_id != provider.pk:
        by = actor_of(request, visit)
        try:
            booking.reschedule(appointment=visit, start=start, provider=provider, by=by, now=now)
        except NO_LONGER_CHANGEABLE as refusal:
            return show_standing(request, visit, now, refusal=refusal)
        except SchedulingError as refusal:
            return _show_taken(request, as_it_is(visit), provider, start, now, refusal)
    return redirect(f"{reverse('portal:manage', args=[visit.pk])}?moved")


def _show_taken(
    request: PageRequest,
    visit: Appointment,
    provider: Provider,
    start: datetime,
    now: datetime,
    refusal: SchedulingError,
) -> HttpResponse:
    """Say that the new time cannot be had, with the nearest that can; the visit stays (409)."""
    query = replace(query_for(visit, now, anyone=False), provider=provider)
    near = nearest(query, to=start, terms=TERMS, now=now)
    return show(
        request,
        "appointment_change_taken",
        visit,
        status=409,
        refusal=in_words(refusal),
        offers=offers(near),
        other_href=address(visit, "change", anyone=False),
    )
