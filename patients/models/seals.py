"""What proves the audit: the signed seals, and what the verifications of it found."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from patients.chain import Head, Place, columns_digest
from providers.fields import UUIDModel


class AuditSeal(models.Model):
    """One batch of audit rows: their ids and digests, and the signature over them all.

    A trigger refuses every change; only the sealer's database role may add one.
    """

    number = models.BigIntegerField(primary_key=True)
    previous = models.BinaryField(max_length=32, unique=True)
    cluster = models.BigIntegerField()
    timeline = models.IntegerField()
    columns = ArrayField(models.TextField())
    through_in = models.BigIntegerField()
    through_id = models.BigIntegerField()
    first_id = models.BigIntegerField()
    rows = models.IntegerField()
    total = models.BigIntegerField()
    entries = models.BinaryField()
    entries_digest = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()
    key = models.CharField(max_length=40)
    signature = models.BinaryField(max_length=64)

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["cluster", "number"], name="seal_by_cluster")]
        constraints = [
            models.CheckConstraint(
                name="seal_covers_rows", condition=models.Q(number__gte=1, rows__gte=1)
            )
        ]

    def __str__(self) -> str:
        return f"Seal {self.number}"

    @property
    def through(self) -> Place:
        return Place(self.through_in, self.through_id)

    def head(self) -> Head:
        """Return what was signed, put together from the columns as they stand."""
        return Head(
            number=self.number,
            previous=bytes(self.previous).hex(),
            cluster=self.cluster,
            timeline=self.timeline,
            columns=columns_digest(self.columns),
            through=self.through,
            first=self.first_id,
            rows=self.rows,
            total=self.total,
            entries=bytes(self.entries_digest).hex(),
            sealed_at=self.sealed_at.isoformat(timespec="microseconds"),
            key=self.key,
        )

    @classmethod
    def of(cls, head: Head, *, columns: list[str], entries: bytes, signature: bytes) -> Self:
        """Return the row of a head that has just been signed."""
        return cls(
            number=head.number,
            previous=bytes.fromhex(head.previous),
            cluster=head.cluster,
            timeline=head.timeline,
            columns=columns,
            through_in=head.through.transaction,
            through_id=head.through.row,
            first_id=head.first,
            rows=head.rows,
            total=head.total,
            entries=entries,
            entries_digest=hashlib.sha256(entries).digest(),
            sealed_at=datetime.fromisoformat(head.sealed_at),
            key=head.key,
            signature=signature,
        )


class AuditVerification(UUIDModel):
    """One look at whether the record is as it was sealed: asked for, then answered by the worker.

    Kept for the privacy officer. It proves nothing by itself: who can rewrite the record can write
    here too, and the command that asks anew cannot be talked out of it.
    """

    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True)
    is_intact = models.BooleanField(null=True)
    damage = models.CharField(max_length=20, blank=True, default="")
    finding = models.TextField(blank=True, default="")
    bad_row = models.BigIntegerField(null=True)
    bad_seal = models.BigIntegerField(null=True)
    rows = models.BigIntegerField(default=0)
    seals = models.BigIntegerField(default=0)
    unsealed = models.BigIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"Verification {str(self.pk)[-8:]}"
