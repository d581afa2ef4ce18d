"""Patients, how they are reached, and whose patients they are.

What patients told us stands in sealed columns; their `__str__` says nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterable
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

from patients.fields import SealedDateField, SealedTextField
from patients.indexes import SOURCES, contact_indexes, index_of
from patients.models.emergency import BreakGlassGrant
from patients.sealed import SealedRow, is_assigned
from providers.fields import UUIDModel
from providers.models import Clinic, InsurancePlan, Provider, TimeZone

User = Account | AnonymousUser
SHARED_RECORD = "view_shared_record"


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user: User) -> Self:
        """Return the patients whose identity and contact this user may see."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(
            Q(clinic__in=Clinic.objects.staffed_by(user, "view_patients"))
            | Q(pk__in=CareRelationship.objects.opened_to(user).values("patient"))
            | Q(pk__in=BreakGlassGrant.objects.opened_to(user).values("patient"))
            | Q(user=user)
        )

    def reached_at(self, *, email: str = "", phone: str = "") -> Self:
        """Return the patients with this normalised address or number on file."""
        query = Q(pk__in=[])
        if email:
            query |= Q(email_index__in=contact_indexes("email", email))
        if phone:
            query |= Q(phone_index__in=contact_indexes("phone", phone))
        return self.filter(query, merged_into=None)


class Patient(SealedRow):
    """One person's record at one clinic. Other clinics see it only through a visit there.

    Which transaction last changed what somebody is found by is noted by triggers, in a column
    that is the database's own (migration 0008).
    """

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
    insurance_member_index = models.BinaryField(max_length=32, default=b"", editable=False)
    identity_index = models.BinaryField(max_length=32, default=b"", editable=False)
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
        permissions = [(SHARED_RECORD, "Can see the record, which a colleague shares")]
        indexes = [
            models.Index(
                fields=["phone_index"], name="patient_phone_index", condition=~Q(phone_index=b"")
            ),
            models.Index(
                fields=["email_index"], name="patient_email_index", condition=~Q(email_index=b"")
            ),
            models.Index(
                fields=["insurance_member_index"],
                name="patient_member_index",
                condition=~Q(insurance_member_index=b""),
            ),
            models.Index(
                fields=["identity_index"],
                name="patient_identity_index",
                condition=~Q(identity_index=b""),
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
        """Write the row, with the blind indexes of the values that it was given."""
        fields = kwargs.get("update_fields")
        indexes = self.index_assigned(fields)
        if fields is not None:
            kwargs["update_fields"] = {*fields, *indexes}
        super().save(*args, **kwargs)

    def index_assigned(self, columns: Iterable[str] | None = None) -> set[str]:
        """Bring the blind indexes of what was assigned up to date; return which those are.

        `columns` narrows it to those that will be written. Nothing else is opened for it, but
        what one index digests together with an assigned value.
        """
        wanted = None if columns is None else set(columns)
        done = set()
        for index, sources in SOURCES.items():
            new = [name for name in sources if wanted is None or name in wanted]
            if any(is_assigned(self, name) for name in new):
                values = [getattr(self, name) for name in sources]
                setattr(self, index, index_of(index, values))
                done.add(index)
        return done

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


class PatientIdentifierQuerySet(models.QuerySet["PatientIdentifier"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(patient__in=Patient.objects.visible_to(user).values("pk"))


class PatientIdentifier(UUIDModel):
    """What another system calls this patient. Never SSN, licence or passport numbers."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="identifiers")
    source_system = models.CharField(max_length=255)
    value = models.CharField(max_length=255)

    objects = PatientIdentifierQuerySet.as_manager()

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

    def opened_to(self, user: Account) -> Self:
        """Return the live ties that open a record to this user as a provider at work.

        A shared record needs guardian's row of the share too: the two end it together, and the
        live tie alone knows until when.
        """
        at_work = Clinic.objects.staffed_by(user, "view_own_schedule")
        own = self.live().filter(provider__user=user, provider__clinic__in=at_work)
        return own.filter(~Q(kind=CareRelationship.Kind.SHARED) | Q(_shared_with(user)))

    def shared_with(self, user: Account) -> Self:
        """Return the live ties by which a colleague shares a record with this user."""
        return self.opened_to(user).filter(kind=CareRelationship.Kind.SHARED)

    def visible_to(self, user: User) -> Self:
        return self.filter(patient__in=Patient.objects.visible_to(user).values("pk"))


def _shared_with(user: Account) -> Q:
    return Q(
        patient__patientuserobjectpermission__user=user,
        patient__patientuserobjectpermission__permission__codename=SHARED_RECORD,
    )


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
