"""Why a search found nothing, and which smallest changes of it would find something.

Decides what is read and asked for; the reason itself is arithmetic, the words are elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max

from providers.models import ClinicClosure, TimeOff
from scheduling.availability import Query, search
from scheduling.availability.changing import Change, ChangeKind, Leeway, smallest_changes
from scheduling.availability.matching import bookable, matching
from scheduling.availability.rows import Rows, read
from scheduling.blocks.records import Minutes
from scheduling.blocks.timeline import EPOCH
from scheduling.explanations import Asked, Calendar, Filter, Finding, Hold, Reason
from scheduling.intervals import Interval
from scheduling.models import Appointment, SlotHold
from scheduling.placing import Terms
from scheduling.reasons import find_reason
from scheduling.slots import Visit

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
MOST_PROVIDERS = 50
MOST_DAYS = 60
PATIENTS = Leeway()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was looked for in vain, why, and at most three changes that find something."""

    query: Query
    finding: Finding
    changes: tuple[Change, ...]
    now: datetime

    @property
    def reason(self) -> Reason:
        return self.finding.reason

    def change(self, kind: ChangeKind) -> Change | None:
        """Return the change of one kind, if it is offered."""
        return next((change for change in self.changes if change.kind is kind), None)


def explain(
    query: Query,
    *,
    terms: Terms,
    now: datetime,
    ignore: SlotHold | Appointment | None = None,
    leeway: Leeway = PATIENTS,
) -> Explanation:
    """Say why a search found nothing; to be asked only then.

    The reason is read from the rows of the first 50 providers who match, for at most 60 days of
    the span. Costs a constant number of statements, however many providers there are: one to
    match, one or two for rows, at most thirteen where nobody matches, one for visit types, and at
    most `MOST_SEARCHES` searches for one time each. A time that came free in the meantime is a
    change of its own, AGAIN.
    """
    finding = _finding(query, terms, now, ignore)
    changes: Sequence[Change]
    if finding.reason is Reason.FREE_BY_NOW:
        slots = search(query, terms=terms, now=now, limit=1, ignore=ignore)
        changes = [Change(ChangeKind.AGAIN, query, slot) for slot in slots]
    else:
        changes = smallest_changes(
            query, finding, terms=terms, leeway=leeway, now=now, ignore=ignore
        )
    return Explanation(query, finding, tuple(changes), now)


def _finding(
    query: Query, terms: Terms, now: datetime, ignore: SlotHold | Appointment | None
) -> Finding:
    matched = matching(query)
    if not matched:
        return Finding(Reason.NOBODY_MATCHES, _to_blame(query))
    asked = _asked(query, terms, now)
    providers = matched.ids()[:MOST_PROVIDERS]
    edge = datetime.combine(max(asked.first_day, asked.last_day) + 2 * DAY, time(), UTC)
    rows = read(
        providers,
        begin=datetime.combine(asked.first_day - DAY, time(), UTC),
        end=edge,
        clock=matched.clock,
        ignore=ignore.pk if isinstance(ignore, Appointment) else None,
    )
    finding = find_reason(list(_calendars(rows, query, ignore)), asked)
    if finding.until is not None and finding.until >= edge:
        return replace(finding, until=_end_beyond(edge, finding.reason, providers, query))
    return finding


def _end_beyond(
    edge: datetime, reason: Reason, providers: Sequence[UUID], query: Query
) -> datetime | None:
    """Return when the first absence ends that goes on beyond the days looked at, if known."""
    beyond = {"start_datetime__lt": edge, "end_datetime__gte": edge}
    if reason is Reason.CLOSED:
        closed = ClinicClosure.objects.filter(clinic__in=query.clinics, **beyond).order_by()
        return _first(closed.values_list("clinic").annotate(end=Max("end_datetime")))
    off = TimeOff.objects.filter(provider__in=providers, **beyond).order_by()
    return _first(off.values_list("provider").annotate(end=Max("end_datetime")))


