"""What is to be sent: the reminders of a visit's cadence, and notices of what happened.

Rows are written in the transaction of what they tell of. Knows no vendor and no address.
"""

from __future__ import annotations

from typing import Any, Self

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from patients.models import OneTimeCode, Patient
from providers.fields import UUIDModel
from providers.models import Clinic
from reminders.kinds import Channel, Kind, NoticeKind, Standing, Why
from reminders.models.delivery import Delivery
from scheduling.models import Appointment, WaitlistOffer

PLANNED = Q(standing=Standing.PLANNED.value)


def choices(*values: Any) -> list[tuple[str, str]]:
    """Return a column's choices; their words for people are the presenters'."""
    return [(value.value, value.value) for value in values]


class Planned(UUIDModel):
    """One message to be: `due_at` is the earliest, `not_after` the latest instant for it.

    A delivery carries one or several of these, of one patient by one channel.
    """

    channel = models.CharField(max_length=5, choices=choices(*Channel))
    due_at = models.DateTimeField()
    not_after = models.DateTimeField()
    standing = models.CharField(
        max_length=7, choices=choices(*Standing), default=Standing.PLANNED.value
    )
    why = models.CharField(max_length=13, choices=choices(*Why), blank=True, default="")
    delivery = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, null=True, related_name="%(class)ss"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class ReminderQuerySet(models.QuerySet["Reminder"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the reminders of the visits that this user sees."""
        return self.filter(appointment__in=Appointment.objects.visible_to(user).values("pk"))


class Reminder(Planned):
    """One message of a visit's cadence, for the time that the visit had at `sequence`."""

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="reminders")
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=9, choices=choices(*Kind))

    objects = ReminderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="reminder_once", fields=["appointment", "sequence", "kind", "channel"]
            ),
            models.CheckConstraint(
                name="reminder_taken_has_delivery",
                condition=Q(delivery__isnull=True) | ~PLANNED,
            ),
        ]
        indexes = [models.Index(name="reminder_due", fields=["due_at", "id"], condition=PLANNED)]

    def __str__(self) -> str:
        return f"{self.kind} {self.channel} {str(self.pk)[-8:]}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the notices of visits that this user sees, and to patients of theirs."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(
            Q(appointment__in=Appointment.objects.visible_to(user).values("pk"))
            | Q(appointment=None, patient__in=Patient.objects.visible_to(user).values("pk"))
        )


class Notice(Planned):
    """One message that is no reminder. `subject` names what it tells of, so that it is told once:
    an event, an offer, a code. `details` holds ids and digests, nothing about the patient."""

    kind = models.CharField(max_length=12, choices=choices(*NoticeKind))
    subject = models.CharField(max_length=80)
    clinic = models.ForeignKey(
        Clinic, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    sequence = models.PositiveIntegerField(default=0)
    offer = models.ForeignKey(
        WaitlistOffer, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    code = models.ForeignKey(
        OneTimeCode, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    language = models.CharField(max_length=35, blank=True, default="")
    details = models.JSONField(default=dict)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="notice_once", fields=["kind", "subject", "channel"]),
            models.CheckConstraint(
                name="notice_taken_has_delivery", condition=Q(delivery__isnull=True) | ~PLANNED
            ),
        ]
        indexes = [models.Index(name="notice_due", fields=["due_at", "id"], condition=PLANNED)]

    def __str__(self) -> str:
        return f"{self.kind} {self.channel} {str(self.pk)[-8:]}"
