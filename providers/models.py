"""Clinics, providers and their hours: what the database must never let be wrong.

Knows nothing of patients or appointments. Changes that move free time go through `hours`.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import TruncMinute
from django.utils.translation import gettext_lazy as _

from providers.fields import DateRange, MinuteRange, TransactionIdField, UUIDModel
from providers.npi import is_valid_npi

PERMISSIONS: list[tuple[str, Any]] = [
    ("view_appointments", "Can see the clinic's appointments"),
    ("manage_appointments", "Can book, move and cancel at the clinic"),
    ("overbook", "Can double-book on purpose"),
    ("view_patients", "Can see who the clinic's patients are and how to reach them"),
    ("manage_patients", "Can register patients and change their details"),
    ("view_reasons", "Can see and write why a patient comes, until the visit starts"),
    ("view_own_schedule", "Can see the own day and week"),
    ("manage_own_visits", "Can complete own visits and write their notes"),
    ("share_records", "Can share the record of an own patient with a colleague"),
    ("break_glass", "Can open one patient's record in an emergency"),
    ("manage_clinic", "Can set up the clinic"),
    ("view_staff", "Can see who works at the clinic and in which role"),
    ("view_audit", "Can see who looked at what"),
    ("look_with_reason", "Can look at one patient for a stated reason"),
]


# Where the page gate leaves what it has read of a user's permissions, by the clinic's id.
HELD = "_held_at_clinics"


class TimeZone(models.Model):
    """A zone that zoneinfo knows, so that a foreign key can refuse any other."""

    name = models.CharField(primary_key=True, max_length=64)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ClinicQuerySet(models.QuerySet["Clinic"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def staffed_by(self, user: User | AnonymousUser, permission: str) -> Self:
        """Return the clinics at which this user holds a permission.

        Guardian's rows decide, together with an active role there: a row that outlived its role
        opens nothing. Being a superuser, or a permission on the whole table, opens nothing either.
        """
        if not (user.is_authenticated and user.is_active):
            return self.none()
        known: dict[UUID, frozenset[str]] | None = getattr(user, HELD, None)
        if known is not None:
            return self.filter(pk__in=[pk for pk, held in known.items() if permission in held])
        held = Clinic.objects.filter(
            clinicuserobjectpermission__user=user,
            clinicuserobjectpermission__permission__codename=permission,
        )
        roles = Membership.objects.filter(user=user, is_active=True)
        return self.filter(pk__in=held.values("pk")).filter(pk__in=roles.values("clinic"))


class Clinic(UUIDModel):
    """A place with its own hours, zone and staff. Inactive until it has a zone."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    time_zone = models.ForeignKey(TimeZone, on_delete=models.PROTECT, null=True, blank=True)
    address = models.TextField(blank=True)
    phone = models.CharField(max_length=32, blank=True)
    sms_name = models.CharField(
        _("short name for text messages"), max_length=20, blank=True, help_text=_("At most 20.")
    )
    telehealth_base_url = models.URLField(blank=True)
    patient_cutoff_hours = models.PositiveSmallIntegerField(
        _("hours before a visit when patients can no longer change it"), default=4
    )
    is_active = models.BooleanField(default=True)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = PERMISSIONS
        constraints = [
            models.CheckConstraint(
                name="clinic_active_has_time_zone",
                condition=Q(is_active=False) | Q(time_zone__isnull=False),
                violation_error_message=_("Give the clinic a time zone before it is active."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's zone; UTC for one that has none yet (and so takes no bookings)."""
        return ZoneInfo(self.time_zone_id or "UTC")


class Role(models.TextChoices):
    RECEPTIONIST = "RECEPTIONIST", _("Receptionist")
    PROVIDER = "PROVIDER", _("Provider")
    CLINIC_ADMIN = "CLINIC_ADMIN", _("Clinic admin")
    PRIVACY_OFFICER = "PRIVACY_OFFICER", _("Privacy officer")


class Membership(UUIDModel):
    """A role that somebody holds at a clinic."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "clinic", "role"], name="membership_once"),
            models.CheckConstraint(name="membership_role_known", condition=Q(role__in=Role.values)),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} · {self.clinic}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the role and, in the same transaction, whatever listeners derive from it."""
        with transaction.atomic():
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            return super().delete(*args, **kwargs)


class Specialty(UUIDModel):
    name = models.CharField(max_length=80, unique=True)
    nucc_code = models.CharField(_("NUCC taxonomy code"), max_length=10, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = _("specialties")

    def __str__(self) -> str:
        return self.name


class InsurancePlan(UUIDModel):
    payer = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    plan_code = models.CharField(max_length=40, unique=True)

    class Meta:
        ordering = ["payer", "name"]

    def __str__(self) -> str:
        return f"{self.payer} {self.name}"


class VisitType(UUIDModel):
    """What a visit is for, how long it takes, and who may book it when."""

    code = models.SlugField(max_length=30, unique=True)
    label = models.CharField(max_length=60)
    minutes = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(480)],
        help_text=_("Leave empty to use the schedule's own slot length."),
    )
    buffer_before_minutes = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(120)]
    )
    buffer_after_minutes = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(120)]
    )
    minimum_notice_minutes = models.PositiveIntegerField(default=60)
    horizon_days = models.PositiveSmallIntegerField(default=180)
    is_telehealth = models.BooleanField(default=False)
    bookable_online = models.BooleanField(default=True)
    confirmation_required = models.BooleanField(default=True)
    auto_release_allowed = models.BooleanField(default=False)
    waitlist_minimum_lead_minutes = models.PositiveIntegerField(default=240)

    class Meta:
        ordering = ["label"]
        constraints = [
            models.CheckConstraint(
                name="visit_type_minutes_in_range",
                condition=Q(minutes__isnull=True) | Q(minutes__range=(5, 480)),
            ),
            models.CheckConstraint(
                name="visit_type_buffers_in_range",
                condition=Q(buffer_before_minutes__lte=120, buffer_after_minutes__lte=120),
            ),
        ]

    def __str__(self) -> str:
        return self.label


