"""Which reports of a vendor's were taken already, so that a replay changes nothing."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from providers.fields import UUIDModel


class VendorReport(UUIDModel):
    """One report, by the vendor's own id for it; kept as long as a report could come again."""

    vendor = models.CharField(max_length=12)
    event_id = models.CharField(max_length=160)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="vendor_report_once", fields=["vendor", "event_id"])
        ]
        indexes = [models.Index(name="vendor_report_age", fields=["received_at"])]

    def __str__(self) -> str:
        return f"Report {str(self.pk)[-8:]}"
