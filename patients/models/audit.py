"""The record of every look at, and change of, what patients told us: one row for each act.

Rows are written through the database's own `daysheet_record` and never again touched: triggers
give each its time and its transaction, and refuse every change. References have no constraint in
the database: the record outlives what it names, and writing it locks nobody's row.
"""

from __future__ import annotations

from typing import Self
from uuid import UUID

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from providers.fields import TransactionIdField
from providers.models import Clinic


class Act(models.IntegerChoices):
    """What was done. The first four are the audit library's own."""

    CREATE = 0, _("Added")
    UPDATE = 1, _("Changed")
    DELETE = 2, _("Removed")
    ACCESS = 3, _("Seen")
    SEARCH = 4, _("Searched")
    EXPORT = 5, _("Exported")
    PRINT = 6, _("Printed")
    SEND = 7, _("Sent")
    SIGN_IN = 8, _("Sign-in")
    SHARE = 9, _("Shared")
    EMERGENCY = 10, _("Emergency access")
    MERGE = 11, _("Merged")
    REVIEW = 12, _("Reviewed")


class Outcome(models.TextChoices):
    DONE = "DONE", _("Done")
    DENIED = "DENIED", _("Denied")
    FAILED = "FAILED", _("Failed")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def at_clinics(self, clinics: list[Clinic]) -> Self:
        """Return what was done at some clinics."""
        return self.filter(clinic__in=clinics)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return what a privacy officer reads: what was done at the own clinics, and own acts.

        Patients read of their own record what their page words for them.
        """
        if not (user.is_authenticated and user.is_active):
            return self.none()
        clinics = Clinic.objects.staffed_by(user, "view_audit")
        return self.filter(Q(clinic__in=clinics) | Q(actor=user))

    def about(self, patient: UUID) -> Self:
        """Return the rows that name a patient."""
        return self.filter(patient_ids__contains=[patient])


class AuditEntry(AbstractLogEntry):  # type: ignore[misc]  # untyped library
    """One look at, or change of, what patients told us: who, what, why and how it ended."""

    content_type = models.ForeignKey(
        ContentType,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    object_pk = models.CharField(max_length=255, blank=True, default="")
    object_id = models.BigIntegerField(null=True, blank=True)
    object_repr = models.TextField(blank=True, default="")
    action = models.PositiveSmallIntegerField(choices=Act)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    cid = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  # the library's
    timestamp = models.DateTimeField(db_default=Now(), editable=False)

    system_actor = models.CharField(max_length=60, blank=True, default="")
    role = models.CharField(max_length=100, blank=True, default="")
    clinic = models.ForeignKey(
        Clinic,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    page = models.CharField(max_length=100, blank=True, default="")
    purpose = models.CharField(max_length=40, blank=True, default="")
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.DONE)
    request_id = models.CharField(max_length=64, blank=True, default="")
    browser = models.CharField(max_length=64, blank=True, default="")
    patient_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    field_names = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    written_in = TransactionIdField(editable=False)
    written_on = models.BigIntegerField(editable=False, help_text=_("The cluster that counted."))

    objects = LogEntryManager.from_queryset(AuditEntryQuerySet)()

    class Meta(AbstractLogEntry.Meta):  # type: ignore[misc]
        ordering = ["-timestamp", "-id"]
        indexes = [
            GinIndex(fields=["patient_ids"], name="audit_by_patient"),
            models.Index(fields=["actor", "timestamp"], name="audit_by_actor"),
            models.Index(fields=["clinic", "timestamp"], name="audit_by_clinic"),
            models.Index(fields=["written_on", "written_in", "id"], name="audit_by_writing"),
        ]
        constraints = [
            models.CheckConstraint(
                name="audit_names_an_actor",
                condition=Q(actor__isnull=False) | ~Q(system_actor=""),
            ),
            models.CheckConstraint(
                name="audit_outcome_known", condition=Q(outcome__in=[o.value for o in Outcome])
            ),
        ]

    def __str__(self) -> str:
        return f"Audit entry {self.pk}"
