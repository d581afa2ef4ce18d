"""Decides which smallest changes of a search would find something, and proves each by searching.

Refuses to know why the search found nothing, and how a change is worded or linked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from providers.models import Clinic, VisitType
from scheduling.availability import FreeSlot, Query, search
from scheduling.explanations import Finding, Reason
from scheduling.models import Appointment, SlotHold
from scheduling.placing import Terms

DAY = timedelta(days=1)
FARTHEST = timedelta(days=366)  # ahead, for those whom no horizon binds
MOST_SHOWN = 3
MOST_SEARCHES = 16
ABSENCES = {Reason.CLOSED, Reason.AWAY}


class ChangeKind(StrEnum):
    """What is changed, from the smallest change to the largest."""

    LATER = "later"
    EARLIER = "earlier"
    TIME_OF_DAY = "time_of_day"
    WEEKDAY = "weekday"
    SHORTER_VISIT = "shorter_visit"
    OTHER_PROVIDER = "other_provider"
    OTHER_CLINIC = "other_clinic"
    LANGUAGE = "language"
    PLAN = "plan"
    NEW_PATIENT = "new_patient"
    IN_PERSON = "in_person"
    EVERYTHING = "everything"
    LESS_NOTICE = "less_notice"
    AGAIN = "again"


REMEDIES_OF_TIME = {
    ChangeKind.LATER,
    ChangeKind.EARLIER,
    ChangeKind.TIME_OF_DAY,
    ChangeKind.WEEKDAY,
}


@dataclass(frozen=True, slots=True)
class Leeway:
    """What whoever asks may change beside hours, provider, language and plan.

    `other_days` is False where the page shows other days anyway. `clinics` are those among which
    they may choose, `in_person` is the visit that would take place at the clinic instead of by
    video. Patients cannot choose to be no new patients.
    """

    other_days: bool = True
    clinics: tuple[Clinic, ...] = ()
    shorter: bool = False
    less_notice: bool = False
    new_patient: bool = False
    in_person: VisitType | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A changed search, and the first free time that it finds."""

    kind: ChangeKind
    query: Query
    slot: FreeSlot


@dataclass(frozen=True, slots=True)
class _Try:
    kind: ChangeKind
    query: Query
    terms: Terms


def smallest_changes(
    query: Query,
    finding: Finding,
    *,
    terms: Terms,
    leeway: Leeway,
    now: datetime,
    ignore: SlotHold | Appointment | None = None,
) -> list[Change]:
    """Return at most three changes that find something now, the smallest first.

    Asks at most `MOST_SEARCHES` searches, each for one time, however many providers there are.
    What cannot help against the reason found is not tried; where dropping all filters finds
    nothing, none is tried by itself.
    """

    def prove(tried: _Try) -> Change | None:
        slots = search(tried.query, terms=tried.terms, now=now, limit=1, ignore=ignore)
        return Change(tried.kind, tried.query, slots[0]) if slots else None

    drops = _drops(query, leeway)
    everything: Change | None = None
    if len(drops) > 1:
        left_out = {name: value for each in drops.values() for name, value in each.items()}
        all_dropped = replace(query, **left_out)
        everything = prove(_Try(ChangeKind.EVERYTHING, all_dropped, terms))
        drops = drops if everything else {}
    found: list[Change] = []
    for tried in _tries(query, drops, terms=terms, leeway=leeway, now=now):
        if (found and found[-1].kind is tried.kind) or not _may_help(tried.kind, finding):
            continue
        change = _sooner(everything, found) if tried.kind is ChangeKind.EVERYTHING else prove(tried)
        found += [change] if change else []
        if len(found) == MOST_SHOWN:
            break
    return found


def _sooner(everything: Change | None, found: list[Change]) -> Change | None:
    """Return the largest change only where it finds an earlier time than the smaller ones."""
    if everything is None or any(one.slot.start <= everything.slot.start for one in found):
        return None
    return everything


def _may_help(kind: ChangeKind, finding: Finding) -> bool:
    """Say whether a change touches what ruled the times out."""
    reason = finding.among_wanted or finding.reason
    if kind is ChangeKind.SHORTER_VISIT:
        return reason not in {Reason.NOBODY_MATCHES, Reason.OUTSIDE_HOURS, *ABSENCES}
    if kind is ChangeKind.LESS_NOTICE:
        return reason in {Reason.NOTICE, Reason.HORIZON}
    return reason is not Reason.NOBODY_MATCHES or kind not in REMEDIES_OF_TIME


