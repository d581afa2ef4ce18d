"""Days with openings, the times of one of them, and keeping a time. Only a POST keeps one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.models import Patient
from patients.privacy.pages import Audience, page
from patients.visitors import browser_of, network_of
from providers.models import Provider
from scheduling import checkout
from scheduling.availability import FreeSlot, days_with_openings, search
from scheduling.drafts import Draft
from scheduling.errors import SchedulingError, SlotTaken
from scheduling.forms.portal import NONE_OF_THESE, DayForm, SlotForm
from scheduling.forms.portal_wish import offered_providers
from scheduling.models import SlotHold
from scheduling.placing import Placement
from scheduling.policies import terms_for
from scheduling.presenters import long_date
from scheduling.views.portal_choices import (
    PortalRequest,
    actor_of,
    answer,
    open_question,
    own_hold,
    records_of,
    steps_of,
    wish_of,
)
from scheduling.views.portal_explained import why_no_days, why_no_times
from scheduling.views.portal_offers import day_choices, time_groups
from scheduling.views.portal_refusals import refuse
from scheduling.visit_words import language_name, visit_name, zone_words
from scheduling.wishes import Wish

DAYS_SHOWN = 10
MOST_TIMES = 300


@page(audience=Audience.PUBLIC, methods=("GET", "POST"))
def days(request: PortalRequest, slug: str) -> HttpResponse:
    """Show the next ten days that have openings, from `?from=` on."""
    now = timezone.now()
    wish = wish_of(request, slug)
    if missing := open_question(wish):
        return redirect(wish.address(missing))
    if request.method == "GET":
        return _show_days(request, wish, now)
    if request.POST.get("day") == NONE_OF_THESE:
        return redirect(wish.address("waitlist_join"))
    form = DayForm(request.POST)
    if not form.is_valid():
        return _show_days(request, wish, now, error=str(form.errors["day"][0]), status=422)
    return redirect(wish.address("times", day=form.cleaned_data["day"].isoformat()))


def _show_days(
    request: PortalRequest,
    wish: Wish,
    now: datetime,
    *,
    empty: date | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show days that have openings; where there are none, or none on an `empty` one, say why."""
    first, last = wish.horizon(now)
    asked = DayForm({"day": request.GET.get("from")})
    begin = asked.cleaned_data["day"] if asked.is_valid() else first
    begin = min(max(begin, first), last)
    query, own = wish.query(begin, last), own_hold(request, now)
    terms = terms_for(actor_of(request))
    found = days_with_openings(query, terms=terms, now=now, days=DAYS_SHOWN, ignore=own)
    explained: dict[str, Any] = {}
    if not found:
        explained = why_no_days(wish, query, own=own, now=now)
    elif empty is not None:
        explained = why_no_times(wish, wish.query(empty, empty), own=own, now=now)
    later = found[-1].day + timedelta(days=1) if len(found) == DAYS_SHOWN else None
    context = {
        "wish": wish,
        "looking_for": looking_for(wish),
        "preferences_words": _("Choose provider, time of day, language or video"),
        "back": wish.address("visit"),
        "days": day_choices(found, is_first_page=begin == first),
        "later": wish.address("days", **{"from": later.isoformat()}) if later else "",
        "is_first_page": begin == first,
        "error": error,
        "step": 3,
        "total": steps_of(wish),
        **explained,
    }
    return answer(request, "days", context, status=status)


def looking_for(wish: Wish) -> str:
    """Return what is searched, in one line: "Follow-up visit, Family medicine, morning"."""
    parts_of_day = {"morning": _("morning"), "afternoon": _("afternoon"), "evening": _("evening")}
    language = wish.params.get("language", "")
    parts = [
        visit_name(wish.visit_type),
        wish.specialty.name if wish.specialty else "",
        wish.provider.name if wish.provider else "",
        parts_of_day.get(wish.params.get("time", ""), ""),
        language_name(language) if language else "",
        str(wish.plan or ""),
    ]
    return ", ".join(part for part in parts if part)


@page(audience=Audience.PUBLIC, methods=("GET", "POST"))
def times(request: PortalRequest, slug: str) -> HttpResponse:
    """Show one day's times; a POST keeps the chosen one for ten minutes."""
    now = timezone.now()
    wish = wish_of(request, slug)
    if missing := open_question(wish):
        return redirect(wish.address(missing))
    if request.method == "POST":
        return _choose(request, wish, now)
    return _show_times(request, wish, now)


