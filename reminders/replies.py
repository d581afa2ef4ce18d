"""Takes the texts that patients send: stops at once, confirms where only one visit can be meant,
and leaves everything else to a person.

A text is kept, waiting for staff, before anything else is done about it: what fails halfway is
read by somebody. Which words mean what is decided in `replying`; how an answer sounds, in its
template.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from patients.looks import note_patients
from patients.models import Patient
from patients.throttle import Limit, TooManyRequests
from providers.models import Clinic
from reminders import suppressions
from reminders.asked import (
    REQUESTS,
    last_delivery,
    offer_texted,
    visits_asked,
    visits_to_come,
)
from reminders.calls import open_call
from reminders.consents import note_change
from reminders.kinds import CallReason, Channel, Meaning, NoticeKind
from reminders.models import ConsentChange, InboundText, Suppression
from reminders.notices import notice
from reminders.replying import Answer, meaning_of
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from scheduling.models import Appointment, WaitlistOffer
from scheduling.transitions import Status

# What a carrier with words of its own says that it did; to HELP it has answered itself.
CARRIER_DID = {"STOP": Meaning.STOP, "START": Meaning.START}
HELPED = "HELP"
DAY = 24 * 60 * 60
ANSWERS = Limit("text-answers", times=5, seconds=DAY)  # two machines could talk for ever
NO_WORD_OF_OURS = Limit("text-unclear", times=1, seconds=DAY)
LONGEST_BODY = 1_600  # ten parts: more than a carrier puts together
FRESH = timedelta(hours=1)


def take(
    *,
    vendor: str,
    vendor_id: str,
    sender: str,
    to: str,
    body: str,
    carrier_did: str = "",
    now: datetime,
) -> InboundText:
    """Keep a text, do what it says, and return its row; one that is known already does nothing.

    `to` is the clinics' own number, which they share. `carrier_did` is STOP, START or HELP where
    the carrier has understood, and answered, the text by itself.
    """
    number = suppressions.normal(Channel.SMS, sender)
    asked = visits_asked(number, now=now)
    text = _from(number, asked)
    text.vendor, text.vendor_id, text.body = vendor, vendor_id, body[:LONGEST_BODY]
    text.meaning = (CARRIER_DID.get(carrier_did) or meaning_of(body)).value
    text.received_at = now
    try:
        with transaction.atomic():
            text.save(force_insert=True)
            _stop_or_start(text, now=now)
    except IntegrityError:
        known = InboundText.objects.filter(vendor=vendor, vendor_id=vendor_id).first()
        if known is None:
            raise  # it is not that the text was taken before
        return known
    if carrier_did != HELPED and _is_settled(text, asked, now=now):
        _settle(text)
    return text


def _from(number: str, asked: list[Appointment]) -> InboundText:
    """Return an unsaved text, waiting for staff, with whose it is as far as that is certain."""
    people = list(Patient.objects.reached_at(phone=number).order_by("pk"))
    note_patients(person.pk for person in people)
    return InboundText(
        sender=number,
        patient=people[0] if len(people) == 1 else None,
        appointment=asked[0] if asked else None,
        clinic_id=_clinic(number, people, asked),
        needs_staff=True,
    )


def _clinic(number: str, people: list[Patient], asked: list[Appointment]) -> UUID | None:
    """Return whose desk is to read it: where a visit was asked about, or who last wrote there.

    A stranger's text goes to the clinic that was there first: it must not wait where nobody looks.
    """
    if asked:
        return asked[0].clinic_id
    sent = last_delivery(number)
    if sent is not None:
        return sent.clinic_id
    if people:
        return people[0].clinic_id
    active = Clinic.objects.filter(is_active=True).order_by("pk")
    return active.values_list("pk", flat=True).first()


def _stop_or_start(text: InboundText, *, now: datetime) -> None:
    """Suppress the number, or lift it; who has it on file said so, once for each change."""
    number, stops = text.sender, text.meaning == Meaning.STOP
    if not stops and text.meaning != Meaning.START:
        return
    if suppressions.is_suppressed(channel=Channel.SMS, recipient=number) == stops:
        return
    if stops:
        cause = Suppression.Cause.STOP
        suppressions.suppress(channel=Channel.SMS, recipient=number, cause=cause, now=now)
    else:
        suppressions.lift(channel=Channel.SMS, recipient=number, now=now)
    note_change(
        channel=Channel.SMS,
        recipient=number,
        given=not stops,
        source=ConsentChange.Source.REPLY,
        now=now,
    )


def _is_settled(text: InboundText, asked: list[Appointment], *, now: datetime) -> bool:
    """Do what a text says; whether nobody need read it."""
    match Meaning(text.meaning):
        case Meaning.STOP:
            return _call_about_stop(text, now=now)
        case Meaning.START:
            return True
        case Meaning.CONFIRM if (offer := offer_texted(text.sender)) is not None:
            return _answer_offer(text, offer, asked, now=now)
        case Meaning.CONFIRM if asked:
            return _confirm(text, asked, now=now)
        case Meaning.CHANGE:
            return _send_link(text, asked, now=now)
        case _:
            _say_that_it_came(text, now=now)
            return False


def _call_about_stop(text: InboundText, *, now: datetime) -> bool:
    """Have the desk call where a request is open: CANCEL may have meant the visit."""
    for visit in visits_asked(text.sender, kinds=REQUESTS, now=now):
        if visit.status == Status.SCHEDULED:
            open_call(appointment=visit, reason=CallReason.OPTED_OUT, now=now)
    return True


def _confirm(text: InboundText, asked: list[Appointment], *, now: datetime) -> bool:
    """Confirm the one visit that waits for it; where several do, let the patient choose."""
    waiting = [visit for visit in asked if visit.status == Status.SCHEDULED]
    if len(waiting) > 1:
        return _say(text, Answer.SEVERAL, waiting[0], now=now)
    if not waiting:
        _say(text, Answer.ALREADY, asked[0], now=now)
        return True
    try:
        visit = booking.confirm(appointment=waiting[0], by=Actor.patient(), now=now)
    except SchedulingError:  # somebody has just changed it: the desk sees text and visit together
        return False
    _say(text, Answer.CONFIRMED, visit, now=now)
    return True


def _answer_offer(
    text: InboundText, offer: WaitlistOffer, asked: list[Appointment], *, now: datetime
) -> bool:
    """Say where the offered time can be taken, or that it is gone: a text takes none.

    Where a visit waits for a yes as well, or the time is the patient's by now, a person reads it.
    """
    if offer.status == WaitlistOffer.Status.CLAIMED:
        _say_that_it_came(text, now=now)
        return False
    is_said = _say(text, Answer.OFFER, None, offer=offer, now=now)
    return is_said and not any(visit.status == Status.SCHEDULED for visit in asked)


def _send_link(text: InboundText, asked: list[Appointment], *, now: datetime) -> bool:
    """Send the link to the visit that was asked about, or to one person's next one."""
    visit = asked[0] if asked else None
    if visit is None and text.patient_id is not None:
        visit = visits_to_come(text.sender, now=now).first()
    return visit is not None and _say(text, Answer.LINK, visit, now=now)


