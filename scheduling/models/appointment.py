"""Appointments, their history and their notes, with the rules that the database itself holds.

Rows are written by `scheduling.booking` and nowhere else.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patients.fields import SealedTextField
from patients.models import BreakGlassGrant, CareRelationship, GrantKind, Patient
from patients.sealed import SealedRow
from providers.fields import DateTimeRange, UUIDModel
from providers.models import Clinic, Provider, VisitType
from scheduling import references
from scheduling.transitions import Status

REFERENCE_ALPHABET = references.ALPHABET
LIVE = ~Q(status=Status.CANCELLED.value)


def new_reference() -> str:
    """Return eight characters that nobody mishears and that spell no word (28^8 values)."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(references.LENGTH))


class BookedVia(models.TextChoices):
    DESK = "DESK", _("Front desk")
    PORTAL = "PORTAL", _("Online")
    PROVIDER = "PROVIDER", _("Provider")
    WAITLIST = "WAITLIST", _("Waitlist")
    EMR = "EMR", _("Record system")


class CancelReason(models.TextChoices):
    PATIENT_REQUEST = "PATIENT_REQUEST", _("Patient asked")
    PATIENT_BETTER = "PATIENT_BETTER", _("No longer needed")
    PROVIDER_AWAY = "PROVIDER_AWAY", _("Provider is away")
    CLINIC_CLOSED = "CLINIC_CLOSED", _("Clinic is closed")
    BOOKED_IN_ERROR = "BOOKED_IN_ERROR", _("Booked by mistake")
    OTHER = "OTHER", _("Another reason")
    UNCONFIRMED = "UNCONFIRMED", _("Nobody confirmed it")


class OverrideReason(models.TextChoices):
    PATIENT_CALLED = "PATIENT_CALLED", _("Patient asked by phone or at the desk")
    PROVIDER_ASKED = "PROVIDER_ASKED", _("Provider asked for it")
    URGENT = "URGENT", _("Urgent")


def _as_provider(user: User, permission: str, path: str = "") -> Q:
    """Return the visits that are the user's own as their provider, at a clinic of their role."""
    at_work = Clinic.objects.staffed_by(user, permission)
    return Q(**{f"{path}provider__user": user, f"{path}clinic__in": at_work})


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the appointments whose time and status this user may see."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(
            Q(clinic__in=Clinic.objects.staffed_by(user, "view_appointments"))
            | _as_provider(user, "view_own_schedule")
            | Q(patient__in=CareRelationship.objects.shared_with(user).values("patient"))
            | Q(patient__in=BreakGlassGrant.objects.opened_to(user).values("patient"))
            | Q(patient__user=user)
        )

    def live(self) -> Self:
        """Return those that take up time: the predicate of the constraints themselves."""
        return self.filter(LIVE)

    def starting(self, after: datetime, before: datetime) -> Self:
        """Return those that start in [after, before)."""
        return self.filter(scheduled_start__gte=after, scheduled_start__lt=before)


class Appointment(SealedRow):
    """A patient's visit with a provider. `busy` is the visit with the provider's buffers."""

    reference = models.CharField(max_length=8, default=new_reference, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="appointments")
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="appointments", db_index=False
    )
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    appointment_type = models.ForeignKey(
        VisitType, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    scheduled_start = models.DateTimeField()
    scheduled_end = models.DateTimeField()
    busy = DateTimeRangeField()
    overbook_lane = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(
        max_length=9, choices=[(s.value, s.value) for s in Status], default=Status.SCHEDULED.value
    )
    arrived_at = models.DateTimeField(null=True, blank=True)
    roomed_at = models.DateTimeField(null=True, blank=True)
    reason_for_visit = SealedTextField(blank=True, default="")
    booked_via = models.CharField(max_length=8, choices=BookedVia)
    series = models.UUIDField(null=True, blank=True)
    undo_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)
    sequence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["scheduled_start"]
        constraints = [
            models.UniqueConstraint(name="appointment_reference_once", fields=["reference"]),
            ExclusionConstraint(
                name="appointment_provider_free",
                expressions=[
                    (F("provider"), RangeOperators.EQUAL),
                    (F("overbook_lane"), RangeOperators.EQUAL),
                    (F("busy"), RangeOperators.OVERLAPS),
                ],
                condition=LIVE,
            ),
            ExclusionConstraint(
                name="appointment_patient_free",
                expressions=[
                    (F("patient"), RangeOperators.EQUAL),
                    (DateTimeRange("scheduled_start", "scheduled_end"), RangeOperators.OVERLAPS),
                ],
                condition=LIVE,
            ),
            models.UniqueConstraint(
                name="appointment_start_once",
                fields=["provider", "overbook_lane", "scheduled_start"],
                condition=LIVE,
            ),
            models.CheckConstraint(
                name="appointment_busy_holds_visit",
                condition=Q(busy__contains=DateTimeRange(F("scheduled_start"), F("scheduled_end")))
                & Q(scheduled_end__gt=F("scheduled_start")),
            ),
            models.CheckConstraint(
                name="appointment_status_known",
                condition=Q(status__in=[s.value for s in Status]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["series"], name="appointment_series", condition=Q(series__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"Appointment {self.reference}"

    @property
    def about_patient(self) -> UUID:
        """Whose data the sealed columns hold."""
        return self.patient_id

    @property
    def zone(self) -> ZoneInfo:
        return self.clinic.zone

    @property
    def local_start(self) -> datetime:
        """The start on the clinic's wall clock."""
        return self.scheduled_start.astimezone(self.zone)

    @property
    def local_end(self) -> datetime:
        return self.scheduled_end.astimezone(self.zone)


class OfAppointmentQuerySet(models.QuerySet[Any]):
    """Rows that belong to an appointment, and are seen by whoever sees it."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(appointment__in=Appointment.objects.visible_to(user).values("pk"))


class AppointmentEvent(UUIDModel):
    """One thing that happened to an appointment. Never changed, never removed, no PHI in it."""

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12)
    from_status = models.CharField(max_length=9, blank=True, default="")
    to_status = models.CharField(max_length=9)
    by_kind = models.CharField(max_length=8)
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    by_name = models.CharField(max_length=60, blank=True, default="")
    at = models.DateTimeField(db_default=Now())
    details = models.JSONField(default=dict)

    objects = OfAppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class VisitNoteQuerySet(models.QuerySet["VisitNote"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the notes of one's own visits as their provider, and nobody else's.

        In an emergency a provider of the patient's clinic reads the one patient's notes too.
        """
        if not (user.is_authenticated and user.is_active):
            return self.none()
        providers_at = Clinic.objects.staffed_by(user, "manage_own_visits")
        opened = BreakGlassGrant.objects.opened_to(user, GrantKind.EMERGENCY)
        opened = opened.filter(patient__clinic__in=providers_at)
        return self.filter(
            _as_provider(user, "manage_own_visits", "appointment__")
            | Q(appointment__patient__in=opened.values("patient"))
        )


class VisitNote(SealedRow):
    """The clinical note of one visit, apart so that no appointment query can select it."""

    appointment = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="note")
    text = SealedTextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    objects = VisitNoteQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Note {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID:
        return self.appointment.patient_id
