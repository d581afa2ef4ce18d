"""The only place where somebody joins the waitlist, changes what they wait for, rests or leaves.

Who waits twice for the same waits once, in the earlier place. Knows nothing of how time is found:
it only has the openings that may fit looked at again.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet

from patients.models import Patient
from providers.models import Clinic
from scheduling import openings
from scheduling.actors import Actor
from scheduling.models import Appointment, Opening, WaitlistEntry
from scheduling.transactions import in_one_transaction, limit_waiting
from scheduling.transitions import Status
from scheduling.waitlist.ending import check_dropped, drop, until_dropped
from scheduling.waitlist.errors import AlreadyWaiting, EntryEnded, TooMany
from scheduling.waitlist.expiry import expire
from scheduling.waitlist.finding import found_now
from scheduling.waitlist.wishing import URGENT, Wish, check, wish_of

__all__ = [
    "Wish",
    "change",
    "expire",
    "found_now",
    "has_been_here",
    "join",
    "leave",
    "live_of",
    "pause",
    "resume",
    "wish_of",
]

MOST = 10
WAITING = WaitlistEntry.Status.WAITING.value
PAUSED = WaitlistEntry.Status.PAUSED.value
LEFT = WaitlistEntry.Status.LEFT.value
LIVE = (WAITING, PAUSED)
RELATED = (
    "clinic__time_zone",
    "provider__specialty",
    "specialty",
    "appointment_type",
    "replaces__provider",
    "replaces__appointment_type",
)
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def live_of(patient: Patient) -> QuerySet[WaitlistEntry]:
    """Return what a patient waits for or rests from, the oldest first, with all that it names."""
    mine = WaitlistEntry.objects.filter(patient=patient, status__in=LIVE)
    return mine.select_related(*RELATED).order_by("created_at", "pk")


def join(
    *,
    patient: Patient,
    clinic: Clinic,
    wish: Wish,
    source: WaitlistEntry.Source,
    by: Actor,
    now: datetime,
) -> tuple[WaitlistEntry, bool]:
    """Let a patient wait. Returns the entry and whether it is new.

    One that waits for the same visit and person already gets the new wish and keeps its place; one
    that rested waits again. Raises a WaitlistError, PatientJoined or Busy.
    """
    is_existing = has_been_here(patient, clinic)
    twin = _twin(patient, clinic, wish)
    was = None if twin is None else wish_of(twin)
    check(wish, patient=patient, clinic=clinic, is_existing=is_existing, was=was, by=by, now=now)
    values = wish.columns | {"is_existing_patient": is_existing, "status": WAITING}
    return _join(patient, clinic, wish, values, source=source, by=by, now=now)


@in_one_transaction
def _join(
    patient: Patient,
    clinic: Clinic,
    wish: Wish,
    values: dict[str, Any],
    *,
    source: WaitlistEntry.Source,
    by: Actor,
    now: datetime,
) -> tuple[WaitlistEntry, bool]:
    limit_waiting()
    _take_turns(patient)
    _wake(clinic, wish, now)
    twin = _twin(patient, clinic, wish, is_locked=True)
    if twin is not None:
        return _write(twin, values, by=by), False
    if WaitlistEntry.objects.filter(patient=patient, status__in=LIVE).count() >= MOST:
        raise TooMany
    new = WaitlistEntry(patient=patient, clinic=clinic, source=source, created_at=now, **values)
    new.save(force_insert=True)
    return new, True


def has_been_here(patient: Patient, clinic: Clinic) -> bool:
    """Say whether a patient goes before those who are new: who had a visit at this clinic."""
    been = Appointment.objects.filter(patient=patient, clinic=clinic)
    return been.filter(status=Status.COMPLETED.value).exists()


def _take_turns(patient: Patient) -> None:
    """Let what is done to one patient's entries follow each other until commit."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, [f"waitlist:{patient.pk}"])


def _twin(
    patient: Patient, clinic: Clinic, wish: Wish, *, is_locked: bool = False
) -> WaitlistEntry | None:
    """Return the entry that waits for the same already, the oldest of several."""
    rows = WaitlistEntry.objects.filter(
        patient=patient,
        clinic=clinic,
        appointment_type=wish.appointment_type,
        provider=wish.provider,
        specialty=None if wish.provider else wish.specialty,
        status__in=LIVE,
    ).order_by("created_at", "pk")
    return (rows.select_for_update(no_key=True) if is_locked else rows).first()


