"""One row of every kind that leads to a patient, around one visit."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from psycopg.types.range import Range

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
from scheduling import links, notes
from scheduling.models import Appointment, Opening, SlotHold, WaitlistEntry, WaitlistOffer
from tests.factories import MembershipFactory, PatientFactory, hold_of

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
