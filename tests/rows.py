"""One row of every kind that leads to a patient, around one visit."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from psycopg.types.range import Range

from emr.kinds import TaskKind
from patients import emergency
from patients.models import (
    BreakGlassGrant,
    GrantKind,
    MatchCandidate,
    Patient,
    PatientIdentifier,
    PatientMerge,
)
from providers.models import Role
from reminders.kinds import CallReason, Channel, Kind, Meaning, NoticeKind, Standing, State
from reminders.models import (
    CallAttempt,
    CallItem,
    ConsentChange,
    ContactPreference,
    Delivery,
    InboundText,
    Notice,
    PushSubscription,
    Reminder,
    ReminderPolicy,
    Suppression,
    VendorReport,
)
from scheduling import links, notes
from scheduling.models import Appointment, Opening, SlotHold, WaitlistEntry, WaitlistOffer
from tests.factories import MembershipFactory, PatientFactory, hold_of
from tests.factories.emr_work import (
    arrival_of,
    conflict_of,
    match_of,
    message_of,
    person_there,
    record_system_of,
    task_of,
)

HOUR = timedelta(hours=1)


def one_of_each(visit: Appointment) -> None:
    """Write what may hang on a visit and on its patient; the visit itself made its own rows."""
    patient = visit.patient
    role = {"user": visit.provider.user, "clinic": visit.clinic, "role": Role.PROVIDER}
    treating = MembershipFactory.create(**role).user
    notes.write_note(appointment=visit, text="Sleeps badly", seen="", by=treating)
    PatientIdentifier.objects.create(patient=patient, source_system="EMR", value=str(patient.pk))
    links.issue(visit, now=timezone.now())
    _waiting(visit)
    _kept(visit, patient)
    emergency.open_record(
        patient=patient,
        kind=GrantKind.EMERGENCY,
        purpose=BreakGlassGrant.Purpose.TREATMENT,
        reason="Fell in the hall",
        by=treating,
    )
    _matched(patient)
    _agreed(visit, patient)
    _told(visit, patient)
    _to_do(visit, patient)
    _in_the_record_system(visit, patient)


def _waiting(visit: Appointment) -> None:
    opening = Opening.objects.create(
        provider=visit.provider,
        clinic=visit.clinic,
        span=Range(visit.scheduled_end, visit.scheduled_end + HOUR),
        cause="CANCEL",
    )
    entry = WaitlistEntry.objects.create(
        patient=visit.patient,
        clinic=visit.clinic,
        provider=visit.provider,
        appointment_type=visit.appointment_type,
        earliest_desired_date=visit.local_start.date(),
    )
    WaitlistOffer.objects.create(
        entry=entry,
        opening=opening,
        visit_type=entry.appointment_type,
        visit_start=visit.scheduled_end,
        visit_end=visit.scheduled_end + HOUR,
        expires_at=timezone.now() + HOUR,
        token_digest=entry.pk.bytes * 2,
    )


def _kept(visit: Appointment, patient: Patient) -> None:
    hold_of(
        visit.provider,
        visit.appointment_type,
        visit.scheduled_start + 7 * 24 * HOUR,
        holder="somebody else",
        patient=patient,
        purpose=SlotHold.Purpose.PHONE,
    )


def _matched(patient: Patient) -> None:
    twin = PatientFactory.create(clinic=patient.clinic)
    one, other = sorted((patient, twin), key=lambda each: each.pk)
    pair = {"clinic": patient.clinic, "chance": 0.5, "band": "POSSIBLE"}
    MatchCandidate.objects.create(one=one, other=other, **pair)
    PatientMerge.objects.create(
        clinic=patient.clinic,
        keep=patient,
        away=twin,
        made_by=MembershipFactory.create(clinic=patient.clinic).user,
        made_at=timezone.now(),
    )


def _agreed(visit: Appointment, patient: Patient) -> None:
    """What a patient chose, and where nothing may be sent."""
    ReminderPolicy.objects.get_or_create(clinic=visit.clinic, visit_type=visit.appointment_type)
    ContactPreference.objects.get_or_create(patient=patient, defaults={"push": False})
    source = ConsentChange.Source.PORTAL
    channel = Channel.PUSH.value
    ConsentChange.objects.create(patient=patient, channel=channel, given=False, source=source)
    PushSubscription.objects.create(
        patient=patient,
        endpoint=f"https://push.example/{patient.pk}",
        endpoint_digest=patient.pk.bytes * 2,
        p256dh="key of the browser",
        auth="secret of the browser",
    )
    Suppression.objects.create(
        channel=Channel.SMS.value,
        recipient="+12125550199",
        recipient_index=patient.pk.bytes * 2,
        cause=Suppression.Cause.STOP,
    )


def _told(visit: Appointment, patient: Patient) -> None:
    """A reminder that arrived, with its notice of the booking before it."""
    now = timezone.now()
    spans = {"due_at": now - HOUR, "not_after": now + HOUR, "channel": Channel.EMAIL.value}
    arrived = Delivery.objects.create(
        clinic=visit.clinic,
        patient=patient,
        channel=Channel.EMAIL.value,
        kinds=[Kind.REMINDER.value],
        is_automated=True,
        state=State.DELIVERED.value,
        vendor="console",
        vendor_id=str(visit.pk),
        not_before=now - HOUR,
        not_after=now + HOUR,
        sent_at=now,
        delivered_at=now,
    )
    taken = {**spans, "standing": Standing.TAKEN.value, "delivery": arrived, "sent_at": now}
    Reminder.objects.update_or_create(
        appointment=visit,
        sequence=visit.sequence,
        kind=Kind.REMINDER.value,
        channel=Channel.EMAIL.value,
        defaults=taken,
    )
    Notice.objects.create(
        **taken,
        kind=NoticeKind.RESTORED.value,
        subject=f"visit:{visit.pk}",
        clinic=visit.clinic,
        patient=patient,
        appointment=visit,
    )
    VendorReport.objects.create(vendor="console", event_id=str(visit.pk))


def _to_do(visit: Appointment, patient: Patient) -> None:
    """A call that was tried once, and a text that only a person can answer."""
    item = CallItem.objects.create(
        clinic=visit.clinic, appointment=visit, reason=CallReason.UNCONFIRMED.value
    )
    CallAttempt.objects.create(
        item=item,
        outcome=CallAttempt.Outcome.NO_ANSWER,
        note="Rang twice",
        by_user=MembershipFactory.create(clinic=visit.clinic).user,
    )
    InboundText.objects.create(
        vendor="console",
        vendor_id=str(visit.pk),
        clinic=visit.clinic,
        patient=patient,
        appointment=visit,
        sender="+12125550142",
        body="Can my sister come along?",
        meaning=Meaning.OTHER.value,
        needs_staff=True,
    )


def _in_the_record_system(visit: Appointment, patient: Patient) -> None:
    """What is told to it and came from it, and what it leaves for people."""
    connection = record_system_of(visit.clinic)
    message_of(visit, connection)
    arrival_of(connection, patient=patient, appointment=visit)
    conflict_of(visit, connection)
    match_of(patient, connection, person_there(patient))
    task_of(connection, TaskKind.NO_SHOW, patient=patient, appointment=visit)
