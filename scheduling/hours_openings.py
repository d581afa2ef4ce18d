"""Time that comes free because somebody works more: time off or a closure ends sooner, hours grow.

Written down in the transaction of the change, for clinics where somebody waits: elsewhere there is
nobody to be offered it, and who joins later is shown what is free. That hours allow more types of
visit frees no time, nor does a provider who takes appointments again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, Max, OuterRef
from psycopg.types.range import Range

from providers.hours import AnyChange, providers_at
from providers.models import Clinic, ClinicClosure, Provider, ProviderSchedule, TimeOff, VisitType
from scheduling import worked
from scheduling.availability.rows import Rows, read
from scheduling.intervals import Interval, subtract
from scheduling.models import Opening, WaitlistEntry
from scheduling.openings import SHORTEST, interval_of, nudge, open_ones
from scheduling.wallclock import spans
from scheduling.windows import Window, days_between

logger = logging.getLogger(__name__)
DAY = timedelta(days=1)
FURTHEST = timedelta(days=60)
MOST = 500


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Time of a provider that a change may have freed, or did."""

    provider: UUID
    clinic: UUID
    span: Interval


def on_hours_change(change: AnyChange) -> None:
    """Write an opening for each stretch of a day that is free now and was not before.

    Looked at are the days from `change.at` to the furthest for which any visit can be booked, at
    most 60. Of more than 500 stretches the first are kept, and the others counted in the log.
    """
    clinics = {row.pk: row for row in _where_somebody_waits()}
    ahead = _ahead(clinics, change.at) if clinics else {}
    gained = list(_gained(change, ahead, clinics))
    if not gained:
        return
    found = sorted(_freed(gained, ahead, clinics, at=change.at), key=lambda one: one.span.start)
    if len(found) > MOST:
        logger.warning("openings.left_out", extra={"rows": len(found) - MOST})
    grew = any(isinstance(row, ProviderSchedule) for row in change.after)
    cause = Opening.Cause.HOURS if grew else Opening.Cause.LEAVE
    _write(found[:MOST], cause, at=change.at)


def _where_somebody_waits() -> Iterator[Clinic]:
    waiting = WaitlistEntry.objects.filter(
        clinic=OuterRef("pk"), status=WaitlistEntry.Status.WAITING
    )
    yield from Clinic.objects.active().filter(Exists(waiting))


def _ahead(clinics: Mapping[UUID, Clinic], at: datetime) -> dict[UUID, Interval]:
    """Return from when to when each clinic's days are looked at: whole minutes, whole days."""
    furthest = VisitType.objects.aggregate(days=Max("horizon_days"))["days"] or 0
    days = min(furthest * DAY, FURTHEST)
    start = worked.from_whole_minute(at)
    return {
        pk: Interval(start, _day(clinic, at.astimezone(clinic.zone) + days)[-1].end)
        for pk, clinic in clinics.items()
    }


def _day(clinic: Clinic, moment: datetime) -> list[Interval]:
    """Return the clinic's local day on which a moment of its wall clock lies."""
    return spans(clinic.zone, moment.date(), timedelta(0), DAY)


def _gained(
    change: AnyChange, ahead: Mapping[UUID, Interval], clinics: Mapping[UUID, Clinic]
) -> Iterator[_Stretch]:
    """Yield where time may have come free, at clinics where somebody waits."""
    for row in change.before:
        if isinstance(row, TimeOff):
            span = Interval(row.start_datetime, row.end_datetime)
            yield from (_Stretch(row.provider_id, clinic, span) for clinic in clinics)
        elif isinstance(row, ClinicClosure) and row.clinic_id in clinics:
            span = Interval(row.start_datetime, row.end_datetime)
            concerned = set(providers_at(clinics[row.clinic_id]))
            yield from (_Stretch(provider, row.clinic_id, span) for provider in concerned)
    after, before = (_windows(rows, clinics) for rows in (change.after, change.before))
    for (provider, clinic), windows in after.items():
        was = worked.hours(before[provider, clinic], clinic, ahead[clinic])
        for span in subtract(worked.hours(windows, clinic, ahead[clinic]), was):
            yield _Stretch(provider, clinic, span)


def _windows(
    rows: tuple[ProviderSchedule | TimeOff | ClinicClosure, ...], clinics: Mapping[UUID, Clinic]
) -> dict[tuple[UUID, UUID], list[Window]]:
    """Return what rows of hours say, by provider and clinic: other hours of theirs are apart."""
    found: dict[tuple[UUID, UUID], list[Window]] = defaultdict(list)
    for row in rows:
        if isinstance(row, ProviderSchedule) and row.is_active and row.clinic_id in clinics:
            window = Window(
                clinic=row.clinic_id,
                zone=clinics[row.clinic_id].zone,
                weekday=row.day_of_week,
                start=row.start_time,
                end=row.end_time,
                step=row.slot_duration_minutes,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
            )
            found[row.provider_id, row.clinic_id].append(window)
    return found


def _freed(
    gained: list[_Stretch],
    ahead: Mapping[UUID, Interval],
    clinics: Mapping[UUID, Clinic],
    *,
    at: datetime,
) -> Iterator[_Stretch]:
    """Yield what of it is worked and free, is no opening yet, and is long enough, day by day."""
    within: dict[tuple[UUID, UUID], list[Interval]] = defaultdict(list)
    for one in gained:
        if to_come := worked.common([one.span], [ahead[one.clinic]]):
            within[one.provider, one.clinic] += to_come
    pieces = [piece for some in within.values() for piece in some]
    if not pieces:
        return
    whole = Interval(min(p.start for p in pieces), max(p.end for p in pieces))
    ids = Provider.objects.filter(pk__in={who for who, _where in within}, is_active=True)
    active = set(ids.values_list("pk", flat=True))
    rows, known = _read(active, whole, at=at), _known(active, whole)
    for (provider, clinic), some in within.items():
        if provider not in active:
            continue
        for left in _left(some, rows, known[provider], provider=provider, clinic=clinics[clinic]):
            if left.end - left.start >= SHORTEST:
                yield _Stretch(provider, clinic, left)


def _read(providers: set[UUID], span: Interval, *, at: datetime) -> Rows:
    return read(sorted(providers), begin=span.start, end=span.end, clock=at)


def _known(providers: set[UUID], span: Interval) -> dict[UUID, list[Interval]]:
    found: dict[UUID, list[Interval]] = defaultdict(list)
    for opening in open_ones(providers, span):
        found[opening.provider_id].append(interval_of(opening.span))
    return found


def _left(
    pieces: list[Interval],
    rows: Rows,
    known: list[Interval],
    *,
    provider: UUID,
    clinic: Clinic,
) -> Iterator[Interval]:
    whole = Interval(min(p.start for p in pieces), max(p.end for p in pieces))
    hours = worked.hours(rows.windows.get(provider, ()), clinic.pk, whole)
    free = worked.free(worked.common(hours, pieces), rows, provider=provider, clinic=clinic.pk)
    for stretch in subtract(free, known):
        first, last = (moment.astimezone(clinic.zone) for moment in (stretch.start, stretch.end))
        for day in days_between(first.date(), last.date()):
            yield from worked.common([stretch], spans(clinic.zone, day, timedelta(0), DAY))


def _write(found: list[_Stretch], cause: Opening.Cause, *, at: datetime) -> None:
    rows = [
        Opening(
            provider_id=one.provider,
            clinic_id=one.clinic,
            span=Range(one.span.start, one.span.end),
            cause=cause,
            next_at=at,
            created_at=at,
        )
        for one in found
    ]
    if rows:
        Opening.objects.bulk_create(rows)
        nudge()
