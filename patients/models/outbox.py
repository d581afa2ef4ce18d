"""Where the outboxes may run: at the one database that a person has declared the clinic's own."""

from __future__ import annotations

from django.db import models


class OutboxHome(models.Model):
    """The single row that names the clinic's database. In a copy of it, restored or cloned, the
    names no longer fit, and nothing is sent until a person says that the copy is the clinic's now.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    cluster = models.BigIntegerField(help_text="The server's system identifier.")
    database = models.BigIntegerField(help_text="The database's object id in that server.")
    held_since = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="one_outbox_home", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return "Outbox home"
