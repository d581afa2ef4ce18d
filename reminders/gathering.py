"""Gathers what is due into deliveries, a batch in one transaction: what is one message, what waits
for the morning, and what does not go at all. Speaks to nobody.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import Any, Protocol

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from patients.models import Patient
from patients.privacy import audit
from reminders.batching import Batch
from reminders.judging import Judge, Row, zone_of
from reminders.kinds import Channel, Kind, NoticeKind, Standing
from reminders.models import Notice, Reminder
from reminders.reach import CONTACTS
from scheduling.links import KEPT
from scheduling.models import Appointment, WaitlistOffer
from scheduling.transitions import Status

SYSTEM = "system:reminders"
BATCH = 500
DAY = timedelta(days=1)
# Of several steps for one visit only the latest is said; a video visit's link stands alone.
ORDER = {Kind.REQUEST: 0, Kind.FOLLOW_UP: 1, Kind.REMINDER: 2}
ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(hashtextextended('daysheet.reminders', 0))"
VISITS = ("patient__clinic", "clinic", "provider", "appointment_type")
OFFERS = Prefetch(
    "offer",
    WaitlistOffer.objects.select_related(
        "opening__clinic",
        "opening__provider",
        "visit_type",
        "entry__patient",
        *(f"entry__replaces__{related}" for related in VISITS),
    ),
)


class GatherSome(Protocol):
    def __call__(self, *, now: datetime, limit: int) -> int | None: ...


def gather(*, now: datetime, limit: int = BATCH, seconds: float = inf) -> int:
    """Judge what is due, and queue what goes; return how many deliveries that made.

    Ends when nothing is left, or with the batch after so many seconds. Rows that another
    transaction is changing are left for the next time.
    """
    ends_at = monotonic() + seconds
    queued = gather_notices(now=now, limit=limit, ends_at=ends_at)
    return queued + gather_reminders(now=now, limit=limit, ends_at=ends_at)


def gather_notices(*, now: datetime, limit: int = BATCH, ends_at: float = inf) -> int:
    """Gather the notices alone; several may do so at once."""
    return _all(_gather_notices, now=now, limit=limit, ends_at=ends_at)


def gather_reminders(*, now: datetime, limit: int = BATCH, ends_at: float = inf) -> int:
    """Gather the reminders alone; while somebody else does, nothing is done here.

    So two visits of one day never go as two messages, and no cap is passed by two at once.
    """
    return _all(_gather_reminders, now=now, limit=limit, ends_at=ends_at)


def due_reminders(*, now: datetime, limit: int) -> list[Reminder]:
    """Lock and return the reminders that are due, the earliest first, without their visits."""
    return list(_due(Reminder.objects.all(), now=now)[:limit])


def due_notices(*, now: datetime, limit: int) -> list[Notice]:
    """Lock and return the notices that are due, the earliest first, without their visits."""
    return list(_due(Notice.objects.all(), now=now)[:limit])


def are_unconfirmed_due(*, now: datetime) -> bool:
    """Whether a reminder is due of a visit that silence may free: that is decided first."""
    return Reminder.objects.filter(
        standing=Standing.PLANNED.value,
        due_at__lte=now,
        kind=Kind.REMINDER.value,
        appointment__status=Status.SCHEDULED.value,
        appointment__appointment_type__confirmation_required=True,
    ).exists()


def load(rows: Iterable[Row]) -> None:
    """Read the visits and people of rows, so that they can be judged and composed."""
    visits = Prefetch("appointment", Appointment.objects.select_related(*VISITS))
    reminders = [row for row in rows if isinstance(row, Reminder)]
    notices = [row for row in rows if isinstance(row, Notice)]
    prefetch_related_objects(reminders, visits)
    people = Prefetch("patient", Patient.objects.select_related("clinic"))
    prefetch_related_objects(notices, visits, people, "clinic", "code", OFFERS)


def _due(rows: QuerySet[Any], *, now: datetime) -> QuerySet[Any]:
    due = rows.filter(standing=Standing.PLANNED.value, due_at__lte=now)
    return due.order_by("due_at", "pk").select_for_update(skip_locked=True)


def _all(gather_some: GatherSome, *, now: datetime, limit: int, ends_at: float) -> int:
    """Gather batch after batch, until one finds nothing that is due or the time is over."""
    queued = 0
    while (made := gather_some(now=now, limit=limit)) is not None:
        queued += made
        if monotonic() >= ends_at:
            break
    return queued


@transaction.atomic
def _gather_notices(*, now: datetime, limit: int) -> int | None:
    rows = due_notices(now=now, limit=limit)
    if not rows:
        return None
    load(rows)
    _find_visits(rows, now=now)
    with _record(rows):
        judge = Judge(rows, now=now)
        batch = Batch(now)
        for row in rows:
            batch.sort(row, judge, (row.pk,))
        batch.write()
    return len(batch.groups)


@transaction.atomic
def _gather_reminders(*, now: datetime, limit: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
        if not cursor.fetchone()[0]:
            return None
    rows = due_reminders(now=now, limit=limit)
    if not rows:
        return None
    load(rows)
    rows.sort(key=lambda row: (row.appointment.scheduled_start, row.pk))
    with _record(rows):
        judge = Judge(rows, now=now)
        batch = Batch(now)
        for row in _latest_first(rows):
            batch.sort(row, judge, _together(row))
        for row in _others_of_the_day(rows, batch, now=now):
            batch.join(row, judge, _together(row))
        batch.write()
    return len(batch.groups)


def _latest_first(rows: Sequence[Reminder]) -> list[Reminder]:
    """Return rows of each visit so that a later step is looked at before an earlier one."""
    return sorted(rows, key=lambda row: -ORDER.get(Kind(row.kind), 0))


def _together(row: Reminder) -> Hashable:
    """Return what rows of one message have in common: person, clinic, way and day of the visit."""
    visit = row.appointment
    if row.kind not in ORDER:
        return row.pk
    day = visit.scheduled_start.astimezone(zone_of(visit.patient, row)).date()
    return visit.patient_id, visit.clinic_id, row.channel, day


def _others_of_the_day(rows: Sequence[Reminder], batch: Batch, *, now: datetime) -> list[Reminder]:
    """Return rows, due later on, of other visits that a message of this batch can tell of too."""
    going = [row for row in rows if row.kind in ORDER and _together(row) in batch.groups]
    if not going:
        return []
    starts = [row.appointment.scheduled_start for row in going]
    others = Reminder.objects.filter(
        standing=Standing.PLANNED.value,
        due_at__gt=now,
        due_at__lte=now + DAY,
        kind__in={row.kind for row in going},
        appointment__patient__in={row.appointment.patient_id for row in going},
        appointment__scheduled_start__gte=min(starts) - DAY,
        appointment__scheduled_start__lte=max(starts) + DAY,
    )
    found = list(others.order_by("due_at", "pk").select_for_update(skip_locked=True, of=("self",)))
    load(found)
    kinds = {(_together(row), row.kind) for row in going}
    return [row for row in found if (_together(row), row.kind) in kinds]


def _find_visits(rows: Sequence[Notice], *, now: datetime) -> None:
    """Find the visits to which links were lost, by reference and contact together.

    What is found is written into the row, so that its message can be composed.
    """
    lost = [row for row in rows if row.kind == NoticeKind.LINK and row.appointment is None]
    if not lost:
        return
    visits = Appointment.objects.filter(
        reference__in={row.details["reference"] for row in lost}, scheduled_end__gt=now - KEPT
    ).select_related(*VISITS)
    by_reference = {visit.reference: visit for visit in visits}
    for row in lost:
        visit = by_reference.get(row.details["reference"])
        if visit is not None and _has_contact(visit.patient, row):
            row.appointment, row.sequence = visit, visit.sequence
            row.patient, row.clinic = visit.patient, visit.clinic
            row.save(update_fields=["appointment", "sequence", "patient", "clinic"])


def _has_contact(patient: Patient, row: Notice) -> bool:
    column = CONTACTS[Channel(row.channel)]
    return bytes(getattr(patient, f"{column}_index")).hex() in row.details["indexes"]


def _record(rows: Sequence[Row]) -> AbstractContextManager[Any]:
    """Keep a record where something is opened: who a text came from, or contacts whose index has
    two keys while it changes."""
    opens = any(row.kind == NoticeKind.REPLY for row in rows) or settings.BLIND_INDEX_KEY_OLD
    return audit.keeping_record(system=SYSTEM, purpose="message") if opens else nullcontext()
