"""What the record system leaves for people: conflicts, patients to be found, tasks."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from emr.kinds import ConflictKind, TaskKind
from emr.models.connection import EMRConnection
from emr.models.outbound import OfConnectionQuerySet
from patients.fields import SealedTextField
from patients.models import Patient
from patients.sealed import SealedRow
from providers.fields import UUIDModel
from providers.models import Clinic, Provider
from scheduling.models import Appointment


class Work(models.Model):
    """What is open until somebody closed it."""

    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        abstract = True


class SyncConflict(Work, SealedRow):
    """Both sides say something else, and no rule decides.

    `sides` is sealed JSON: {"ours": {...}, "theirs": {...}, "base": {...}} as `emr.standings`
    writes them, or columns of a patient's record.
    """

    class Resolution(models.TextChoices):
        OURS = "OURS", _("Kept ours")
        THEIRS = "THEIRS", _("Took theirs")
        SETTLED = "SETTLED", _("Settled by itself")

    connection = models.ForeignKey(
        EMRConnection, on_delete=models.CASCADE, related_name="conflicts"
    )
    kind = models.CharField(max_length=12, choices=[(one.value, one.value) for one in ConflictKind])
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="emr_conflicts"
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="emr_conflicts"
    )
    resource_type = models.CharField(max_length=40, blank=True, default="")
    resource_id = models.CharField(max_length=64, blank=True, default="")
    version_id = models.CharField(max_length=64, blank=True, default="")
    sides = SealedTextField()
    resolution = models.CharField(max_length=7, choices=Resolution, blank=True, default="")

    objects = OfConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="emr_conflict_open_once",
                fields=["connection", "resource_type", "resource_id", "kind"],
                condition=Q(closed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"Conflict {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID | None:
        return self.patient_id


class PatientMatch(Work, SealedRow):
    """A patient of ours whom the record system knows not at all, or not for certain.

    `candidates` is sealed JSON: a list of what the other side told of each (`emr.people`).
    """

    class Result(models.TextChoices):
        LINKED = "LINKED", _("Linked")
        CREATED = "CREATED", _("Made there")
        LEFT = "LEFT", _("Left alone")

    connection = models.ForeignKey(EMRConnection, on_delete=models.CASCADE, related_name="matches")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="emr_matches")
    candidates = SealedTextField(default="[]")
    result = models.CharField(max_length=7, choices=Result, blank=True, default="")

    objects = OfConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = "unmatched patient"
        constraints = [
            models.UniqueConstraint(
                name="emr_match_open_once",
                fields=["connection", "patient"],
                condition=Q(closed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"Match {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID:
        return self.patient_id


class EMRTaskQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the desk's tasks to the desk, and a provider's own to the provider."""
        if not user.is_authenticated:
            return self.none()
        desk = Clinic.objects.staffed_by(user, "manage_appointments")
        own = Clinic.objects.staffed_by(user, "view_own_schedule")
        return self.filter(
            Q(clinic__in=desk) | Q(clinic__in=own, provider__user=user, provider__isnull=False)
        )


class EMRTask(Work, UUIDModel):
    """Something for a person to do. Points at a resource; holds no clinical value.

    Without a provider it is the desk's.
    """

    connection = models.ForeignKey(EMRConnection, on_delete=models.CASCADE, related_name="tasks")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=[(one.value, one.value) for one in TaskKind])
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="emr_tasks"
    )
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="emr_tasks"
    )
    resource_type = models.CharField(max_length=40, blank=True, default="")
    resource_id = models.CharField(max_length=64, blank=True, default="")

    objects = EMRTaskQuerySet.as_manager()

    class Meta:
        verbose_name = "EMR task"
        constraints = [
            models.UniqueConstraint(
                name="emr_task_once",
                fields=["connection", "kind", "resource_type", "resource_id"],
                condition=~Q(resource_id=""),
            ),
            models.UniqueConstraint(
                name="emr_task_of_visit_open_once",
                fields=["connection", "kind", "appointment"],
                condition=Q(resource_id="", closed_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                name="emr_task_open",
                fields=["clinic", "opened_at"],
                condition=Q(closed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"Task {str(self.pk)[-8:]}"
