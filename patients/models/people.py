"""Patients, how they are reached, and whose patients they are.

What patients told us stands in sealed columns; their `__str__` says nothing about them.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User as Account
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patients.crypto import blind_index
from patients.fields import SealedDateField, SealedTextField
from providers.fields import UUIDModel
from providers.models import Clinic, InsurancePlan, Provider, TimeZone

User = Account | AnonymousUser


def contact_index(column: str, value: str) -> bytes:
    """Return the blind index of a normalised phone number or e-mail address."""
    return blind_index(key=settings.BLIND_INDEX_KEY, column=f"patients.{column}", value=value)


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user: User) -> Self:
        """Return the patients whose identity and contact this user may see."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(
            Q(clinic__in=Clinic.objects.staffed_by(user, "view_patients"))
            | Q(
                pk__in=CareRelationship.objects.live().filter(provider__user=user).values("patient")
            )
            | Q(user=user)
        )

    def reached_at(self, *, email: str = "", phone: str = "") -> Self:
        """Return the patients with this normalised address or number on file."""
        query = Q(pk__in=[])
        if email:
            query |= Q(email_index=contact_index("email", email))
        if phone:
            query |= Q(phone_index=contact_index("phone", phone))
        return self.filter(query, merged_into=None)


class Patient(UUIDModel):
    """One person's record at one clinic. Other clinics see it only through a visit there."""

    class Sex(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")
        UNKNOWN = "unknown", _("Unknown")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="patients",
    )
    given_name = SealedTextField()
    family_name = SealedTextField()
    name_suffix = SealedTextField(blank=True, default="")
    dob = SealedDateField(_("date of birth"), null=True, blank=True)
    sex = models.CharField(max_length=8, choices=Sex, default=Sex.UNKNOWN)
    phone = SealedTextField(blank=True, default="")
    phone_index = models.BinaryField(max_length=32, default=b"", editable=False)
    phone_is_textable = models.BooleanField(default=False)
    email = SealedTextField(blank=True, default="")
    email_index = models.BinaryField(max_length=32, default=b"", editable=False)
    address_line = SealedTextField(blank=True, default="")
    city = SealedTextField(blank=True, default="")
    state = SealedTextField(blank=True, default="")
    postal_code = SealedTextField(blank=True, default="")
    insurance_plan = models.ForeignKey(
        InsurancePlan, on_delete=models.SET_NULL, null=True, blank=True
    )
    insurance_member_id = SealedTextField(blank=True, default="")
    primary_care_provider = models.ForeignKey(
        Provider, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    language = models.CharField(max_length=35, default="en")
    time_zone = models.ForeignKey(TimeZone, on_delete=models.PROTECT, null=True, blank=True)
    needs_interpreter = models.BooleanField(default=False)
    is_provisional = models.BooleanField(
        default=False, help_text=_("Registered online; not yet looked at by the clinic.")
    )
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["phone_index"], name="patient_phone_index", condition=~Q(phone_index=b"")
            ),
            models.Index(
                fields=["email_index"], name="patient_email_index", condition=~Q(email_index=b"")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="patient_not_merged_into_self",
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("pk")),
            )
        ]

    def __str__(self) -> str:
        return f"Patient {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID:
        """Whose data the sealed columns hold."""
        return self.pk

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row, with the blind indexes of the contacts that it holds now."""
        self.index_contacts()
        fields = kwargs.get("update_fields")
        if fields is not None:
            kwargs["update_fields"] = {
                *fields,
                *(f"{name}_index" for name in {"phone", "email"} & {*fields}),
            }
        super().save(*args, **kwargs)

    def index_contacts(self) -> None:
        self.phone_index = contact_index("phone", self.phone)
        self.email_index = contact_index("email", self.email)

    @property
    def full_name(self) -> str:
        return " ".join(
            part for part in (self.given_name, self.family_name, self.name_suffix) if part
        )

    def age_on(self, day: date) -> int | None:
        """Return completed years of life on a day; None where the date of birth is not known."""
        if self.dob is None:
            return None
        return day.year - self.dob.year - ((day.month, day.day) < (self.dob.month, self.dob.day))


class PatientIdentifier(UUIDModel):
    """What another system calls this patient. Never SSN, licence or passport numbers."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="identifiers")
    source_system = models.CharField(max_length=255)
    value = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_system", "value"], name="patient_identifier_once"
            )
        ]

    def __str__(self) -> str:
        return f"Identifier {str(self.pk)[-8:]}"


class CareRelationshipQuerySet(models.QuerySet["CareRelationship"]):
    def live(self) -> Self:
        return self.filter(Q(until__isnull=True) | Q(until__gt=Now()))


class CareRelationship(UUIDModel):
    """Whose patient somebody is: a provider's own patients are those with a live row."""

    class Kind(models.TextChoices):
        PRIMARY = "PRIMARY", _("Primary care")
        VISIT = "VISIT", _("Visit")
        SHARED = "SHARED", _("Shared")

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="relationships")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="relationships")
    kind = models.CharField(max_length=8, choices=Kind)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    objects = CareRelationshipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "provider", "kind"], name="care_relationship_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.pk)[-8:]}"
