"""Time kept for somebody for a while, and keys that make a repeated request harmless."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.fields import SealedTextField
from patients.models import Patient
from patients.sealed import SealedRow
from providers.fields import ClockTimestamp, DateTimeRange, UUIDModel
from providers.models import Clinic, Provider, VisitType
from scheduling.models.appointment import Appointment


class SlotHoldQuerySet(models.QuerySet["SlotHold"]):
    def live(self) -> Self:
        return self.filter(expires_at__gt=ClockTimestamp())

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return one's own, and what a clinic's desk sees on its board."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        clinics = Clinic.objects.staffed_by(user, "manage_appointments")
        return self.filter(Q(clinic__in=clinics) | Q(patient__user=user))


class SlotHold(SealedRow):
    """A provider's time kept for one browser, caller, offer or undo until it expires."""

    class Purpose(models.TextChoices):
        CHECKOUT = "CHECKOUT", _("Being booked online")
        PHONE = "PHONE", _("On the phone")
        OFFER = "OFFER", _("Offered to the waitlist")
        UNDO = "UNDO", _("Can be undone")

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="holds")
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    visit_type = models.ForeignKey(
        VisitType, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    visit_start = models.DateTimeField()
    visit_end = models.DateTimeField()
    busy = DateTimeRangeField()
    purpose = models.CharField(max_length=8, choices=Purpose)
    holder = models.CharField(max_length=64, help_text=_("Digest of the browser, or a user's id."))
    network = models.CharField(max_length=64, blank=True, default="")
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, null=True, blank=True, related_name="holds"
    )
    expires_at = models.DateTimeField()
    extensions = models.PositiveSmallIntegerField(default=0)
    draft = SealedTextField(blank=True, default="", help_text=_("Half-typed details, as JSON."))

    objects = SlotHoldQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["holder"], name="hold_by_holder"),
            models.Index(fields=["expires_at"], name="hold_by_expiry"),
        ]
        constraints = [
            models.CheckConstraint(
                name="hold_busy_holds_visit",
                condition=Q(busy__contains=DateTimeRange(F("visit_start"), F("visit_end")))
                & Q(visit_end__gt=F("visit_start")),
            ),
            models.CheckConstraint(
                name="hold_extended_at_most_ten_times", condition=Q(extensions__lte=10)
            ),
        ]

    def __str__(self) -> str:
        return f"Hold {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID | None:
        """Whose data the draft holds, if they are on file already."""
        return self.patient_id


class IdempotencyKey(UUIDModel):
    """The outcome of a request, so that sending it twice does it once."""

    actor = models.CharField(max_length=64)
    key = models.CharField(max_length=64)
    request_digest = models.BinaryField(max_length=32)
    outcome = models.JSONField(default=dict)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor", "key"], name="idempotency_key_once")
        ]

    def __str__(self) -> str:
        return f"Key {str(self.pk)[-8:]}"
