"""Freed time, who waits for some, and what was offered to whom."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models import CareRelationship, Patient
from providers.fields import UUIDModel
from providers.models import Clinic, Provider, Specialty, VisitType
from scheduling.models.appointment import Appointment


class Mode(models.TextChoices):
    """How freed time is offered: to nobody, to one after the other, or to several at once."""

    OFF = "OFF", _("Do not offer")
    SEQUENTIAL = "SEQUENTIAL", _("One after the other")
    OVERLAPPING = "OVERLAPPING", _("Several at once")


class WaitlistPolicy(UUIDModel):
    """How a clinic offers freed time; a row for a visit type goes before the clinic's own.

    An offer is exclusive for `window_minutes` where offers follow each other, and never for less
    than `shortest_window_minutes`. Where they overlap, the time that is left when the opening came
    up, divided by `spacing_divisor`, lies between two of them, within the bounds.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="waitlist_policies")
    visit_type = models.ForeignKey(
        VisitType, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    mode = models.CharField(max_length=11, choices=Mode, default=Mode.SEQUENTIAL)
    window_minutes = models.PositiveSmallIntegerField(
        default=120, validators=[MinValueValidator(10), MaxValueValidator(1_440)]
    )
    shortest_window_minutes = models.PositiveSmallIntegerField(
        default=15, validators=[MinValueValidator(5), MaxValueValidator(240)]
    )
    spacing_divisor = models.PositiveSmallIntegerField(
        default=48, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )
    shortest_spacing_minutes = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    longest_spacing_minutes = models.PositiveSmallIntegerField(
        default=120, validators=[MinValueValidator(1), MaxValueValidator(1_440)]
    )
    most_offers_a_day = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("To one patient, by the clinic's calendar."),
    )

    class Meta:
        verbose_name_plural = _("waitlist policies")
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "visit_type"],
                nulls_distinct=False,
                name="waitlist_policy_once",
            ),
            models.CheckConstraint(
                name="waitlist_windows_in_order",
                condition=Q(window_minutes__gte=F("shortest_window_minutes")),
            ),
            models.CheckConstraint(
                name="waitlist_spacings_in_order",
                condition=Q(longest_spacing_minutes__gte=F("shortest_spacing_minutes"))
                & Q(spacing_divisor__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clinic}: {self.visit_type or _('all visits')}"


class Opening(UUIDModel):
    """Time that came free, written in the transaction that freed it so that none is forgotten.

    `span` has the buffers in it. `next_at` is when somebody should look at it again; `round` counts
    what was decided, so that two who decide at once do not both write it.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", _("Open")
        FILLED = "FILLED", _("Filled")
        CLOSED = "CLOSED", _("Closed")

    class Cause(models.TextChoices):
        CANCEL = "CANCEL", _("Cancelled")
        RELEASE = "RELEASE", _("Not confirmed")
        MOVE = "MOVE", _("Moved")
        LEAVE = "LEAVE", _("Time off taken back")
        HOURS = "HOURS", _("More hours")
        REST = "REST", _("Left over")
        DESK = "DESK", _("Chosen by the desk")

    class Ended(models.TextChoices):
        CLAIMED = "CLAIMED", _("Taken by a patient on the waitlist")
        BOOKED = "BOOKED", _("Booked by somebody else")
        EXHAUSTED = "EXHAUSTED", _("Nobody on the waitlist wanted it")
        TOO_LATE = "TOO_LATE", _("Too close to its time")
        RETURNED = "RETURNED", _("The visit stands again")
        NOT_WORKED = "NOT_WORKED", _("Not worked any more")
        SWITCHED_OFF = "SWITCHED_OFF", _("The clinic does not offer it")
        WITHDRAWN = "WITHDRAWN", _("Withdrawn by the desk")

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="openings")
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    visit_type = models.ForeignKey(
        VisitType,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Of the visit that freed it: whose rules for offering are asked first."),
    )
    span = DateTimeRangeField()
    cause = models.CharField(max_length=12, choices=Cause)
    round = models.PositiveSmallIntegerField(default=0)
    policy = models.CharField(max_length=12, choices=Mode, blank=True, default="")
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    ended = models.CharField(max_length=12, choices=Ended, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"], condition=Q(state="OPEN"), name="opening_to_be_looked_at"
            ),
            models.Index(fields=["clinic", "created_at"], name="opening_by_clinic"),
        ]
        constraints = [
            models.CheckConstraint(name="opening_not_empty", condition=Q(span__isempty=False)),
            models.CheckConstraint(
                name="opening_ended_for_a_reason",
                condition=(Q(state="OPEN") & Q(ended="") & Q(ended_at__isnull=True))
                | (~Q(state="OPEN") & ~Q(ended="") & Q(ended_at__isnull=False)),
            ),
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

    class Source(models.TextChoices):
        DESK = "DESK", _("Front desk")
        PORTAL = "PORTAL", _("Online")

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
    telehealth_acceptable = models.BooleanField(default=False)
    replaces = models.ForeignKey(
        Appointment,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="waits_for_sooner",
    )
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    source = models.CharField(max_length=6, choices=Source, default=Source.DESK)
    booked = models.ForeignKey(
        Appointment, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = WaitlistEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("waitlist entries")
        indexes = [
            models.Index(
                fields=["clinic", "created_at"],
                condition=Q(status="WAITING"),
                name="waitlist_of_clinic",
            )
        ]
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
    """One opening offered to one entry, until a deadline.

    `rank` is the entry's place among those who could be offered it then, from 1; `reasons` are the
    codes of why. `days_gained` are those by which a visit came earlier.
    """

    class Via(models.TextChoices):
        MESSAGE = "MESSAGE", _("Message")
        PHONE = "PHONE", _("Phone")

    class Status(models.TextChoices):
        OFFERED = "OFFERED", _("Offered")
        CLAIMED = "CLAIMED", _("Claimed")
        EXPIRED = "EXPIRED", _("Expired")
        DECLINED = "DECLINED", _("Declined")
        GONE = "GONE", _("Gone")

    entry = models.ForeignKey(WaitlistEntry, on_delete=models.CASCADE, related_name="offers")
    opening = models.ForeignKey(Opening, on_delete=models.CASCADE, related_name="offers")
    visit_type = models.ForeignKey(VisitType, on_delete=models.PROTECT, related_name="+")
    visit_start = models.DateTimeField()
    visit_end = models.DateTimeField()
    rank = models.PositiveIntegerField(default=1)
    reasons = models.JSONField(default=list, blank=True)
    via = models.CharField(max_length=7, choices=Via, default=Via.MESSAGE)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OFFERED)
    appointment = models.ForeignKey(
        Appointment, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    days_gained = models.PositiveSmallIntegerField(null=True, blank=True)
    token_digest = models.BinaryField(max_length=32, unique=True)

    objects = WaitlistOfferQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(status="OFFERED"), name="offer_by_expiry"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["entry", "opening"], name="offer_once_per_opening"),
            models.UniqueConstraint(
                fields=["entry"], condition=Q(status="OFFERED"), name="offer_one_at_a_time"
            ),
            models.CheckConstraint(
                name="offer_visit_in_order", condition=Q(visit_end__gt=F("visit_start"))
            ),
            models.UniqueConstraint(
                fields=["opening"],
                condition=Q(status="CLAIMED"),
                name="opening_claimed_once",
            ),
        ]

    def __str__(self) -> str:
        return f"Offer {str(self.pk)[-8:]}"