def _wake(clinic: Clinic, wish: Wish, now: datetime) -> None:
    """Have the openings looked at again that the wish might take; before any entry is locked.

    The round rises: whoever is deciding about one has not seen the wish, and decides again.
    """
    whose = Q(provider=wish.provider) if wish.provider else Q(provider__specialty=wish.specialty)
    rows = Opening.objects.filter(whose, clinic=clinic, state=Opening.State.OPEN)
    rows = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
    ids = list(rows.values_list("pk", flat=True))
    if ids:
        Opening.objects.filter(pk__in=ids).update(next_at=now, round=F("round") + 1)
        openings.nudge()


def _write(entry: WaitlistEntry, values: dict[str, Any], *, by: Actor) -> WaitlistEntry:
    """Replace what an entry says. What the clinic called urgent no patient calls routine."""
    if entry.urgency == URGENT and not by.is_staff:
        values = values | {"urgency": URGENT}
    changed = [name for name, value in values.items() if getattr(entry, name) != value]
    for name in changed:
        setattr(entry, name, values[name])
    if changed:
        entry.save(update_fields=changed)
    return entry


def change(entry: WaitlistEntry, *, wish: Wish, by: Actor, now: datetime) -> WaitlistEntry:
    """Wait for something else from the same place. Raises a WaitlistError, PatientJoined or Busy.

    AlreadyWaiting where another entry waits for that, EntryEnded where this one does not any more.
    """
    patient, clinic = entry.patient, entry.clinic
    is_existing = has_been_here(patient, clinic)
    was = wish_of(entry)
    check(wish, patient=patient, clinic=clinic, is_existing=is_existing, was=was, by=by, now=now)
    return _change(entry, wish, wish.columns | {"is_existing_patient": is_existing}, by, now)


@in_one_transaction
def _change(
    entry: WaitlistEntry, wish: Wish, values: dict[str, Any], by: Actor, now: datetime
) -> WaitlistEntry:
    limit_waiting()
    _take_turns(entry.patient)
    _wake(entry.clinic, wish, now)
    found = _locked(entry)
    twin = _twin(entry.patient, entry.clinic, wish)
    if twin is not None and twin.pk != found.pk:
        raise AlreadyWaiting
    return _write(found, values, by=by)


def _locked(entry: WaitlistEntry) -> WaitlistEntry:
    """Return the entry as it is now, kept from others until commit. Raises EntryEnded."""
    rows = WaitlistEntry.objects.select_related(*RELATED, "patient")
    found = rows.select_for_update(of=("self",), no_key=True).get(pk=entry.pk)
    if found.status not in LIVE:
        raise EntryEnded(status=found.status)
    return found


def resume(entry: WaitlistEntry, *, by: Actor, now: datetime) -> WaitlistEntry:
    """Wait again, in the place that was kept. Raises EntryEnded or Busy."""
    return _resume(entry, by, now)


@in_one_transaction
def _resume(entry: WaitlistEntry, by: Actor, now: datetime) -> WaitlistEntry:
    limit_waiting()
    _take_turns(entry.patient)
    known = WaitlistEntry.objects.select_related(*RELATED).get(pk=entry.pk)
    _wake(known.clinic, wish_of(known), now)
    return _write(_locked(entry), {"status": WAITING}, by=by)


def pause(entry: WaitlistEntry, *, by: Actor, now: datetime) -> WaitlistEntry:
    """Be offered nothing for now; an offer that stands is declined. Raises EntryEnded or Busy."""
    return until_dropped(partial(_stop, entry, {"status": PAUSED}, by=by, now=now))


def leave(entry: WaitlistEntry, *, by: Actor, now: datetime) -> WaitlistEntry:
    """Wait no longer; an offer that stands is declined. Leaving twice is leaving once.

    Raises EntryEnded where the entry has become a visit or is over, or Busy.
    """
    try:
        left = {"status": LEFT, "ended_at": now}
        return until_dropped(partial(_stop, entry, left, by=by, now=now))
    except EntryEnded as ended:
        if ended.status != LEFT:
            raise
        return WaitlistEntry.objects.select_related(*RELATED).get(pk=entry.pk)


@in_one_transaction
def _stop(
    entry: WaitlistEntry, values: dict[str, Any], *, by: Actor, now: datetime
) -> WaitlistEntry:
    """Let go of what is offered first: calendars are locked before entries."""
    limit_waiting()
    drop(entry, by=by, now=now)
    found = _locked(entry)
    check_dropped(found)
    return _write(found, values, by=by)
