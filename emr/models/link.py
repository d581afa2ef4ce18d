"""Which of our rows another system knows under which id, and what both sides last agreed on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from providers.fields import UUIDModel


class EMRLink(UUIDModel):
    """One resource of another system and the row it became, with digests of what was read.

    `digest` covers all that was read; `part_digests` each part alone, so that a change at the
    source is told from a change made here. `changed_at` is when the source says it changed.
    `version_id` is the other side's own version (FHIR meta.versionId or ETag) as last seen;
    `agreed` a visit's standing when both sides last agreed (`emr.standings`), at `agreed_version`
    of ours. A link that `ended_at` an instant was replaced by another.
    """

    source_system = models.CharField(max_length=255)
    resource_type = models.CharField(max_length=40)
    resource_id = models.CharField(max_length=64)
    local_model = models.CharField(max_length=40)
    local_id = models.UUIDField()
    digest = models.BinaryField(max_length=32)
    part_digests = models.JSONField(default=dict)
    changed_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(auto_now=True)
    version_id = models.CharField(max_length=64, blank=True, default="")
    agreed = models.JSONField(default=dict, blank=True)
    agreed_version = models.PositiveIntegerField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "EMR link"
        constraints = [
            models.UniqueConstraint(
                fields=["source_system", "resource_type", "resource_id"], name="emr_link_once"
            ),
            models.UniqueConstraint(
                fields=["source_system", "resource_type", "local_id"],
                name="emr_link_of_visit_once",
                condition=Q(
                    resource_type__in=["Appointment", "DocumentReference"], ended_at__isnull=True
                ),
            ),
        ]
        indexes = [models.Index(fields=["local_model", "local_id"], name="emr_link_by_row")]

    def __str__(self) -> str:
        return f"{self.resource_type}/{self.resource_id}"
