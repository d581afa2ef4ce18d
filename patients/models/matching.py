"""Records that may be one person's, and records that were joined: ids, codes and who decided."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User as Account
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.fields import SealedTextField
from patients.models.people import Patient
from patients.sealed import SealedRow
from providers.fields import UUIDModel
from providers.models import Clinic

User = Account | AnonymousUser
MAY_JOIN = "manage_patients"


class MatchCandidateQuerySet(models.QuerySet["MatchCandidate"]):
    def visible_to(self, user: User) -> Self:
        """Return the pairs at the clinics where this user keeps the patients' records."""
        return self.filter(clinic__in=Clinic.objects.staffed_by(user, MAY_JOIN))

    def waiting(self) -> Self:
        """Return the pairs that nobody has decided on and that still are two records."""
        return self.filter(
            state=MatchCandidate.State.OPEN, one__merged_into=None, other__merged_into=None
        )

    def of(self, one: UUID, other: UUID) -> Self:
        """Return the pair of two records, in whatever order they come."""
        first, second = sorted((one, other))
        return self.filter(one=first, other=second)


class MatchCandidate(UUIDModel):
    """Two records of a clinic that may be one person's; `one` has the lower id.

    `reasons` are codes of `matching.Reason`, without what the records say.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", _("To be looked at")
        MERGED = "MERGED", _("Joined")
        DISTINCT = "DISTINCT", _("Different people")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    one = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    chance = models.FloatField(help_text=_("That both are one person, from 0 to 1."))
    band = models.CharField(max_length=8)
    reasons = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MatchCandidateQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["clinic", "-chance"], name="match_waiting", condition=Q(state="OPEN")
            )
        ]
        constraints = [
            models.UniqueConstraint(name="match_pair_once", fields=["one", "other"]),
            models.CheckConstraint(name="match_pair_in_order", condition=Q(one__lt=F("other"))),
            models.CheckConstraint(
                name="match_decided_by_somebody",
                condition=Q(state="OPEN", decided_by=None, decided_at=None)
                | (~Q(state="OPEN") & Q(decided_by__isnull=False, decided_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"Pair {str(self.pk)[-8:]}"


class PatientMergeQuerySet(models.QuerySet["PatientMerge"]):
    def visible_to(self, user: User) -> Self:
        """Return the joined records at the clinics where this user keeps the patients' records."""
        return self.filter(clinic__in=Clinic.objects.staffed_by(user, MAY_JOIN))

    def standing(self) -> Self:
        """Return those that were not taken apart again."""
        return self.filter(undone_at=None)


class PatientMerge(SealedRow):
    """One record joined into another, with all that is needed to take them apart again.

    `moved` are the ids of the rows that changed hands, by model: {"scheduling.appointment": [...]}.
    `changes` is JSON of the values that were replaced (`repointing.Changed`).
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    keep = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merges")
    away = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField(default=dict)
    changes = SealedTextField(default="[]")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = PatientMergeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="patient_merged_once", fields=["away"], condition=Q(undone_at=None)
            ),
            models.CheckConstraint(name="merge_of_two", condition=~Q(keep=F("away"))),
            models.CheckConstraint(
                name="merge_undone_by_somebody",
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Joined {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID:
        """Whose data the sealed column holds."""
        return self.keep_id
