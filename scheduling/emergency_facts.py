"""Finds whose record is asked for, and reads what an opened record shows: this much and no more.

Whether it is open was decided before; each table is still asked what this user may see of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from patients.contacts import show_phone
from patients.emergency import find_by_identity
from patients.models import BreakGlassGrant, GrantKind, Patient
from providers.models import Clinic
from scheduling.desk_words import birth, day_name, full_date
from scheduling.models import Appointment, VisitNote
from scheduling.presenters import Tag, clock, status_tag
from scheduling.visit_words import language_name

MOST_VISITS = 50
HALF_A_YEAR = 180


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A visit with what its reader may know: the reason and the note are empty to the others."""

    title: str
    detail: str
    tag: Tag
    reason: str
    note: str


def find_patient(told: dict[str, Any], *, clinics: Sequence[Clinic]) -> Patient | None:
    """Return whose record the form means, at these clinics; None where that is not certain."""
    if told["reference"]:
        visit = (
            Appointment.objects.filter(
                reference=told["reference"], patient__clinic__in=clinics, patient__merged_into=None
            )
            .select_related("patient")
            .only("patient")
            .first()
        )
        return visit.patient if visit else None
    return find_by_identity(
        clinics=clinics,
        given_name=told["given_name"],
        family_name=told["family_name"],
        dob=told["dob"],
    )


def contact_rows(patient: Patient, *, now: datetime) -> list[dict[str, str]]:
    """Return who the patient is and how to reach them; rows without a value are left out."""
    today = now.astimezone(patient.clinic.zone).date()
    place = " ".join(part for part in (patient.state, patient.postal_code) if part)
    city = ", ".join(part for part in (patient.city, place) if part)
    language = language_name(patient.language)
    if patient.needs_interpreter:
        language = _("%(language)s, needs an interpreter") % {"language": language}
    rows = [
        (_("Born"), birth(patient, today=today)),
        (_("Phone"), show_phone(patient.phone) if patient.phone else ""),
        (_("E-mail"), patient.email),
        (_("Address"), "\n".join(part for part in (patient.address_line, city) if part)),
        (_("Language"), language),
        (_("Clinic"), patient.clinic.name),
    ]
    return [{"label": label, "value": value} for label, value in rows if value]


def visits_of(grant: BreakGlassGrant, *, user: User, now: datetime) -> list[ShownVisit]:
    """Return the patient's visits, the latest first, with reasons only in an emergency.

    Notes come along for those who may read them: providers, in an emergency.
    """
    is_emergency = grant.kind == GrantKind.EMERGENCY
    visits = _visits(grant.patient, user=user, with_reasons=is_emergency)
    notes = VisitNote.objects.visible_to(user).filter(appointment__in=visits)
    texts = {note.appointment_id: note.text for note in notes} if is_emergency else {}
    return [
        _shown(visit, now, reason=visit.reason_for_visit, note=texts.get(visit.pk, ""))
        if is_emergency
        else _shown(visit, now)
        for visit in visits
    ]


def shared_visits(patient: Patient, *, user: User, now: datetime) -> list[ShownVisit]:
    """Return when the visits of a shared record are, the latest first: no reasons, no notes."""
    visits = _visits(patient, user=user, with_reasons=False)
    return [_shown(visit, now) for visit in visits]


def _visits(patient: Patient, *, user: User, with_reasons: bool) -> list[Appointment]:
    rows = Appointment.objects.visible_to(user).filter(patient=patient)
    rows = rows.select_related("provider", "appointment_type", "clinic__time_zone")
    if not with_reasons:
        rows = rows.defer("reason_for_visit")
    return list(rows.order_by("-scheduled_start")[:MOST_VISITS])


def _shown(visit: Appointment, now: datetime, *, reason: str = "", note: str = "") -> ShownVisit:
    return ShownVisit(
        title=_when(visit, now),
        detail=f"{visit.appointment_type.label} · {visit.provider.name}",
        tag=status_tag(visit),
        reason=reason,
        note=note,
    )


def _when(visit: Appointment, now: datetime) -> str:
    local = visit.local_start
    is_near = abs((visit.scheduled_start - now).days) < HALF_A_YEAR
    return f"{day_name(local.date()) if is_near else full_date(local.date())}, {clock(local)}"
