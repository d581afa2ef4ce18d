"""What messages leave for people to do: calls to make, and texts that only a person can answer."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patients.fields import SealedTextField
from patients.models import Patient
from patients.sealed import SealedRow
from providers.fields import UUIDModel
from providers.models import Clinic
from reminders.kinds import CallReason, Meaning
from scheduling.models import Appointment


class CallItemQuerySet(models.QuerySet["CallItem"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the calls of the clinics whose desk this user works at."""
        return self.filter(clinic__in=Clinic.objects.staffed_by(user, "manage_appointments"))


class CallItem(UUIDModel):
    """Somebody should be called about a visit, for one reason, until that was done."""

    class Result(models.TextChoices):
        CONFIRMED = "CONFIRMED", _("Will come")
        CHANGED = "CHANGED", _("Moved or cancelled")
        REACHED = "REACHED", _("Reached, nothing changed")
        NOT_REACHED = "NOT_REACHED", _("Could not be reached")
        SETTLED = "SETTLED", _("No longer needed")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="calls")
    reason = models.CharField(max_length=13, choices=[(r.value, r.value) for r in CallReason])
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=11, choices=Result, blank=True, default="")

    objects = CallItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="call_open_once",
                fields=["appointment", "reason"],
                condition=Q(closed_at__isnull=True),
            )
        ]
        indexes = [
            models.Index(
                name="call_open", fields=["clinic", "opened_at"], condition=Q(closed_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"Call {str(self.pk)[-8:]}"


class CallAttemptQuerySet(models.QuerySet["CallAttempt"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(item__in=CallItem.objects.visible_to(user).values("pk"))


class CallAttempt(SealedRow):
    """One call that was made, and what came of it."""

    class Outcome(models.TextChoices):
        CONFIRMED = "CONFIRMED", _("Will come")
        WANTS_CHANGE = "WANTS_CHANGE", _("Wants another time")
        CANCELS = "CANCELS", _("Will not come")
        LEFT_MESSAGE = "LEFT_MESSAGE", _("Left a message")
        NO_ANSWER = "NO_ANSWER", _("No answer")
        WRONG_NUMBER = "WRONG_NUMBER", _("Wrong number")

    item = models.ForeignKey(CallItem, on_delete=models.CASCADE, related_name="attempts")
    outcome = models.CharField(max_length=12, choices=Outcome)
    note = SealedTextField(blank=True, default="")
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(db_default=Now())

    objects = CallAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"Call made {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID:
        return self.item.appointment.patient_id


class InboundTextQuerySet(models.QuerySet["InboundText"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the texts to the clinics whose desk this user works at."""
        return self.filter(clinic__in=Clinic.objects.staffed_by(user, "manage_appointments"))

    def waiting(self) -> Self:
        return self.filter(needs_staff=True, handled_at=None)


class InboundText(SealedRow):
    """A text that came in, once for each id of the vendor's."""

    vendor = models.CharField(max_length=12)
    vendor_id = models.CharField(max_length=120)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, null=True, related_name="+")
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="texts"
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    sender = SealedTextField()
    body = SealedTextField(blank=True, default="")
    meaning = models.CharField(max_length=7, choices=[(m.value, m.value) for m in Meaning])
    needs_staff = models.BooleanField(default=False)
    received_at = models.DateTimeField(db_default=Now())
    handled_at = models.DateTimeField(null=True, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = InboundTextQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="inbound_text_once", fields=["vendor", "vendor_id"])
        ]
        indexes = [
            models.Index(
                name="inbound_waiting",
                fields=["clinic", "received_at"],
                condition=Q(needs_staff=True, handled_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"Text {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID | None:
        """Whose words these are, where exactly one patient has the number."""
        return self.patient_id
