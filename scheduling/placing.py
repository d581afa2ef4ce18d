"""May this visit stand here? Looks at the rows as they are now, and writes nothing.

The same questions are asked twice: cheaply without a lock, and again under the calendar's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from providers.models import Clinic, Provider, VisitType
from scheduling.errors import (
    ClinicClosed,
    InThePast,
    OutsideHours,
    PatientBusy,
    ProviderAway,
    ProviderInactive,
    SchedulingError,
    SlotTaken,
    TooFar,
    TooSoon,
    TypeNotAllowed,
)
from scheduling.facts import Facts, ask_facts, hours_around
from scheduling.intervals import Interval
from scheduling.slots import Reason, Visit, why_not

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
REFUSALS: dict[Reason, type[SchedulingError]] = {
    Reason.PAST: InThePast,
    Reason.TYPE_NOT_ALLOWED: TypeNotAllowed,
    Reason.OUTSIDE_HOURS: OutsideHours,
    Reason.NOT_ON_GRID: OutsideHours,
    Reason.TOO_SOON: TooSoon,
    Reason.TOO_FAR: TooFar,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What binds the one who asks: patients keep to the grid, to notice and to the horizon.

    `beside_others` lets an ordinary visit stand beside overbooked ones, as it did before.
    `as_told` is for a visit that stands in another system already: only taken time forbids it.
    """

    on_grid: bool = True
    notice_and_horizon: bool = True
    past_allowed: bool = False
    beside_others: bool = False
    as_told: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """A visit at a place in a provider's calendar: UTC instants, half-open."""

    provider: Provider
    clinic: Clinic
    visit_type: VisitType
    start: datetime
    end: datetime
    lane: int = 0

    @property
    def busy(self) -> Interval:
        """The provider's time that it takes, buffers included."""
        return Interval(
            self.start - self.visit_type.buffer_before_minutes * MINUTE,
            self.end + self.visit_type.buffer_after_minutes * MINUTE,
        )

    def visit(self, terms: Terms) -> Visit:
        kind = self.visit_type
        bound = terms.notice_and_horizon
        return Visit(
            type=kind.pk,
            minutes=int((self.end - self.start) / MINUTE),
            notice=kind.minimum_notice_minutes * MINUTE if bound else timedelta(0),
            horizon_days=kind.horizon_days if bound else None,
        )


LOOK = "SELECT * FROM daysheet_look(%s, %s::smallint, %s, %s, %s, %s, %s, %s::uuid[])"


def look(placement: Placement, *, patient: UUID | None, own: Sequence[UUID] = ()) -> None:
    """Refuse, without a lock, what is plainly taken: one indexed statement for the common loser.

    `own` appointments do not count. Raises PatientBusy or SlotTaken. Silence promises nothing.
    """
    busy = placement.busy
    asked: list[Any] = [placement.provider.pk, placement.lane, busy.start, busy.end]
    asked += [patient, placement.start, placement.end, list(own)]
    with connection.cursor() as cursor:
        cursor.execute(LOOK, asked)
        provider_busy, patient_busy = cursor.fetchone()
    if patient_busy:
        raise PatientBusy
    if provider_busy:
        raise SlotTaken


def recheck(
    placements: Sequence[Placement],
    *,
    terms: Terms,
    now: datetime,
    own: Sequence[UUID] = (),
    own_holds: Sequence[UUID] = (),
) -> None:
    """Look again, under the calendar's lock and in a new statement, at everything that may forbid.

    All placements are one provider's at one clinic, in one lane. `own` appointments and holds do
    not count. Raises the named refusal; the caller's transaction is then to be rolled back.
    """
    question = ask_about(placements, terms=terms, own=own, own_holds=own_holds)
    clinic = placements[0].clinic.pk
    judge(placements, ask_facts(question, clinic=clinic), terms=terms, now=now)


def ask_about(
    placements: Sequence[Placement],
    *,
    terms: Terms,
    own: Sequence[UUID] = (),
    own_holds: Sequence[UUID] = (),
) -> dict[str, Any]:
    """Return the question that `daysheet_facts` answers, ready for JSON but for ids and times."""
    first = placements[0]
    begin, end = min(p.start for p in placements), max(p.end for p in placements)
    return {
        "provider": first.provider.pk,
        "clinic": first.clinic.pk,
        "lane": first.lane,
        "alone": first.lane == 0 and not terms.beside_others,
        "first_day": begin.date() - DAY,
        "last_day": end.date() + DAY,
        "visits": [
            {"starts": p.start, "ends": p.end, "busy_start": p.busy.start, "busy_end": p.busy.end}
            for p in placements
        ],
        "own": own,
        "own_holds": own_holds,
    }


def judge(placements: Sequence[Placement], facts: Facts, *, terms: Terms, now: datetime) -> None:
    """Raise the refusal that these facts call for, if any."""
    if not terms.as_told:
        if not facts.is_bookable:
            raise ProviderInactive
        for placement in placements:
            _check_hours(placement, facts, terms=terms, now=now)
    if facts.is_booked or facts.is_held:
        raise SlotTaken(held=facts.is_held and not facts.is_booked)


def _check_hours(placement: Placement, facts: Facts, *, terms: Terms, now: datetime) -> None:
    span = Interval(placement.start, placement.end)
    reason = why_not(
        windows=facts.windows,
        visit=placement.visit(terms),
        start=placement.start,
        clinic=placement.clinic.pk,
        away=[*facts.away, *facts.closed],
        now=min(now, placement.start) if terms.past_allowed else now,
        on_grid=terms.on_grid,
    )
    if reason is Reason.AWAY:
        raise ClinicClosed if any(c.overlaps(span) for c in facts.closed) else ProviderAway
    if reason is not None:
        raise REFUSALS[reason]


def place(
    *,
    provider: Provider,
    clinic: Clinic,
    visit_type: VisitType,
    start: datetime,
    end: datetime | None = None,
    lane: int = 0,
) -> Placement:
    """Return the placement of a visit; one without a length takes the step of the hours it is in.

    An `end` that was told goes before the type's length. Raises OutsideHours where a visit without
    either does not start in working hours, and InThePast or TooFar at the ends of the calendar,
    where an instant cannot be reckoned with.
    """
    if start.year in {MINYEAR, MAXYEAR}:
        raise InThePast if start.year == MINYEAR else TooFar
    if end is None and visit_type.minutes is not None:
        end = start + visit_type.minutes * MINUTE
    if end is not None:
        return Placement(provider, clinic, visit_type, start, end, lane)
    windows = hours_around(start, provider=provider.pk, clinic=clinic.pk, zone=clinic.zone)
    covering = [w for w in windows if w.allows(visit_type.pk) and w.elapsed(start) is not None]
    ruling = [window for window in covering if window.offers(start)] or covering
    if not ruling:
        raise OutsideHours
    end = start + min(window.step for window in ruling) * MINUTE
    return Placement(provider, clinic, visit_type, start, end, lane)
