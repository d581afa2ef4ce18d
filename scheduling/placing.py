"""May this visit stand here? Looks at the rows as they are now, and writes nothing.

The same questions are asked twice: cheaply without a lock, and again under the calendar's lock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

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
from scheduling.intervals import Interval
from scheduling.slots import Reason, Visit, Window, why_not

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
    """

    on_grid: bool = True
    notice_and_horizon: bool = True
    past_allowed: bool = False
    beside_others: bool = False


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


HOURS = """
SELECT coalesce(jsonb_agg(jsonb_build_array(
    day_of_week, start_time, end_time, slot_duration_minutes, valid_from, valid_until,
    (SELECT jsonb_agg(visittype_id) FROM providers_providerschedule_visit_types
     WHERE providerschedule_id = hours.id))), '[]')
FROM providers_providerschedule AS hours
WHERE provider_id = %(provider)s AND clinic_id = %(clinic)s AND is_active
  AND valid_from <= %(last_day)s AND (valid_until IS NULL OR valid_until >= %(first_day)s)
"""

FACTS = f"""
SELECT provider.is_active AND clinic.is_active, clinic.time_zone_id, ({HOURS}),
    (SELECT coalesce(jsonb_agg(jsonb_build_array(start_datetime, end_datetime, kind)), '[]')
     FROM (SELECT start_datetime, end_datetime, 'away' AS kind FROM providers_timeoff
           WHERE provider_id = %(provider)s
             AND end_datetime > %(first)s AND start_datetime < %(last)s
           UNION ALL
           SELECT start_datetime, end_datetime, 'closed' FROM providers_clinicclosure
           WHERE clinic_id = %(clinic)s
             AND end_datetime > %(first)s AND start_datetime < %(last)s) AS gone),
    %(alone)s AND EXISTS (
        SELECT FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span(a, b)
        JOIN scheduling_appointment AS other ON other.provider_id = %(provider)s
            AND other.busy && tstzrange(span.a, span.b)
        WHERE other.status <> 'CANCELLED' AND other.id <> ALL(%(own)s::uuid[])),
    %(lane)s = 0 AND EXISTS (
        SELECT FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span(a, b)
        JOIN scheduling_slothold AS held ON held.provider_id = %(provider)s
            AND held.busy && tstzrange(span.a, span.b)
        WHERE held.expires_at > clock_timestamp() AND held.id <> ALL(%(own_holds)s::uuid[]))
FROM providers_provider AS provider, providers_clinic AS clinic
WHERE provider.id = %(provider)s AND clinic.id = %(clinic)s
"""  # noqa: S608

LOOK = """
SELECT EXISTS (SELECT FROM scheduling_appointment
               WHERE provider_id = %(provider)s AND overbook_lane = %(lane)s
                 AND busy && tstzrange(%(busy_start)s, %(busy_end)s) AND status <> 'CANCELLED'
                 AND id <> ALL(%(own)s::uuid[])),
       EXISTS (SELECT FROM scheduling_appointment
               WHERE patient_id = %(patient)s::uuid AND status <> 'CANCELLED'
                 AND tstzrange(scheduled_start, scheduled_end) && tstzrange(%(start)s, %(end)s)
                 AND id <> ALL(%(own)s::uuid[]))
"""


