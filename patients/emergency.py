"""Opens one patient's record for a while, for a reason given, and lets a privacy officer judge it.

The database's clock decides how long. Whether it is really the person who signed in is asked
before; who is told after. Knows no pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django_q.tasks import async_task

from patients.mail import send_mail
from patients.models import BreakGlassGrant, GrantKind, Patient
from patients.models.audit import Act
from patients.models.emergency import LASTS, NEEDS
from patients.name_index import candidates
from patients.privacy import audit
from patients.privacy.access import may
from patients.search_terms import fold
from providers.fields import ClockTimestamp
from providers.models import Clinic

PURPOSES = {
    GrantKind.EMERGENCY: ("TREATMENT", "SAFETY", "REACH"),
    GrantKind.OVERSIGHT: ("COMPLAINT", "INCIDENT", "REQUEST"),
}

# What the record of looks calls each kind.
MARKS = {GrantKind.EMERGENCY: "emergency", GrantKind.OVERSIGHT: "privacy_review"}


class AlreadyReviewed(Exception):
    """Somebody has judged this emergency before."""


def find_by_identity(
    *, clinics: Sequence[Clinic], given_name: str, family_name: str, dob: date
) -> Patient | None:
    """Return the one record at these clinics with exactly this name and birthday.

    Capitals, accents and the order of the name's words do not matter. None too where several
    people have them: a reference tells those apart. The search is on a record of its own.
    """
    words = sorted(fold(f"{given_name} {family_name}"))
    likely = [
        pk
        for clinic in clinics
        for pk in candidates(clinic, family=family_name, given=given_name, dob=dob)
    ]
    with audit.keeping_record(system="system:search", purpose="emergency", action=Act.SEARCH):
        found = [
            patient.pk
            for patient in Patient.objects.filter(pk__in=likely, merged_into=None)
            if patient.dob == dob
            and sorted(fold(f"{patient.given_name} {patient.family_name}")) == words
        ]
    return Patient.objects.get(pk=found[0]) if len(found) == 1 else None


@transaction.atomic
def open_record(
    *, patient: Patient, kind: GrantKind, purpose: str, reason: str, by: User
) -> BreakGlassGrant:
    """Open a patient's record to somebody, in an emergency or for a privacy officer's look.

    Raises PermissionDenied unless they hold what it needs at the patient's clinic, and for a
    purpose of another kind.
    """
    if not may(by, NEEDS[kind], at=patient.clinic_id) or purpose not in PURPOSES[kind]:
        raise PermissionDenied
    grant = BreakGlassGrant.objects.create(
        user=by,
        patient=patient,
        kind=kind,
        purpose=purpose,
        reason=reason,
        granted_at=Now(),
        expires_at=Now() + LASTS[kind],
    )
    _write_down(grant, Act.EMERGENCY, by, changes={"purpose": ["", purpose]})
    if kind == GrantKind.EMERGENCY:
        transaction.on_commit(
            partial(async_task, "patients.emergency.tell_officers", str(grant.pk))
        )
    return BreakGlassGrant.objects.select_related("patient__clinic").get(pk=grant.pk)


@transaction.atomic
def end(*, grant: BreakGlassGrant, by: User) -> None:
    """Close a record that is open to this user; one that has closed by itself stays as it is."""
    ended = BreakGlassGrant.objects.live().filter(pk=grant.pk, user=by)
    if ended.update(expires_at=ClockTimestamp()):
        _write_down(grant, Act.UPDATE, by, fields=["expires_at"])


@transaction.atomic
def review(*, grant: BreakGlassGrant, verdict: str, note: str, by: User) -> None:
    """Write what a privacy officer makes of an emergency. Once: raises AlreadyReviewed.

    Raises PermissionDenied to whoever opened the record, and to officers of other clinics.
    """
    row = BreakGlassGrant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    if row.user_id == by.pk or not may(by, "view_audit", at=grant.patient.clinic_id):
        raise PermissionDenied
    if row.reviewed_at is not None:
        raise AlreadyReviewed
    row.verdict, row.note, row.reviewed_by = verdict, note, by
    row.reviewed_at = Now()
    row.save(update_fields=["verdict", "note", "reviewed_by", "reviewed_at"])
    _write_down(row, Act.REVIEW, by, fields=["verdict"])


def _write_down(
    grant: BreakGlassGrant,
    action: Act,
    by: User,
    *,
    fields: Sequence[str] = (),
    changes: dict[str, list[str]] | None = None,
) -> None:
    audit.record(
        action=action,
        patients=[grant.patient_id],
        about=grant,
        fields=fields,
        changes=changes,
        purpose=MARKS[GrantKind(grant.kind)],
        clinic=grant.patient.clinic,
        by=by,
    )


def tell_officers(grant_id: UUID | str) -> None:
    """Mail the clinic's privacy officers that there is an emergency to review: the worker's part.

    The mail says where and nothing of whom; the review queue has the row whether it arrives or
    not.
    """
    grant = BreakGlassGrant.objects.select_related("patient__clinic").get(pk=grant_id)
    clinic = grant.patient.clinic
    context = {"clinic": clinic.name, "url": settings.SITE_URL + reverse("emergency:reviews")}
    for officer in officers_of(clinic):
        send_mail(
            kind="emergency_opened",
            to=officer.email,
            language=settings.LANGUAGE_CODE,
            context=context,
        )


def officers_of(clinic: Clinic) -> list[User]:
    """Return the active people with an address who may see the clinic's audit."""
    people = User.objects.filter(
        is_active=True, memberships__clinic=clinic, memberships__is_active=True
    ).exclude(email="")
    return [one for one in people.distinct().order_by("pk") if may(one, "view_audit", at=clinic)]
