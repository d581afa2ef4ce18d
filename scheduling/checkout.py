"""From a kept time to a booked visit: one browser's hold, what was typed into it, and its end.

Nothing is booked for somebody unknown before a code has proved their address.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from patients import codes
from patients.merging import survivor
from patients.models import OneTimeCode, Patient
from patients.registration import Details, register_provisional
from scheduling import booking, holds
from scheduling.actors import Actor
from scheduling.drafts import Draft
from scheduling.errors import HoldExpired
from scheduling.keys import RequestKey
from scheduling.models import Appointment, BookedVia, IdempotencyKey, SlotHold
from scheduling.placing import Placement, place
from scheduling.transactions import is_of_joined


def find(pk: UUID, *, browser: str) -> SlotHold | None:
    """Return this browser's hold, ended or not; None where there is none."""
    return _kept_by(browser).filter(pk=pk).first()


def latest(*, browser: str) -> SlotHold | None:
    """Return the time that this browser kept last, ended or not."""
    return _kept_by(browser).order_by("expires_at").last()


def _kept_by(browser: str) -> QuerySet[SlotHold]:
    return SlotHold.objects.filter(
        holder=browser, purpose=SlotHold.Purpose.CHECKOUT
    ).select_related("provider__specialty", "clinic", "visit_type", "patient")


def keep(
    placement: Placement,
    *,
    draft: Draft,
    patient: Patient | None,
    browser: str,
    network: str,
    by: Actor,
    now: datetime,
) -> SlotHold:
    """Keep a time, in place of the one kept before, with what was typed so far.

    Raises as `holds.place_hold` does; the time kept before then stays as it is.
    """
    hold = holds.place_hold(
        placement,
        purpose=SlotHold.Purpose.CHECKOUT,
        holder=browser,
        network=network,
        patient=patient,
        by=by,
        now=now,
    )
    write(hold, draft)
    return hold


def keep_again(hold: SlotHold, *, by: Actor, now: datetime) -> SlotHold:
    """Return a live hold of the same time: the hold itself, or a new one once it has ended.

    Raises SlotTaken and the like when somebody else was faster.
    """
    if hold.expires_at > now:
        return hold
    placement = place(
        provider=hold.provider,
        clinic=hold.clinic,
        visit_type=hold.visit_type,
        start=hold.visit_start,
    )
    return keep(
        placement,
        draft=Draft.load(hold.draft),
        patient=hold.patient,
        browser=hold.holder,
        network=hold.network,
        by=by,
        now=now,
    )


def write(hold: SlotHold, draft: Draft) -> None:
    """Keep what was typed, in the hold. Raises HoldExpired if the hold is gone altogether."""
    with transaction.atomic():
        if not SlotHold.objects.select_for_update().filter(pk=hold.pk).exists():
            raise HoldExpired
        hold.draft = draft.dump()
        _save(hold)


def _save(hold: SlotHold) -> None:
    """Write the draft and whose it is; a record joined into another meanwhile gives way to it."""
    try:
        with transaction.atomic():
            hold.save(update_fields=["draft", "patient"])
    except IntegrityError as error:
        if hold.patient is None or not is_of_joined(error):
            raise
        known = Patient.objects.select_related("merged_into").get(pk=hold.patient.pk)
        hold.patient = survivor(known)
        hold.save(update_fields=["draft", "patient"])


def ask_for_code(hold: SlotHold, *, email: str, network: str, now: datetime) -> None:
    """Have a code sent to the address that was typed. Raises TooManyRequests, HoldExpired."""
    draft = Draft.load(hold.draft)
    code = codes.request_code(
        purpose=OneTimeCode.Purpose.BOOKING,
        contact=email,
        browser=hold.holder,
        network=network,
        now=now,
    )
    draft.code = str(code)
    write(hold, draft)


def prove(hold: SlotHold, *, code: str, details: Details, now: datetime) -> SlotHold:
    """Use the code up and register who typed it; the second of two requests finds that done.

    Raises CodeRefused, or HoldExpired when the hold was used up or swept away meanwhile.
    """
    refusal: codes.CodeRefused | None = None
    with transaction.atomic():
        # A row that was waited for comes fresh, what is joined to it does not: so lock, then read.
        locked = SlotHold.objects.select_for_update().filter(pk=hold.pk).first()
        kept = find(hold.pk, browser=hold.holder) if locked else None
        if kept is None:
            raise HoldExpired
        if kept.patient is not None:
            return kept
        try:
            _redeem(kept, code, details, now)
        except codes.CodeRefused as error:
            refusal = error  # raised below, after the try has been counted
    if refusal is not None:
        raise refusal
    return kept


def _redeem(hold: SlotHold, code: str, details: Details, now: datetime) -> None:
    known = Draft.load(hold.draft).code
    if not known:
        raise codes.CodeEnded
    codes.redeem(
        purpose=OneTimeCode.Purpose.BOOKING,
        code_id=known,
        browser=hold.holder,
        code=code,
        now=now,
        contact=details.email,
    )
    hold.patient = register_provisional(clinic=hold.clinic, details=details)
    hold.save(update_fields=["patient"])


def finish(hold: SlotHold, *, reason: str, by: Actor, now: datetime) -> Appointment:
    """Book the kept time for the hold's patient, once, however often it is asked for.

    A hold that has ended does not matter while the time is still free. Raises as `booking.book`
    does; the hold, with all that was typed, then stays.
    """
    try:
        booked = _book(hold, using=hold, reason=reason, by=by, now=now)
    except HoldExpired:
        booked = _book(hold, using=None, reason=reason, by=by, now=now)
        holds.release_hold(hold)
    return booked


def _book(
    hold: SlotHold, *, using: SlotHold | None, reason: str, by: Actor, now: datetime
) -> Appointment:
    if hold.patient is None:
        raise ValueError("a visit is booked for somebody")
    return booking.book(
        patient=hold.patient,
        provider=hold.provider,
        clinic=hold.clinic,
        visit_type=hold.visit_type,
        start=hold.visit_start,
        reason=reason,
        via=BookedVia.PORTAL,
        hold=using,
        key=RequestKey(hold.holder, str(hold.pk)),
        by=by,
        now=now,
    )


def booked_from(pk: UUID, *, browser: str, now: datetime) -> Appointment | None:
    """Return the visit that this browser booked out of a hold, for a day after it did."""
    kept = IdempotencyKey.objects.filter(actor=browser, key=str(pk), expires_at__gt=now).first()
    if kept is None:
        return None
    return (
        Appointment.objects.filter(pk__in=kept.outcome)
        .select_related("provider", "clinic", "appointment_type", "patient")
        .first()
    )