def _drops(query: Query, leeway: Leeway) -> dict[ChangeKind, dict[str, Any]]:
    """Return the filters that are set and may be left out, as the query's fields without them."""
    provider = query.provider
    specialty = query.specialty or (provider and provider.specialty)
    is_by_choice = query.telehealth and not query.visit_type.is_telehealth
    possible: list[tuple[ChangeKind, object, dict[str, Any]]] = [
        (
            ChangeKind.TIME_OF_DAY,
            query.not_before or query.not_after,
            {"not_before": None, "not_after": None},
        ),
        (ChangeKind.WEEKDAY, query.weekdays, {"weekdays": frozenset()}),
        (ChangeKind.OTHER_PROVIDER, provider, {"provider": None, "specialty": specialty}),
        (ChangeKind.LANGUAGE, query.language, {"language": ""}),
        (ChangeKind.PLAN, query.insurance_plan, {"insurance_plan": None}),
        (ChangeKind.NEW_PATIENT, query.new_patient and leeway.new_patient, {"new_patient": False}),
        (ChangeKind.IN_PERSON, is_by_choice, {"telehealth": False}),
    ]
    return {kind: fields for kind, is_set, fields in possible if is_set}


def _tries(
    query: Query,
    drops: dict[ChangeKind, dict[str, Any]],
    *,
    terms: Terms,
    leeway: Leeway,
    now: datetime,
) -> Iterator[_Try]:
    """Yield what may be tried, from the smallest change on."""
    others = {kind: [replace(query, **fields)] for kind, fields in drops.items()}
    if len(drops) > 1:
        others[ChangeKind.EVERYTHING] = [query]
    if leeway.other_days:
        for kind, days in _other_days(query, terms, now).items():
            others[kind] = [replace(query, first_day=days[0], last_day=days[1])]
    if leeway.shorter:
        others[ChangeKind.SHORTER_VISIT] = [
            replace(query, visit_type=shorter) for shorter in _shorter(query.visit_type)
        ]
    if elsewhere := tuple(c for c in leeway.clinics if c not in query.clinics):
        others[ChangeKind.OTHER_CLINIC] = [replace(query, clinics=elsewhere)]
    if leeway.in_person is not None:
        here = replace(query, visit_type=leeway.in_person, telehealth=False)
        others[ChangeKind.IN_PERSON] = [here]
    for kind in ChangeKind:
        yield from (_Try(kind, changed, terms) for changed in others.get(kind, []))
    if leeway.less_notice and terms.notice_and_horizon:
        unbound = replace(terms, notice_and_horizon=False)
        for first, last in _days_forbidden(query, now):
            sooner_or_later = replace(query, first_day=first, last_day=last)
            yield _Try(ChangeKind.LESS_NOTICE, sooner_or_later, unbound)


def _other_days(query: Query, terms: Terms, now: datetime) -> dict[ChangeKind, tuple[date, date]]:
    """Return the first and last days that can be booked after the query's days, and before."""
    today = min(now.astimezone(clinic.zone).date() for clinic in query.clinics)
    bound = terms.notice_and_horizon
    ahead = timedelta(days=query.visit_type.horizon_days) if bound else FARTHEST
    later = (max(query.last_day + DAY, today), today + ahead)
    earlier = (today, min(query.first_day - DAY, today + ahead))
    spans = {ChangeKind.LATER: later, ChangeKind.EARLIER: earlier}
    return {kind: span for kind, span in spans.items() if span[0] <= span[1]}


def _days_forbidden(query: Query, now: datetime) -> list[tuple[date, date]]:
    """Return the query's days that are, at least in part, too soon, and those that are too far."""
    kind, zones = query.visit_type, [clinic.zone for clinic in query.clinics]
    too_soon = now + timedelta(minutes=kind.minimum_notice_minutes)
    days = [too_soon.astimezone(zone).date() for zone in zones]
    horizon = min(now.astimezone(zone).date() for zone in zones) + kind.horizon_days * DAY
    soon = (query.first_day, min(query.last_day, max(days)))
    far = (max(query.first_day, horizon + DAY), query.last_day)
    return [(first, last) for first, last in (soon, far) if first <= last]


def _shorter(kind: VisitType) -> list[VisitType]:
    """Return the longest visit that is shorter, and the shortest where it is another one."""
    if kind.minutes is None:
        return []
    minutes = kind.minutes
    others = VisitType.objects.filter(is_telehealth=kind.is_telehealth, minutes__lt=minutes)
    by_length = list(others.order_by("-minutes", "label"))
    return by_length[:1] + by_length[1:][-1:]
