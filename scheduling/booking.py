"""The only place where appointments are made, moved and changed.

Insert first, lock late: the row is written under the database's own constraints, then the
provider's calendar is locked, and what no constraint can say is asked again in a new statement.
Knows nothing of pages, messages or other systems: whoever must hear of it is told by `changes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from psycopg.types.range import Range

from patients.models import Patient
from providers.calendars import bump
from providers.fields import ClockTimestamp, new_id
from providers.models import Clinic, Provider, VisitType
from scheduling import flips, holds, keys
from scheduling.actors import Actor
from scheduling.changes import Before, Change, announce
from scheduling.claiming import Claim
from scheduling.errors import (
    HoldExpired,
    IllegalTransition,
    SchedulingError,
    SlotTaken,
    UndoExpired,
)
from scheduling.flips import Flip
from scheduling.keys import RequestKey
from scheduling.lanes import HIGHEST_LANE, in_free_lane
from scheduling.models import Appointment, BookedVia, CancelReason, SlotHold
from scheduling.placing import Placement, Terms, ask_about, judge, look, place, recheck
from scheduling.policies import (
    UNDO_WINDOW,
    check_can_book,
    check_can_change,
    check_timing,
    terms_for,
)
from scheduling.records import new_appointments, record, update, write
from scheduling.transactions import in_one_transaction, limit_waiting
from scheduling.transitions import UNDOABLE, Act, Status, after, is_repeat, undo_target

NOTED_AT = {Act.CHECK_IN: "arrived_at", Act.ROOM: "roomed_at"}
MOVABLE = [Status.SCHEDULED, Status.CONFIRMED]
UNDO_TERMS = Terms(on_grid=False, notice_and_horizon=False, past_allowed=True, beside_others=True)


def book(
    *,
    patient: Patient,
    provider: Provider,
    clinic: Clinic,
    visit_type: VisitType,
    start: datetime,
    end: datetime | None = None,
    reason: str = "",
    via: BookedVia = BookedVia.DESK,
    hold: SlotHold | None = None,
    overbook: bool = False,
    override: str = "",
    key: RequestKey | None = None,
    claim: Claim | None = None,
    by: Actor,
    now: datetime,
) -> Appointment:
    """Book one visit; the same key gives the same appointment again.

    `start` is an aware instant. A hold of the caller's own is used up; `overbook` takes the lowest
    free lane beside the ordinary one and is a staff act, as is `override` (a reason's code), which
    lifts notice and horizon. A `claim` brings its own hold and terms, and is settled with the
    booking; `end` goes with one whose terms take the visit as told. Raises SlotTaken,
    PatientBusy, HoldExpired, Busy, KeyReused or the refusal that working hours, absences or the
    visit type give.
    """
    (booked,) = _book_all(
        [start],
        end=end,
        patient=patient,
        provider=provider,
        clinic=clinic,
        visit_type=visit_type,
        reason=reason,
        via=via,
        hold=hold if claim is None else claim.hold,
        overbook=overbook,
        override=override,
        key=key,
        claim=claim,
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
    end: datetime | None = None,
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
    claim: Claim | None = None,
    by: Actor,
    now: datetime,
) -> list[Appointment]:
    request = {
        "patient": patient.pk,
        "provider": provider.pk,
        "clinic": clinic.pk,
        "type": visit_type.pk,
        "starts": [start.isoformat() for start in starts],
        "overbooked": overbook,
    }
    new = partial(new_appointments, patient=patient, reason=reason, via=via, series=series, now=now)
    terms = terms_for(by, override=override) if claim is None else claim.terms
    send = partial(
        _write_new,
        request=request,
        hold=hold,
        terms=terms,
        override=override,
        key=key,
        claim=claim,
        by=by,
        now=now,
    )
    try:
        if claim is None:
            check_can_book(visit_type, by=by)
        wanted = [
            place(provider=provider, clinic=clinic, visit_type=visit_type, start=start, end=end)
            for start in starts
        ]
        if overbook:
            return _beside_others(wanted[0], new=new, write=send)
        look(wanted[0], patient=patient.pk)
        return send(new(wanted), wanted)
    except SchedulingError:
        answer = keys.find(key, request=request) if key is not None else None
        if answer is None:
            raise
        return _as_they_are(answer)


def _beside_others(
    wanted: Placement,
    *,
    new: Callable[[list[Placement]], list[Appointment]],
    write: Callable[[list[Appointment], list[Placement]], list[Appointment]],
) -> list[Appointment]:
    """Book in the lowest free lane; when another overbooking was faster, in the next one."""
    for _try in range(HIGHEST_LANE):
        placements = [in_free_lane(wanted)]
        try:
            return write(new(placements), placements)
        except SlotTaken:
            continue
    raise SlotTaken


def _as_they_are(ids: Sequence[UUID]) -> list[Appointment]:
    return list(Appointment.objects.filter(pk__in=ids).order_by("scheduled_start"))


@in_one_transaction
def _write_new(
    rows: list[Appointment],
    placements: list[Placement],
    *,
    request: dict[str, Any],
    hold: SlotHold | None,
    terms: Terms,
    override: str,
    key: RequestKey | None,
    claim: Claim | None,
    by: Actor,
    now: datetime,
) -> list[Appointment]:
    ids = [row.pk for row in rows]
    if key is not None:
        answer = keys.claim(key, request=request, outcome=ids, now=now)
        if answer != ids:
            return _as_they_are(answer)
    question = ask_about(placements, terms=terms, own=ids)
    details = {"override": override} if override else {}
    written = write(rows, question, hold=hold, details=details, by=by, now=now)
    if len(written.ids) < len(rows):
        _explain(rows, placements, written.ids)
    if written.facts is None:
        raise HoldExpired
    judge(placements, written.facts, terms=terms, now=now)
    flips.after_commit(_taken_by(rows, hold), stamp=written.stamp)
    if claim is not None:
        claim.settle(rows[0])
    announce([Change("BOOK", row, None, by, now) for row in rows])
    return rows


def _taken_by(rows: Sequence[Appointment], hold: SlotHold | None) -> dict[UUID, Flip]:
    """Return what new visits take of their provider's time, and which hold they used up."""
    dropped = () if hold is None else (hold.pk,)
    taken = tuple(flips.minutes(row.busy) for row in rows)
    whose = {rows[0].provider_id: Flip(taken=taken, dropped=dropped)}
    return whose if hold is None else {hold.provider_id: Flip(dropped=dropped), **whose}


def _explain(
    rows: Sequence[Appointment], placements: Sequence[Placement], written: frozenset[UUID]
) -> None:
    """Raise why the database left rows out: the patient's own visit, or the provider's time."""
    for row, placement in zip(rows, placements, strict=True):
        if row.pk not in written:
            look(placement, patient=row.patient_id, own=list(written))
    raise SlotTaken


def reschedule(
    *,
    appointment: Appointment,
    start: datetime,
    end: datetime | None = None,
    provider: Provider | None = None,
    clinic: Clinic | None = None,
    visit_type: VisitType | None = None,
    hold: SlotHold | None = None,
    overbook: bool = False,
    override: str = "",
    claim: Claim | None = None,
    by: Actor,
    now: datetime,
) -> Appointment:
    """Move a visit: the same row takes its new place, or nothing changes.

    The moved visit is SCHEDULED again and its iCalendar sequence rises. Raises as `book` does,
    and TooLateToChange, IllegalTransition, or Stale if it changed since it was read.
    """
    if claim is None:
        check_can_change(appointment, by=by, now=now)
    if appointment.status not in MOVABLE:
        raise IllegalTransition("MOVE", appointment.status)
    placement = place(
        provider=provider or appointment.provider,
        clinic=clinic or appointment.clinic,
        visit_type=visit_type or appointment.appointment_type,
        start=start,
        end=end,
    )
    kept = hold if claim is None else claim.hold
    move = partial(_move, appointment, hold=kept, override=override, claim=claim, by=by, now=now)
    if not overbook:
        look(placement, patient=appointment.patient_id, own=[appointment.pk])
        return move(placement)
    for _try in range(HIGHEST_LANE):
        try:
            return move(in_free_lane(placement, own=[appointment.pk]))
        except SlotTaken:
            continue
    raise SlotTaken


@in_one_transaction
def _move(
    appointment: Appointment,
    placement: Placement,
    *,
    hold: SlotHold | None,
    override: str,
    claim: Claim | None = None,
    by: Actor,
    now: datetime,
) -> Appointment:
    limit_waiting()
    moved = update(
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
    before = Before.of(appointment)
    concerned = {before.provider_id, moved.provider_id}
    if hold is not None:
        holds.consume(hold)
        concerned.add(hold.provider_id)
    flips.after_commit(_moved_by(appointment, moved, hold), stamp=bump(concerned))
    terms = terms_for(by, override=override) if claim is None else claim.terms
    recheck([placement], terms=terms, now=now, own=[moved.pk])
    if claim is not None:
        claim.settle(moved)
    details = {"from_start": before.start.isoformat(), "from_provider": str(before.provider_id)}
    if override:
        details["override"] = override
    record(moved, kind="MOVE", was=before.status, by=by, now=now, details=details)
    announce([Change("MOVE", moved, before, by, now)])
    return moved


def _moved_by(before: Appointment, moved: Appointment, hold: SlotHold | None) -> dict[UUID, Flip]:
    """Return what a move frees and takes, of one provider's time or of two."""
    dropped = () if hold is None else (hold.pk,)
    freed, taken = (flips.minutes(before.busy),), (flips.minutes(moved.busy),)
    whose = {} if hold is None else {hold.provider_id: Flip(dropped=dropped)}
    if before.provider_id == moved.provider_id:
        return {**whose, moved.provider_id: Flip(taken, freed, dropped=dropped)}
    left = Flip(freed=freed, dropped=dropped)
    return {**whose, before.provider_id: left, moved.provider_id: Flip(taken, dropped=dropped)}


def cancel(
    *, appointment: Appointment, reason: str, override: str = "", by: Actor, now: datetime
) -> Appointment:
    """Cancel a visit. A patient's cancellation frees the time at once; a staff member's can be
    undone for ten minutes, and keeps the time until then. Raises TooLateToChange, Stale."""
    check_can_change(appointment, by=by, now=now)
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
    undo_until = now + UNDO_WINDOW if by.is_staff and act in UNDOABLE else None
    noted = {NOTED_AT[act]: now} if act in NOTED_AT else {}
    before = Before.of(appointment)
    limit_waiting()
    values: dict[str, Any] = {"status": target, "undo_until": undo_until, **noted}
    changed = update(appointment, expected=[before.status], **values)
    if act is Act.CANCEL:
        if undo_until is not None and changed.overbook_lane == 0:
            holds.keep_for_undo(changed, until=undo_until)
        freed = Flip(freed=(flips.minutes(changed.busy),))
        flips.after_commit({changed.provider_id: freed}, stamp=bump([changed.provider_id]))
    record(changed, kind=act, was=before.status, by=by, now=now, details=details)
    reason = str(details.get("reason", ""))
    announce([Change(act, changed, before, by, now, not_before=undo_until, reason=reason)])
    return changed


@in_one_transaction
def undo(*, appointment: Appointment, by: Actor, now: datetime) -> Appointment:
    """Take back a staff cancellation, completion or no-show within its ten minutes.

    A cancelled visit gets its time back by the rules of a move, except that visits which stand
    beside it on purpose do not forbid it. Raises UndoExpired, Stale, SlotTaken or what forbids it.
    """
    last = appointment.events.filter(kind__in=UNDOABLE, to_status=appointment.status).last()
    if appointment.undo_until is None or last is None:
        raise UndoExpired
    before = Before.of(appointment)
    limit_waiting()
    restored = update(
        appointment,
        expected=[before.status],
        still=UndoExpired,
        within={"undo_until__gt": ClockTimestamp()},
        status=undo_target(before.status, Status(last.from_status)),
        undo_until=None,
    )
    if before.status is Status.CANCELLED:
        _take_time_back(restored, now=now)
    record(restored, kind=Act.UNDO, was=before.status, by=by, now=now)
    announce([Change(Act.UNDO, restored, before, by, now)])
    return restored


@in_one_transaction
def restore(*, appointment: Appointment, by: Actor, now: datetime) -> Appointment:
    """Give a visit its time back that was freed because nobody confirmed it.

    It is SCHEDULED again, by the rules of an undone cancellation. Raises IllegalTransition for a
    visit that was not released or has begun, Stale, SlotTaken or what else forbids its time.
    """
    if not is_released(appointment) or appointment.scheduled_start <= now:
        raise IllegalTransition("RESTORE", appointment.status)
    before = Before.of(appointment)
    limit_waiting()
    restored = update(appointment, expected=[Status.CANCELLED], status=Status.SCHEDULED)
    _take_time_back(restored, now=now)
    record(restored, kind="RESTORE", was=before.status, by=by, now=now)
    announce([Change("RESTORE", restored, before, by, now)])
    return restored


def is_released(appointment: Appointment) -> bool:
    """Say whether a visit is cancelled, and was because nobody confirmed it."""
    if appointment.status != Status.CANCELLED:
        return False
    last = appointment.events.filter(kind=Act.CANCEL).last()
    return last is not None and last.details.get("reason") == CancelReason.UNCONFIRMED


def _take_time_back(appointment: Appointment, *, now: datetime) -> None:
    holds.end_undo(appointment)
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
    """End the ten minutes early: the act is final, and a cancelled visit's time is free.

    Raises UndoExpired where they are over already, or the act was undone.
    """
    before = Before.of(appointment)
    limit_waiting()
    final = update(
        appointment,
        expected=[before.status],
        still=UndoExpired,
        within={"undo_until__gt": ClockTimestamp()},
        undo_until=None,
    )
    holds.end_undo(final)
    bump([final.provider_id])
    record(final, kind="SEND_NOW", was=before.status, by=by, now=now)
    announce([Change("SEND_NOW", final, before, by, now)])
    return final
