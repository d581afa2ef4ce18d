"""Lets a provider share the record of an own patient with a colleague of the clinic, for a while.

Guardian's row says that it was shared, the care relationship until when; each without the other
opens nothing. Notes are never shared.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from guardian.shortcuts import assign_perm, remove_perm

from patients.models import CareRelationship, Patient
from patients.models.audit import Act
from patients.models.people import SHARED_RECORD
from patients.privacy import audit
from patients.privacy.access import may
from providers.models import Provider

SHARED = CareRelationship.Kind.SHARED
LONGEST = timedelta(days=90)


class NoColleague(Exception):
    """A record is shared with another provider of the own clinic who can sign in, or not at all."""


def own_ties(user: User) -> QuerySet[CareRelationship]:
    """Return the live ties that make somebody a user's own patient; shared ones are not theirs."""
    ties: QuerySet[CareRelationship] = CareRelationship.objects.opened_to(user).exclude(kind=SHARED)
    return ties


def shares_of(patient: Patient) -> QuerySet[CareRelationship]:
    """Return with whom a record is shared now, by name."""
    live = CareRelationship.objects.live().filter(patient=patient, kind=SHARED)
    return live.select_related("provider").order_by("provider__name")


def colleagues(user: User) -> QuerySet[Provider]:
    """Return with whom this user may share: providers at the own clinic with a role there."""
    here = Provider.objects.filter(user=user).values("clinic")
    return Provider.objects.filter(
        clinic__in=here,
        user__is_active=True,
        user__memberships__clinic__in=here,
        user__memberships__role="PROVIDER",
        user__memberships__is_active=True,
    ).exclude(user=user)


@transaction.atomic
def share(
    *, patient: Patient, colleague: Provider, until: datetime, by: User, now: datetime
) -> CareRelationship:
    """Open the record of an own patient to a colleague until an instant at most 90 days away.

    Sharing again moves the end. Raises PermissionDenied for a patient who is not one's own, and
    NoColleague.
    """
    own = own_ties(by).filter(patient=patient).select_related("provider").first()
    if own is None or not may(by, "share_records", at=own.provider.clinic_id):
        raise PermissionDenied
    if not now < until <= now + LONGEST:
        raise ValueError("A record is shared for a while that has an end.")
    if colleague.user is None or not colleagues(by).filter(pk=colleague.pk).exists():
        raise NoColleague
    tie, _is_new = CareRelationship.objects.update_or_create(
        patient=patient,
        provider=colleague,
        kind=SHARED,
        defaults={"until": until},
        create_defaults={"since": now, "until": until},
    )
    assign_perm(SHARED_RECORD, colleague.user, patient)
    audit.record(action=Act.SHARE, patients=[patient.pk], about=tie, purpose="share", by=by)
    return tie


@transaction.atomic
def stop_sharing(*, tie: CareRelationship, by: User, now: datetime) -> None:
    """End a share at once. Raises PermissionDenied to all but a provider of the patient's own."""
    if tie.kind != SHARED or not own_ties(by).filter(patient=tie.patient_id).exists():
        raise PermissionDenied
    tie.until = now
    tie.save(update_fields=["until"])
    if tie.provider.user is not None:
        remove_perm(SHARED_RECORD, tie.provider.user, tie.patient)
    audit.record(
        action=Act.SHARE,
        patients=[tie.patient_id],
        about=tie,
        fields=["until"],
        purpose="share_ended",
        by=by,
    )