def look(placement: Placement, *, patient: UUID | None, own: Sequence[UUID] = ()) -> None:
    """Refuse, without a lock, what is plainly taken: one indexed statement for the common loser.

    `own` appointments do not count. Raises PatientBusy or SlotTaken. Silence promises nothing.
    """
    busy = placement.busy
    with connection.cursor() as cursor:
        cursor.execute(
            LOOK,
            {
                "provider": placement.provider.pk,
                "lane": placement.lane,
                "busy_start": busy.start,
                "busy_end": busy.end,
                "patient": patient,
                "start": placement.start,
                "end": placement.end,
                "own": list(own),
            },
        )
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
    facts = _facts(placements, terms=terms, own=own, own_holds=own_holds)
    if not facts.is_active:
        raise ProviderInactive
    for placement in placements:
        _check_hours(placement, facts, terms=terms, now=now)
    if facts.booked or facts.held:
        raise SlotTaken(held=facts.held and not facts.booked)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows say about one provider at one clinic around some placements."""

    is_active: bool
    windows: list[Window]
    away: list[Interval]
    closed: list[Interval]
    booked: bool
    held: bool


def _facts(
    placements: Sequence[Placement],
    *,
    terms: Terms,
    own: Sequence[UUID],
    own_holds: Sequence[UUID],
) -> Facts:
    first, clinic = placements[0], placements[0].clinic
    spans = [placement.busy for placement in placements]
    begin, end = min(p.start for p in placements), max(p.end for p in placements)
    with connection.cursor() as cursor:
        cursor.execute(
            FACTS,
            {
                "provider": first.provider.pk,
                "clinic": clinic.pk,
                "first": begin,
                "last": end,
                "first_day": begin.date() - timedelta(days=1),
                "last_day": end.date() + timedelta(days=1),
                "lane": first.lane,
                "alone": first.lane == 0 and not terms.beside_others,
                "starts": [span.start for span in spans],
                "ends": [span.end for span in spans],
                "own": list(own),
                "own_holds": list(own_holds),
            },
        )
        active, zone, hours, gone, booked, held = cursor.fetchone()
    away, closed = _absences(gone)
    windows = read_windows(hours, clinic=clinic.pk, zone=ZoneInfo(zone or "UTC"))
    return Facts(active, windows, away, closed, booked, held)


def _absences(rows: str) -> tuple[list[Interval], list[Interval]]:
    found: dict[str, list[Interval]] = {"away": [], "closed": []}
    for start, end, kind in json.loads(rows):
        found[kind].append(Interval(datetime.fromisoformat(start), datetime.fromisoformat(end)))
    return found["away"], found["closed"]


def read_windows(rows: str, *, clinic: UUID, zone: ZoneInfo) -> list[Window]:
    """Return the windows that HOURS gave as JSON."""
    return [
        Window(
            clinic=clinic,
            zone=zone,
            weekday=weekday,
            start=time.fromisoformat(start),
            end=time.fromisoformat(end),
            step=step,
            valid_from=date.fromisoformat(valid_from),
            valid_until=date.fromisoformat(valid_until) if valid_until else None,
            types=frozenset(UUID(kind) for kind in types or ()),
        )
        for weekday, start, end, step, valid_from, valid_until, types in json.loads(rows)
    ]


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
    *, provider: Provider, clinic: Clinic, visit_type: VisitType, start: datetime, lane: int = 0
) -> Placement:
    """Return the placement of a visit; one without a length takes the step of the hours it is in.

    Raises OutsideHours where such a visit does not start in working hours, and InThePast or TooFar
    at the ends of the calendar, where an instant cannot be reckoned with.
    """
    if start.year in {MINYEAR, MAXYEAR}:
        raise InThePast if start.year == MINYEAR else TooFar
    if visit_type.minutes is not None:
        end = start + visit_type.minutes * MINUTE
        return Placement(provider, clinic, visit_type, start, end, lane)
    day = start.date()
    with connection.cursor() as cursor:
        cursor.execute(
            HOURS,
            {
                "provider": provider.pk,
                "clinic": clinic.pk,
                "first_day": day - timedelta(days=1),
                "last_day": day + timedelta(days=1),
            },
        )
        (rows,) = cursor.fetchone()
    windows = read_windows(rows, clinic=clinic.pk, zone=clinic.zone)
    covering = [w for w in windows if w.allows(visit_type.pk) and w.elapsed(start) is not None]
    ruling = [window for window in covering if window.offers(start)] or covering
    if not ruling:
        raise OutsideHours
    end = start + min(window.step for window in ruling) * MINUTE
    return Placement(provider, clinic, visit_type, start, end, lane)
