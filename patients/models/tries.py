"""How often something was asked for or tried, under digests that name nobody."""

from __future__ import annotations

from django.db import models


class TryCount(models.Model):
    """The count of one window of one limit; its key is a digest of who tries what and when."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} tries until {self.ends_at}"