def _show_times(
    request: PortalRequest, wish: Wish, now: datetime, *, error: str = ""
) -> HttpResponse:
    form = DayForm({"day": request.GET.get("day")})
    first, last = wish.horizon(now)
    if not form.is_valid() or not first <= form.cleaned_data["day"] <= last:
        return _show_days(request, wish, now, error=_("Choose one of these days."), status=400)
    day = form.cleaned_data["day"]
    slots = search(
        wish.query(day, day),
        terms=terms_for(actor_of(request)),
        now=now,
        limit=MOST_TIMES,
        ignore=own_hold(request, now),
    )
    if not slots:
        return _show_days(request, wish, now, empty=day, status=409)
    context = {
        "wish": wish,
        "day": long_date(slots[0].local_start),
        "zone": _times_of(slots, wish),
        "back": wish.address("days"),
        "groups": time_groups(slots),
        "providers": _provider_tabs(slots, wish, day),
        "error": error,
        "step": 4,
        "total": steps_of(wish),
    }
    return answer(request, "times", context, status=422 if error else 200)


def _provider_tabs(slots: list[FreeSlot], wish: Wish, day: date) -> list[dict[str, Any]]:
    """Return links to the same day with one provider; nothing where there is no choice."""
    names = {str(slot.provider.pk): slot.provider.name for slot in slots}
    if len(names) < 2 and wish.provider is None:
        return []
    chosen = str(wish.provider.pk) if wish.provider else ""
    return [
        {
            "label": name,
            "href": wish.address("times", day=day.isoformat(), provider=pk),
            "current": pk == chosen,
        }
        for pk, name in [("", _("Anyone")), *sorted(names.items(), key=itemgetter(1))]
    ]


def _times_of(slots: list[FreeSlot], wish: Wish) -> str:
    """Return whose clock the times are on, and with whom they are where that is one person."""
    zone = zone_words(wish.clinic.zone)
    if len({slot.provider.pk for slot in slots}) > 1:
        return _("Times at the clinic, %(zone)s.") % {"zone": zone}
    name = slots[0].provider.name
    return _("With %(name)s. Times at the clinic, %(zone)s.") % {"name": name, "zone": zone}


def _choose(request: PortalRequest, wish: Wish, now: datetime) -> HttpResponse:
    form = SlotForm(request.POST)
    if not form.is_valid():
        return _show_times(request, wish, now, error=str(form.errors["slot"][0]))
    start, provider_id = form.cleaned_data["slot"]
    provider = get_object_or_404(offered_providers(wish.clinic), pk=provider_id)
    try:
        hold = keep_time(request, wish, provider, start, instead_of=own_hold(request, now), now=now)
    except SchedulingError as refusal:
        return refuse(
            request, wish, provider, start, refusal, post_to=wish.address("times"), now=now
        )
    return redirect("portal:details", pk=hold.pk)


def keep_time(
    request: PortalRequest,
    wish: Wish,
    provider: Provider,
    start: datetime,
    *,
    instead_of: SlotHold | None,
    now: datetime,
) -> SlotHold:
    """Keep a time that the wish's own search offers, with what was typed for the time before.

    Raises SlotTaken where it is not on offer, or whatever else forbids it.
    """
    slot = _on_offer(request, wish, provider, start, own=instead_of, now=now)
    draft, patient = _carried_over(wish, instead_of)
    if wish.who not in {"", "me", "other"}:
        patient = get_object_or_404(records_of(request), pk=wish.who)
    return checkout.keep(
        Placement(provider, wish.clinic, wish.visit_type, slot.start, slot.end),
        draft=draft,
        patient=patient,
        browser=browser_of(request),
        network=network_of(request),
        by=actor_of(request),
        now=now,
    )


def _carried_over(wish: Wish, earlier: SlotHold | None) -> tuple[Draft, Patient | None]:
    """Return the details typed for an earlier time, if they are of the same person."""
    draft = Draft(choices=wish.params)
    if earlier is None or earlier.clinic_id != wish.clinic.pk:
        return draft, None
    kept = Draft.load(earlier.draft)
    if kept.choices.get("who") != wish.params.get("who"):
        return draft, None
    draft.typed, draft.code = kept.typed, kept.code
    return draft, earlier.patient


def _on_offer(
    request: PortalRequest,
    wish: Wish,
    provider: Provider,
    start: datetime,
    *,
    own: SlotHold | None,
    now: datetime,
) -> FreeSlot:
    """Return the free slot at a start; patients choose only what is shown to them."""
    day = start.astimezone(wish.clinic.zone).date()
    slots = search(
        replace(wish.query(day, day), provider=provider),
        terms=terms_for(actor_of(request)),
        now=now,
        limit=MOST_TIMES,
        ignore=own,
    )
    for slot in slots:
        if slot.start == start:
            return slot
    raise SlotTaken
