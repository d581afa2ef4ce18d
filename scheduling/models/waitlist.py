"""Freed time, who waits for some, and what was offered to whom."""

from __future__ import annotations

from typing import Self

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models import CareRelationship, Patient
from providers.fields import UUIDModel
from providers.models import Clinic, Provider, Specialty, VisitType
from scheduling.models.appointment import Appointment


class Opening(UUIDModel):
    """Time that came free, written in the transaction that freed it so that none is forgotten."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("Open")
        FILLED = "FILLED", _("Filled")
        CLOSED = "CLOSED", _("Closed")

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="openings")
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    span = DateTimeRangeField()
    cause = models.CharField(max_length=12)
    round = models.PositiveSmallIntegerField(default=0)
    policy = models.CharField(max_length=12, default="SEQUENTIAL")
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    not_before = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="opening_not_empty", condition=Q(span__isempty=False))
        ]

    def __str__(self) -> str:
        return f"Opening {str(self.pk)[-8:]}"


class WaitlistEntryQuerySet(models.QuerySet["WaitlistEntry"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return one's own, one's own patients' as their provider, and the desk's.

        A shared record's entries are not shared with it.
        """
        if not (user.is_authenticated and user.is_active):
            return self.none()
        own = CareRelationship.objects.opened_to(user).exclude(kind=CareRelationship.Kind.SHARED)
        return self.filter(
            Q(clinic__in=Clinic.objects.staffed_by(user, "manage_appointments"))
            | Q(patient__in=own.values("patient"))
            | Q(patient__user=user)
        )


class WaitlistEntry(UUIDModel):
    """What a patient would take, should it come free."""

    class Status(models.TextChoices):
        WAITING = "WAITING", _("Waiting")
        PAUSED = "PAUSED", _("Paused")
        BOOKED = "BOOKED", _("Booked")
        LEFT = "LEFT", _("Left")
        EXPIRED = "EXPIRED", _("Expired")

    class Urgency(models.TextChoices):
        ROUTINE = "ROUTINE", _("Routine")
        URGENT = "URGENT", _("Urgent")

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="waitlist_entries")
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, null=True, blank=True)
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, null=True, blank=True)
    appointment_type = models.ForeignKey(VisitType, on_delete=models.PROTECT, related_name="+")
    earliest_desired_date = models.DateField()
    latest_date = models.DateField(null=True, blank=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    after_time = models.TimeField(null=True, blank=True)
    before_time = models.TimeField(null=True, blank=True)
    minimum_notice_minutes = models.PositiveIntegerField(default=120)
    urgency = models.CharField(max_length=7, choices=Urgency, default=Urgency.ROUTINE)
    is_existing_patient = models.BooleanField(default=False)
    replaces = models.ForeignKey(
        Appointment, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WaitlistEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("waitlist entries")
        constraints = [
            models.CheckConstraint(
                name="waitlist_provider_or_specialty",
                condition=Q(provider__isnull=False) | Q(specialty__isnull=False),
            ),
            models.CheckConstraint(
                name="waitlist_dates_in_order",
                condition=Q(latest_date__isnull=True)
                | Q(latest_date__gte=F("earliest_desired_date")),
            ),
        ]

    def __str__(self) -> str:
        return f"Waitlist entry {str(self.pk)[-8:]}"


class WaitlistOfferQuerySet(models.QuerySet["WaitlistOffer"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(entry__in=WaitlistEntry.objects.visible_to(user).values("pk"))


class WaitlistOffer(UUIDModel):
    """One opening offered to one entry, until a deadline."""

    class Status(models.TextChoices):
        OFFERED = "OFFERED", _("Offered")
        CLAIMED = "CLAIMED", _("Claimed")
        EXPIRED = "EXPIRED", _("Expired")
        DECLINED = "DECLINED", _("Declined")
        GONE = "GONE", _("Gone")

    entry = models.ForeignKey(WaitlistEntry, on_delete=models.CASCADE, related_name="offers")
    opening = models.ForeignKey(Opening, on_delete=models.CASCADE, related_name="offers")
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status, default=Status.OFFERED)
    token_digest = models.BinaryField(max_length=32, unique=True)

    objects = WaitlistOfferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "opening"], name="offer_once_per_opening"),
            models.UniqueConstraint(
                fields=["opening"],
                condition=Q(status="CLAIMED"),
                name="opening_claimed_once",
            ),
        ]

    def __str__(self) -> str:
        return f"Offer {str(self.pk)[-8:]}"
