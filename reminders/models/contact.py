"""How patients want to be told, what they agreed to, and where nothing may be sent."""

from __future__ import annotations

from datetime import time
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patients.fields import SealedTextField
from patients.models import Patient
from patients.sealed import SealedRow
from providers.fields import UUIDModel
from reminders.kinds import Channel, Kind

QUIET_FROM, QUIET_UNTIL = time(21), time(8)


class OfPatientQuerySet(models.QuerySet[Any]):
    """Rows that belong to a patient, and are seen by whoever sees who that is."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(patient__in=Patient.objects.visible_to(user).values("pk"))


class ContactPreference(UUIDModel):
    """What a patient chose; without a row everything is on, and nights are quiet from 21 to 8.

    Language and zone stand in the patient's own record. `muted` are kinds of reminders.
    """

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, related_name="preference")
    email = models.BooleanField(_("e-mail"), default=True)
    sms = models.BooleanField(_("text messages"), default=True)
    push = models.BooleanField(_("notifications on this phone or computer"), default=True)
    quiet_from = models.TimeField(default=QUIET_FROM)
    quiet_until = models.TimeField(default=QUIET_UNTIL)
    muted = ArrayField(
        models.CharField(max_length=9, choices=[(k.value, k.value) for k in Kind]),
        default=list,
        blank=True,
    )
    updated_at = models.DateTimeField(auto_now=True)

    objects = OfPatientQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Preference {str(self.pk)[-8:]}"


class ConsentChange(UUIDModel):
    """One time that somebody said yes or no to a channel. Never changed, never removed."""

    class Source(models.TextChoices):
        PORTAL = "PORTAL", _("Patient, online")
        DESK = "DESK", _("Told the front desk")
        REPLY = "REPLY", _("Reply to a text")
        LINK = "LINK", _("Link in a message")
        VENDOR = "VENDOR", _("Reported by the carrier")

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="consent_changes")
    channel = models.CharField(max_length=5, choices=[(c.value, c.value) for c in Channel])
    given = models.BooleanField()
    source = models.CharField(max_length=6, choices=Source)
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(db_default=Now())

    objects = OfPatientQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"Consent {str(self.pk)[-8:]}"


class Suppression(SealedRow):
    """An address or number to which nothing automatic goes, whoever has it on file.

    It is kept sealed as well, so that its index can be written anew when the index key changes.
    """

    class Cause(models.TextChoices):
        STOP = "STOP", _("Replied STOP")
        CARRIER = "CARRIER", _("The carrier refuses it")
        BOUNCE = "BOUNCE", _("The address does not exist")
        COMPLAINT = "COMPLAINT", _("Marked as spam")
        UNSUBSCRIBED = "UNSUBSCRIBED", _("Unsubscribed by link")

    channel = models.CharField(max_length=5, choices=[(c.value, c.value) for c in Channel])
    recipient = SealedTextField()
    recipient_index = models.BinaryField(max_length=32)
    cause = models.CharField(max_length=12, choices=Cause)
    since = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="suppression_once",
                fields=["channel", "recipient_index"],
                condition=Q(lifted_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"Suppression {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> None:
        """Nobody's alone: a number may be a whole family's."""


class PushSubscription(SealedRow):
    """A browser in which a patient asked for notifications. Its address is a secret of theirs."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="devices")
    endpoint = SealedTextField()
    endpoint_digest = models.BinaryField(max_length=32, unique=True)
    p256dh = SealedTextField()
    auth = SealedTextField()
    language = models.CharField(max_length=35, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OfPatientQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Device {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID:
        return self.patient_id