def _first(ends: Iterable[tuple[UUID, datetime]]) -> datetime | None:
    return min((end for _whose, end in ends), default=None)


def _to_blame(query: Query) -> frozenset[Filter]:
    """Return the filters of which each, left out alone, would leave somebody.

    Where none does, those which nobody meets even by themselves; none where nobody works there.
    """
    fields: dict[Filter, tuple[object, dict[str, Any]]] = {
        Filter.PROVIDER: (query.provider, {"provider": None}),
        Filter.SPECIALTY: (query.specialty, {"specialty": None}),
        Filter.PLAN: (query.insurance_plan, {"insurance_plan": None}),
        Filter.LANGUAGE: (query.language, {"language": ""}),
        Filter.TELEHEALTH: (query.telehealth, {"telehealth": False}),
        Filter.NEW_PATIENT: (query.new_patient, {"new_patient": False}),
    }
    without = {name: empty for name, (is_set, empty) in fields.items() if is_set}

    def leaves_somebody(dropped: set[Filter]) -> bool:
        changes = {k: v for name in dropped for k, v in without[name].items()}
        return bookable(replace(query, **changes)).exists()

    alone = {name for name in without if leaves_somebody({name})}
    if alone or not leaves_somebody(set(without)):
        return frozenset(alone)
    unmet = {name for name in without if not leaves_somebody(set(without) - {name})}
    return frozenset(unmet or without)


def _asked(query: Query, terms: Terms, now: datetime) -> Asked:
    """Return the question for the days that are looked at: 60 at most, none that are over."""
    kind, bound = query.visit_type, terms.notice_and_horizon
    first = max(query.first_day, min(now.astimezone(c.zone).date() for c in query.clinics))
    visit = Visit(
        type=kind.pk,
        minutes=kind.minutes,
        buffer_before=kind.buffer_before_minutes,
        buffer_after=kind.buffer_after_minutes,
        notice=kind.minimum_notice_minutes * MINUTE if bound else timedelta(0),
        horizon_days=kind.horizon_days if bound else None,
    )
    return Asked(
        visit=visit,
        first_day=first,
        last_day=min(query.last_day, first + MOST_DAYS * DAY - DAY),
        now=now,
        weekdays=query.weekdays,
        not_before=query.not_before,
        not_after=query.not_after,
    )


def _calendars(
    rows: Rows, query: Query, ignore: SlotHold | Appointment | None
) -> Iterator[Calendar]:
    """Yield one calendar for each provider and clinic: a closure takes only that clinic's hours."""
    for provider, windows in rows.windows.items():
        for clinic in query.clinics:
            here = [window for window in windows if window.clinic == clinic.pk]
            if here:
                yield Calendar(
                    windows=here,
                    visits=_intervals(rows.taken.get(provider, [])),
                    holds=_holds(rows, provider, ignore),
                    away=_intervals(rows.away.get(provider, [])),
                    closed=_intervals(rows.closures.get(clinic.pk, [])),
                    own_start=_own_start(provider, ignore),
                )


def _intervals(spans: Iterable[Minutes]) -> list[Interval]:
    return [Interval(EPOCH + start * MINUTE, EPOCH + end * MINUTE) for start, end in spans]


def _holds(rows: Rows, provider: UUID, ignore: SlotHold | Appointment | None) -> list[Hold]:
    """Return the live holds of a provider, but for the asker's own."""
    own = ignore.pk if isinstance(ignore, SlotHold) else None
    live = [hold for hold in rows.holds.get(provider, []) if hold.id != own]
    busy = _intervals((hold.start, hold.end) for hold in live)
    return [Hold(span, hold.until) for span, hold in zip(busy, live, strict=True)]


def _own_start(provider: UUID, ignore: SlotHold | Appointment | None) -> datetime | None:
    """Return where the visit to be moved stands with this provider."""
    if isinstance(ignore, Appointment) and ignore.provider_id == provider:
        return ignore.scheduled_start
    return None