def _say_that_it_came(text: InboundText, *, now: datetime) -> None:
    """Tell one known patient, once a day, that a person will read it."""
    if text.patient_id is None and text.appointment_id is None:
        return
    try:
        NO_WORD_OF_OURS.spend(text.sender)
    except TooManyRequests:
        return
    _say(text, Answer.UNCLEAR, text.appointment, now=now)


def _say(
    text: InboundText,
    words: Answer,
    visit: Appointment | None,
    *,
    offer: WaitlistOffer | None = None,
    now: datetime,
) -> bool:
    """Answer by a text of our own; not to a number that said stop, nor for ever."""
    if suppressions.is_suppressed(channel=Channel.SMS, recipient=text.sender):
        return False
    try:
        ANSWERS.spend(text.sender)
    except TooManyRequests:
        return False
    clinic, patient = _who_and_where(text, visit, offer)
    with transaction.atomic():
        notice(
            kind=NoticeKind.REPLY,
            subject=f"text:{text.pk}",
            channels=[Channel.SMS],
            clinic=clinic,
            patient=patient,
            appointment=visit,
            offer=offer,
            details={"text": words.value},
            due_at=now,
            not_after=now + FRESH,
        )
    return True


def _who_and_where(
    text: InboundText, visit: Appointment | None, offer: WaitlistOffer | None
) -> tuple[Clinic | None, Patient | None]:
    """Return who answers whom: as the visit or the offer says that the answer is about."""
    if visit is not None:
        return visit.clinic, visit.patient
    if offer is not None:
        return offer.opening.clinic, offer.entry.patient
    return text.clinic, text.patient


def _settle(text: InboundText) -> None:
    text.needs_staff = False
    text.save(update_fields=["needs_staff"])
