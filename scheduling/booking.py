"""The only place where appointments are made, moved and changed.

Insert first, lock late: the row is written under the database's own constraints, then the
provider's calendar is locked, and what no constraint can say is asked again in a new statement.
Knows nothing of pages, messages or other systems: whoever must hear of it is told by `changes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from psycopg.types.range import Range

from patients.models import Patient
from providers.calendars import bump
from providers.fields import new_id
from providers.models import Clinic, Provider, VisitType
from scheduling import holds
from scheduling.actors import Actor
from scheduling.changes import Before, Change, announce
from scheduling.errors import IllegalTransition, PatientBusy, SlotTaken, Stale, UndoExpired
from scheduling.keys import RequestKey, claim
from scheduling.models import Appointment, BookedVia, SlotHold
from scheduling.models.hold import ClockTimestamp
from scheduling.placing import Placement, Terms, look, place, recheck
from scheduling.policies import (
    UNDO_WINDOW,
    check_can_book,
    check_can_change,
    check_timing,
    terms_for,
)
from scheduling.records import insert, new_appointments, record
from scheduling.transactions import in_one_transaction, limit_waiting
from scheduling.transitions import UNDOABLE, Act, Status, after, is_repeat, undo_target

MOVABLE = [Status.SCHEDULED, Status.CONFIRMED]
HIGHEST_LANE = 20
UNDO_TERMS = Terms(on_grid=False, notice_and_horizon=False, past_allowed=True)


def book(
    *,
    patient: Patient,
    provider: Provider,
    clinic: Clinic,
    visit_type: VisitType,
    start: datetime,
    reason: str = "",
    via: BookedVia = BookedVia.DESK,
    hold: SlotHold | None = None,
    overbook: bool = False,
    override: str = "",
    key: RequestKey | None = None,
    by: Actor,
    now: datetime,
) -> Appointment:
    """Book one visit; the same key gives the same appointment again.

    `start` is an aware instant. A hold of the caller's own is used up; `overbook` takes the lowest
    free lane beside the ordinary one and is a staff act, as is `override` (a reason's code), which
    lifts notice and horizon. Raises SlotTaken, PatientBusy, HoldExpired, Busy, KeyReused or the
    refusal that working hours, absences or the visit type give.
    """
    (booked,) = _book_all(
        [start],
        patient=patient,
        provider=provider,
        clinic=clinic,
        visit_type=visit_type,
        reason=reason,
        via=via,
        hold=hold,
        overbook=overbook,
        override=override,
        key=key,
        by=by,
        now=now,
    )
    return booked


def book_series(
    *,
    patient: Patient,
    provider: Provider,
    clinic: Clinic,
    visit_type: VisitType,
    starts: Sequence[datetime],
    reason: str = "",
    via: BookedVia = BookedVia.DESK,
    override: str = "",
    key: RequestKey | None = None,
    by: Actor,
    now: datetime,
) -> list[Appointment]:
    """Book several linked visits, all or none. Raises as `book` does, for the whole series."""
    return _book_all(
        sorted(starts),
        patient=patient,
        provider=provider,
        clinic=clinic,
        visit_type=visit_type,
        reason=reason,
        via=via,
        override=override,
        series=new_id(),
        key=key,
        by=by,
        now=now,
    )


def _book_all(
    starts: Sequence[datetime],
    *,
    patient: Patient,
    provider: Provider,
    clinic: Clinic,
    visit_type: VisitType,
    reason: str,
    via: BookedVia,
    hold: SlotHold | None = None,
    overbook: bool = False,
    override: str = "",
    series: UUID | None = None,
    key: RequestKey | None,
    by: Actor,
    now: datetime,
) -> list[Appointment]:
    check_can_book(visit_type, by=by)
    placements = [
        place(provider=provider, clinic=clinic, visit_type=visit_type, start=start)
        for start in starts
    ]
    if overbook:
        placements = [in_free_lane(placement) for placement in placements]
    elif key is None:
        look(placements[0], patient=patient.pk)
    rows = new_appointments(
        placements, patient=patient, reason=reason, via=via, series=series, now=now
    )
    return _write_new(rows, placements, hold=hold, override=override, key=key, by=by, now=now)


@in_one_transaction
def _write_new(
    rows: list[Appointment],
    placements: list[Placement],
    *,
    hold: SlotHold | None,
    override: str,
    key: RequestKey | None,
    by: Actor,
    now: datetime,
) -> list[Appointment]:
    if key is not None:
        kept = claim(key, request=_request(rows), outcome=[row.pk for row in rows], now=now)
        if kept != [row.pk for row in rows]:
            return list(Appointment.objects.filter(pk__in=kept).order_by("scheduled_start"))
    details = {"override": override} if override else {}
    if insert(rows, by=by, now=now, details=details) < len(rows):
        _explain(placements, patient=rows[0].patient)
    concerned = {rows[0].provider_id}
    if hold is not None:
        holds.consume(hold)
        concerned.add(hold.provider_id)
    bump(concerned)
    recheck(
        placements,
        terms=terms_for(by, override=override),
        now=now,
        own=[row.pk for row in rows],
    )
    announce([Change("BOOK", row, None, by, now) for row in rows])
    return rows


def _request(rows: Sequence[Appointment]) -> dict[str, Any]:
    """What makes two booking requests the same."""
    one = rows[0]
    return {
        "patient": one.patient_id,
        "provider": one.provider_id,
        "clinic": one.clinic_id,
        "type": one.appointment_type_id,
        "starts": [row.scheduled_start.isoformat() for row in rows],
        "overbooked": one.overbook_lane > 0,
    }


def _explain(placements: Sequence[Placement], *, patient: Patient) -> None:
    """Raise why the database let a row out: the patient's own visit, or the provider's time."""
    for placement in placements:
        look(placement, patient=patient.pk)
    raise SlotTaken


def in_free_lane(placement: Placement) -> Placement:
    """Return the placement in the lowest lane beside the ordinary one that is free there.

    Raises SlotTaken when every lane is full.
    """
    busy = placement.busy
    taken = set(
        Appointment.objects.live()
        .filter(provider=placement.provider, busy__overlap=Range(busy.start, busy.end))
        .values_list("overbook_lane", flat=True)
    )
    for lane in range(1, HIGHEST_LANE + 1):
        if lane not in taken:
            return Placement(
                placement.provider,
                placement.clinic,
                placement.visit_type,
                placement.start,
                placement.end,
                lane,
            )
    raise SlotTaken


def reschedule(
    *,
    appointment: Appointment,
    start: datetime,
    provider: Provider | None = None,
    clinic: Clinic | None = None,
    visit_type: VisitType | None = None,
    hold: SlotHold | None = None,
    overbook: bool = False,
    override: str = "",
    by: Actor,
    now: datetime,
) -> Appointment:
    """Move a visit: the same row takes its new place, or nothing changes.

    The moved visit is SCHEDULED again and its iCalendar sequence rises. Raises as `book` does,
    and TooLateToChange, IllegalTransition, or Stale if it changed since it was read.
    """
    check_can_change(appointment, by=by, now=now, override=override)
    if appointment.status not in MOVABLE:
        raise IllegalTransition("MOVE", appointment.status)
    placement = place(
        provider=provider or appointment.provider,
        clinic=clinic or appointment.clinic,
        visit_type=visit_type or appointment.appointment_type,
        start=start,
    )
    if overbook:
        placement = in_free_lane(placement)
    return _move(appointment, placement, hold=hold, override=override, by=by, now=now)


@in_one_transaction
def _move(
    appointment: Appointment,
    placement: Placement,
    *,
    hold: SlotHold | None,
    override: str,
    by: Actor,
    now: datetime,
) -> Appointment:
    before = _before(appointment)
    limit_waiting()
    _update(
        appointment,
        expected=MOVABLE,
        provider=placement.provider,
        clinic=placement.clinic,
        appointment_type=placement.visit_type,
        scheduled_start=placement.start,
        scheduled_end=placement.end,
        busy=Range(placement.busy.start, placement.busy.end),
        overbook_lane=placement.lane,
        status=Status.SCHEDULED,
        arrived_at=None,
        roomed_at=None,
        sequence=appointment.sequence + 1,
    )
    concerned = {before.provider_id, placement.provider.pk}
    if hold is not None:
        holds.consume(hold)
        concerned.add(hold.provider_id)
    bump(concerned)
    recheck([placement], terms=terms_for(by, override=override), now=now, own=[appointment.pk])
    details = {"from_start": before.start.isoformat(), "from_provider": str(before.provider_id)}
    if override:
        details["override"] = override
    record(appointment, kind="MOVE", was=before.status, by=by, now=now, details=details)
    announce([Change("MOVE", appointment, before, by, now)])
    return appointment


def cancel(
    *, appointment: Appointment, reason: str, override: str = "", by: Actor, now: datetime
) -> Appointment:
    """Cancel a visit. A patient's cancellation frees the time at once; a staff member's can be
    undone for ten minutes, and keeps the time until then. Raises TooLateToChange, Stale."""
    check_can_change(appointment, by=by, now=now, override=override)
    details = {"reason": reason} | ({"override": override} if override else {})
    return transition(appointment=appointment, act=Act.CANCEL, details=details, by=by, now=now)


def confirm(*, appointment: Appointment, by: Actor, now: datetime) -> Appointment:
    """Confirm a visit; confirming twice is the same as once."""
    return transition(appointment=appointment, act=Act.CONFIRM, by=by, now=now)


def check_in(*, appointment: Appointment, by: Actor, now: datetime) -> Appointment:
    """Note that the patient has arrived."""
    return transition(appointment=appointment, act=Act.CHECK_IN, by=by, now=now)


def complete(*, appointment: Appointment, by: Actor, now: datetime) -> Appointment:
    """Close a visit that took place. Raises TooEarly before it began."""
    return transition(appointment=appointment, act=Act.COMPLETE, by=by, now=now)


def mark_no_show(*, appointment: Appointment, by: Actor, now: datetime) -> Appointment:
    """Note that the patient did not come. Raises TooEarly until 15 minutes after the start."""
    return transition(appointment=appointment, act=Act.MARK_NO_SHOW, by=by, now=now)


def transition(
    *,
    appointment: Appointment,
    act: Act,
    details: dict[str, Any] | None = None,
    by: Actor,
    now: datetime,
) -> Appointment:
    """Do one act of the table of legal moves, if the row is still as it was read.

    Raises IllegalTransition, TooEarly, or Stale when somebody else was faster.
    """
    status = Status(appointment.status)
    if is_repeat(act, status):
        return appointment
    target = after(act, status)
    check_timing(act, appointment, now=now)
    return _transition(appointment, act, target, details=details or {}, by=by, now=now)


@in_one_transaction
def _transition(
    appointment: Appointment,
    act: Act,
    target: Status,
    *,
    details: dict[str, Any],
    by: Actor,
    now: datetime,
) -> Appointment:
    before = _before(appointment)
    undoable = by.is_staff and act in UNDOABLE
    undo_until = now + UNDO_WINDOW if undoable else None
    arrived = {"arrived_at": now} if act is Act.CHECK_IN else {}
    roomed = {"roomed_at": now} if act is Act.ROOM else {}
    limit_waiting()
    _update(
        appointment,
        expected=[before.status],
        status=target,
        undo_until=undo_until,
        **arrived,
        **roomed,
    )
    if act is Act.CANCEL:
        if undo_until is not None and appointment.overbook_lane == 0:
            holds.keep_for_undo(appointment, until=undo_until)
        bump([appointment.provider_id])
    record(appointment, kind=act, was=before.status, by=by, now=now, details=details)
    announce([Change(act, appointment, before, by, now, not_before=undo_until)])
    return appointment


@in_one_transaction
def undo(*, appointment: Appointment, by: Actor, now: datetime) -> Appointment:
    """Take back a staff cancellation, completion or no-show within its ten minutes.

    A cancelled visit gets its time back by the rules of a move. Raises UndoExpired, SlotTaken.
    """
    last = appointment.events.filter(to_status=appointment.status).last()
    if appointment.undo_until is None or last is None:
        raise UndoExpired
    before = _before(appointment)
    target = undo_target(before.status, Status(last.from_status))
    limit_waiting()
    _update(
        appointment,
        expected=[before.status],
        still=UndoExpired,
        undo_until__gt=ClockTimestamp(),
        status=target,
        undo_until=None,
    )
    if before.status is Status.CANCELLED:
        _take_time_back(appointment, now=now)
    record(appointment, kind=Act.UNDO, was=before.status, by=by, now=now)
    announce([Change(Act.UNDO, appointment, before, by, now)])
    return appointment


def _take_time_back(appointment: Appointment, *, now: datetime) -> None:
    SlotHold.objects.filter(appointment=appointment, purpose=SlotHold.Purpose.UNDO).delete()
    bump([appointment.provider_id])
    placement = Placement(
        appointment.provider,
        appointment.clinic,
        appointment.appointment_type,
        appointment.scheduled_start,
        appointment.scheduled_end,
        appointment.overbook_lane,
    )
    recheck([placement], terms=UNDO_TERMS, now=now, own=[appointment.pk])


@in_one_transaction
def send_now(*, appointment: Appointment, by: Actor, now: datetime) -> Appointment:
    """End the ten minutes early: the act is final, and a cancelled visit's time is free."""
    limit_waiting()
    if not Appointment.objects.filter(pk=appointment.pk, undo_until__gt=ClockTimestamp()).update(
        undo_until=None
    ):
        raise UndoExpired
    SlotHold.objects.filter(appointment=appointment, purpose=SlotHold.Purpose.UNDO).delete()
    bump([appointment.provider_id])
    appointment.undo_until = None
    status = Status(appointment.status)
    record(appointment, kind="SEND_NOW", was=status, by=by, now=now)
    announce([Change("SEND_NOW", appointment, _before(appointment), by, now)])
    return appointment


def _before(appointment: Appointment) -> Before:
    return Before(
        appointment.provider_id,
        appointment.scheduled_start,
        appointment.scheduled_end,
        Status(appointment.status),
    )


def _update(
    appointment: Appointment,
    *,
    expected: list[Status],
    still: type[Exception] = Stale,
    undo_until__gt: ClockTimestamp | None = None,
    **values: Any,
) -> None:
    """Write these values if status and version are still as read, and raise the version by one.

    Raises `still` where they are not, SlotTaken or PatientBusy where the database refuses.
    """
    rows = Appointment.objects.filter(
        pk=appointment.pk, version=appointment.version, status__in=expected
    )
    if undo_until__gt is not None:
        rows = rows.filter(undo_until__gt=undo_until__gt)
    values["version"] = appointment.version + 1
    try:
        with transaction.atomic():
            changed = rows.update(**values)
    except IntegrityError as error:
        raise _refusal(error) from error
    if not changed:
        raise still
    for name, value in values.items():
        setattr(appointment, name, value)


def _refusal(error: IntegrityError) -> Exception:
    """Return what an exclusion constraint means; any other breach stays what it is."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    meaning: dict[str, type[Exception]] = {
        "appointment_provider_free": SlotTaken,
        "appointment_start_once": SlotTaken,
        "appointment_patient_free": PatientBusy,
    }
    return meaning[name]() if name in meaning else error
