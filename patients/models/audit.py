"""The record of every look at, and change of, what patients told us."""

from __future__ import annotations

from auditlog.models import AbstractLogEntry
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from providers.fields import TransactionIdField


class AuditEntry(AbstractLogEntry):  # type: ignore[misc]  # untyped library
    """One look at, or change of, what patients told us: who, what, why and how it ended."""

    role = models.CharField(max_length=20, blank=True, default="")
    system_actor = models.CharField(max_length=60, blank=True, default="")
    purpose = models.CharField(max_length=40, blank=True, default="")
    outcome = models.CharField(max_length=20, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    patient_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    field_names = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    written_in = TransactionIdField(null=True)

    class Meta(AbstractLogEntry.Meta):  # type: ignore[misc]
        indexes = [GinIndex(fields=["patient_ids"], name="audit_by_patient")]

    def __str__(self) -> str:
        return f"Audit entry {self.pk}"
