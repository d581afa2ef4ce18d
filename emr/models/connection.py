"""The record systems that a clinic is joined to, how each is spoken to, and how it fares."""

from __future__ import annotations

from typing import Self

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from emr.kinds import Algorithm, Auth, Vendor
from patients.fields import SealedTextField
from patients.sealed import SealedRow
from providers.fields import UUIDModel
from providers.models import Clinic, TimeZone, VisitType

WEB = URLValidator(schemes=["https", "http"])


class EMRConnectionQuerySet(models.QuerySet["EMRConnection"]):
    def active(self) -> Self:
        return self.filter(is_active=True, clinic__is_active=True)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the connections of the clinics whose desk this user works at."""
        return self.filter(clinic__in=Clinic.objects.staffed_by(user, "manage_appointments"))


class EMRConnection(SealedRow):
    """One record system of one clinic. `source_system` names it in links and record numbers.

    `base_url` is the FHIR root without a slash at its end; HL7 v2 has `hl7_host` and `hl7_port`.
    Secrets are sealed. What changes with every message stands in `ConnectionState`.
    """

    class Version(models.TextChoices):
        V2_3 = "2.3", "2.3"
        V2_5_1 = "2.5.1", "2.5.1"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="emr_connections")
    name = models.CharField(max_length=80)
    source_system = models.CharField(max_length=255, unique=True)
    vendor = models.CharField(
        max_length=10, choices=[(vendor.value, vendor.value) for vendor in Vendor]
    )
    is_active = models.BooleanField(default=False)
    sends_visits = models.BooleanField(_("tells it of visits"), default=True)
    creates_patients = models.BooleanField(_("makes patients that it does not know"), default=False)
    base_url = models.CharField(max_length=255, blank=True, default="", validators=[WEB])
    scheduling_url = models.CharField(
        _("STU3 address"), max_length=255, blank=True, default="", validators=[WEB]
    )
    auth = models.CharField(
        max_length=13, choices=[(auth.value, auth.value) for auth in Auth], default=Auth.NONE.value
    )
    algorithm = models.CharField(
        max_length=5,
        choices=[(one.value, one.value) for one in Algorithm],
        default=Algorithm.ES384.value,
    )
    client_id = models.CharField(max_length=255, blank=True, default="")
    client_secret = SealedTextField(blank=True, default="")
    token_url = models.CharField(max_length=255, blank=True, default="", validators=[WEB])
    scopes = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    launch_client_id = models.CharField(max_length=255, blank=True, default="")
    hook_secret = SealedTextField(_("secret of its notifications"), blank=True, default="")
    polls_every_minutes = models.PositiveSmallIntegerField(
        default=0, help_text=_("0 where it tells of changes itself.")
    )
    rate_per_second = models.FloatField(
        default=10, validators=[MinValueValidator(0.1), MaxValueValidator(1000)]
    )
    burst = models.PositiveSmallIntegerField(default=10, validators=[MinValueValidator(1)])
    workers = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1), MaxValueValidator(32)]
    )
    timeout_seconds = models.PositiveSmallIntegerField(
        default=15, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    hl7_host = models.CharField(max_length=255, blank=True, default="")
    hl7_port = models.PositiveIntegerField(null=True, blank=True)
    hl7_tls = models.BooleanField(default=True)
    hl7_version = models.CharField(max_length=5, choices=Version, default=Version.V2_5_1)
    hl7_zone = models.ForeignKey(TimeZone, on_delete=models.PROTECT, null=True, blank=True)
    hl7_here = models.CharField(
        _("our application|facility"), max_length=80, blank=True, default="DAYSHEET|"
    )
    hl7_there = models.CharField(
        _("their application|facility"), max_length=80, blank=True, default=""
    )

    objects = EMRConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("EMR connection")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="emr_connection_has_address",
                condition=Q(is_active=False)
                | Q(vendor=Vendor.HL7V2.value) & ~Q(hl7_host="") & Q(hl7_port__isnull=False)
                | ~Q(vendor=Vendor.HL7V2.value) & ~Q(base_url=""),
                violation_error_message=_("An active connection needs an address."),
            ),
            models.CheckConstraint(
                name="emr_connection_rate_positive",
                condition=Q(rate_per_second__gt=0, burst__gte=1, workers__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def about_patient(self) -> None:
        """Nobody's: what is sealed are this house's own secrets."""


class ConnectionState(models.Model):
    """How a connection fares, for all processes: one row each, written with every message."""

    connection = models.OneToOneField(
        EMRConnection, on_delete=models.CASCADE, primary_key=True, related_name="state"
    )
    tokens = models.FloatField(default=0)
    tokens_at = models.DateTimeField(db_default=Now())
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.CharField(max_length=60, blank=True, default="")
    capability = models.JSONField(default=dict, blank=True)
    smart = models.JSONField(default=dict, blank=True)
    discovered_at = models.DateTimeField(null=True, blank=True)
    discovered_digest = models.BinaryField(max_length=32, default=b"")
    changed_at = models.DateTimeField(null=True, blank=True)
    cursor = models.JSONField(default=dict, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)
    poll_lease_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"State of {self.connection_id}"


class EMRCode(UUIDModel):
    """What a visit type is called in a record system (Oracle code set 14249, Epic visit type)."""

    connection = models.ForeignKey(EMRConnection, on_delete=models.CASCADE, related_name="codes")
    visit_type = models.ForeignKey(VisitType, on_delete=models.CASCADE, related_name="+")
    system = models.CharField(max_length=255, blank=True, default="")
    code = models.CharField(max_length=80)
    display = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("EMR code")
        constraints = [
            models.UniqueConstraint(fields=["connection", "visit_type"], name="emr_code_once"),
        ]

    def __str__(self) -> str:
        return self.code


class SigningKey(SealedRow):
    """A key pair of this house: the public half is published, the private half signs assertions.

    Published from `created_at` until `retires_at`; signs from `signs_from` until a newer one of
    its algorithm does.
    """

    kid = models.CharField(max_length=64, unique=True)
    algorithm = models.CharField(
        max_length=5, choices=[(one.value, one.value) for one in Algorithm]
    )
    public = models.JSONField()
    private = SealedTextField()
    created_at = models.DateTimeField(db_default=Now())
    signs_from = models.DateTimeField()
    retires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-signs_from"]

    def __str__(self) -> str:
        return self.kid

    @property
    def about_patient(self) -> None:
        """Nobody's."""