def validate_npi(value: str) -> None:
    if not is_valid_npi(value):
        raise ValidationError(_("This is not a valid NPI: its check digit is wrong."))


class ProviderQuerySet(models.QuerySet["Provider"]):
    def bookable(self) -> Self:
        return self.filter(is_active=True, clinic__is_active=True)


class Provider(UUIDModel):
    """Somebody whose time is booked. Active means bookable: then who they are is complete."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    name = models.CharField(max_length=120)
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, null=True, blank=True)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="providers")
    npi_number = models.CharField(
        _("NPI"), max_length=10, null=True, blank=True, unique=True, validators=[validate_npi]
    )
    languages = ArrayField(
        models.CharField(
            max_length=35, validators=[RegexValidator(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")]
        ),
        default=list,
        blank=True,
        help_text=_("Language tags, for example en, es, zh-Hans."),
    )
    accepts_new_patients = models.BooleanField(default=True)
    offers_telehealth = models.BooleanField(default=False)
    insurance_plans = models.ManyToManyField(InsurancePlan, blank=True)
    is_active = models.BooleanField(_("bookable"), default=False)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="provider_npi_valid",
                condition=Q(
                    models.Func(
                        F("npi_number"),
                        function="daysheet_npi_is_valid",
                        output_field=models.BooleanField(),
                    )
                ),
                violation_error_message=_("This is not a valid NPI: its check digit is wrong."),
            ),
            models.CheckConstraint(
                name="provider_active_is_complete",
                condition=Q(is_active=False)
                | Q(user__isnull=False, npi_number__isnull=False, specialty__isnull=False),
                violation_error_message=_(
                    "A bookable provider needs a user, an NPI and a specialty."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.npi_number = self.npi_number or None


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class ProviderSchedule(UUIDModel):
    """One recurring window of working hours, in the clinic's wall-clock time."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="schedules")
    clinic = models.ForeignKey(
        Clinic,
        on_delete=models.PROTECT,
        blank=True,
        help_text=_("The provider's own clinic unless another is chosen."),
    )
    day_of_week = models.PositiveSmallIntegerField(choices=Weekday)
    start_time = models.TimeField()
    end_time = models.TimeField(help_text=_("00:00 is the end of the day."))
    slot_duration_minutes = models.PositiveSmallIntegerField(
        default=20, validators=[MinValueValidator(5), MaxValueValidator(480)]
    )
    is_active = models.BooleanField(default=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    visit_types = models.ManyToManyField(
        VisitType, blank=True, help_text=_("Leave empty to allow all.")
    )

    class Meta:
        ordering = ["day_of_week", "start_time"]
        constraints = [
            ExclusionConstraint(
                name="schedule_windows_never_overlap",
                expressions=[
                    (F("provider"), RangeOperators.EQUAL),
                    (F("day_of_week"), RangeOperators.EQUAL),
                    (MinuteRange("start_time", "end_time"), RangeOperators.OVERLAPS),
                    (DateRange("valid_from", "valid_until"), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_active=True),
                violation_error_message=_("These hours overlap other hours of the provider."),
            ),
            models.CheckConstraint(
                name="schedule_ends_after_start",
                condition=Q(end_time__gt=F("start_time")) | Q(end_time=time(0)),
                violation_error_message=_("Hours must end after they start."),
            ),
            models.CheckConstraint(
                name="schedule_on_whole_minutes",
                condition=Q(start_time=TruncMinute("start_time"), end_time=TruncMinute("end_time")),
                violation_error_message=_("Hours must start and end on a whole minute."),
            ),
            models.CheckConstraint(
                name="schedule_validity_in_order",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                violation_error_message=_("The last day must not be before the first."),
            ),
            models.CheckConstraint(
                name="schedule_weekday_known", condition=Q(day_of_week__range=(0, 6))
            ),
            models.CheckConstraint(
                name="schedule_slot_in_range", condition=Q(slot_duration_minutes__range=(5, 480))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_day_of_week_display()} {self.start_time:%H:%M}–{self.end_time:%H:%M}"

    def clean(self) -> None:
        """Take the provider's own clinic where none was chosen."""
        if not hasattr(self, "clinic") and hasattr(self, "provider"):
            self.clinic = self.provider.clinic

    def is_valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class TimeOff(UUIDModel):
    """A span of instants in which a provider sees nobody."""

    class Reason(models.TextChoices):
        VACATION = "VACATION", _("Vacation")
        CME = "CME", _("Education (CME)")
        SICK = "SICK", _("Sick")

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="time_off")
    start_datetime = models.DateTimeField()
    end_datetime = models.DateTimeField()
    reason = models.CharField(max_length=10, choices=Reason)

    class Meta:
        ordering = ["start_datetime"]
        verbose_name_plural = _("time off")
        indexes = [models.Index(fields=["provider", "end_datetime"], name="time_off_by_provider")]
        constraints = [
            models.CheckConstraint(
                name="time_off_ends_after_start",
                condition=Q(end_datetime__gt=F("start_datetime")),
                violation_error_message=_("Time off must end after it starts."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.start_datetime:%Y-%m-%d}"


class ClinicClosure(UUIDModel):
    """A span of instants in which nobody is seen at a clinic."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="closures")
    start_datetime = models.DateTimeField()
    end_datetime = models.DateTimeField()
    label = models.CharField(max_length=80, help_text=_("Shown to staff, e.g. Labor Day."))

    class Meta:
        ordering = ["start_datetime"]
        indexes = [models.Index(fields=["clinic", "end_datetime"], name="closure_by_clinic")]
        constraints = [
            models.CheckConstraint(
                name="closure_ends_after_start",
                condition=Q(end_datetime__gt=F("start_datetime")),
                violation_error_message=_("A closure must end after it starts."),
            )
        ]

    def __str__(self) -> str:
        return self.label


class ProviderCalendar(models.Model):
    """The row that every change of a provider's free time locks and bumps.

    The database makes it with the provider. `stamp` is fresh randomness at each bump, because
    the counter repeats after a rollback or a restored backup; `bumped_by` is the transaction
    that bumped last, which a deferred trigger compares with the one that changed free time, and
    `previous_stamp` the one that stood before that transaction.
    """

    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, primary_key=True, related_name="calendar"
    )
    version = models.BigIntegerField(default=0)
    stamp = models.BigIntegerField(default=0)
    previous_stamp = models.BigIntegerField(null=True)
    bumped_by = TransactionIdField(null=True)

    def __str__(self) -> str:
        return f"{self.provider_id} at {self.version}"
