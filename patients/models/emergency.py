"""One patient's record opened to one member of staff for a while, for a reason that they gave.

Whether it is open is decided by the database's clock alone. Knows nothing of how it is asked for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patients.fields import SealedTextField
from patients.sealed import SealedRow
from providers.fields import ClockTimestamp
from providers.models import Clinic


class GrantKind(models.TextChoices):
    EMERGENCY = "EMERGENCY", _("Emergency access")
    OVERSIGHT = "OVERSIGHT", _("Privacy officer's look")


NEEDS = {GrantKind.EMERGENCY: "break_glass", GrantKind.OVERSIGHT: "look_with_reason"}
LASTS = {
    GrantKind.EMERGENCY: timedelta(minutes=60),
    GrantKind.OVERSIGHT: timedelta(minutes=15),
}

# Where the page gate leaves whether a user has anything open, so that most pages need not ask.
HAS_OPEN_RECORD = "_has_open_record"


class BreakGlassGrantQuerySet(models.QuerySet["BreakGlassGrant"]):
    def live(self) -> Self:
        """Return those that are open as the statement runs."""
        return self.filter(expires_at__gt=ClockTimestamp())

    def opened_to(self, user: User, *kinds: GrantKind) -> Self:
        """Return what is open to a user who still holds, at the patient's clinic, what it needs."""
        if not getattr(user, HAS_OPEN_RECORD, True):
            return self.none()
        query = Q(pk__in=[])
        for kind in kinds or GrantKind:
            clinics = Clinic.objects.staffed_by(user, NEEDS[kind])
            query |= Q(kind=kind, patient__clinic__in=clinics)
        return self.live().filter(query, user=user)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return one's own, and for a privacy officer those for patients of the own clinics."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        clinics = Clinic.objects.staffed_by(user, "view_audit")
        return self.filter(Q(user=user) | Q(patient__clinic__in=clinics))

    def to_review(self) -> Self:
        """Return the emergencies that no privacy officer has judged yet."""
        return self.filter(kind=GrantKind.EMERGENCY, reviewed_at__isnull=True)


class BreakGlassGrant(SealedRow):
    """Who opened whose record, why, until when, and what a privacy officer made of it."""

    class Purpose(models.TextChoices):
        TREATMENT = "TREATMENT", _("To treat the patient now")
        SAFETY = "SAFETY", _("To keep the patient or others safe")
        REACH = "REACH", _("To reach the patient urgently")
        COMPLAINT = "COMPLAINT", _("To look into a complaint")
        INCIDENT = "INCIDENT", _("To look into an incident")
        REQUEST = "REQUEST", _("To answer the patient's own request")

    class Verdict(models.TextChoices):
        JUSTIFIED = "JUSTIFIED", _("Justified")
        FOLLOW_UP = "FOLLOW_UP", _("Needs follow-up")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=9, choices=GrantKind)
    purpose = models.CharField(max_length=9, choices=Purpose)
    reason = SealedTextField()
    granted_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict, blank=True, default="")
    note = SealedTextField(blank=True, default="")

    objects = BreakGlassGrantQuerySet.as_manager()

    class Meta:
        ordering = ["-granted_at"]
        indexes = [
            models.Index(fields=["user", "expires_at"], name="grant_by_user"),
            models.Index(
                fields=["granted_at"],
                name="grant_to_review",
                condition=Q(kind="EMERGENCY", reviewed_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="grant_lasts_an_hour_at_most",
                condition=Q(expires_at__lte=F("granted_at") + timedelta(minutes=60)),
            ),
            models.CheckConstraint(
                name="grant_review_is_whole",
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True, verdict="")
                | Q(
                    reviewed_at__isnull=False,
                    reviewed_by__isnull=False,
                    verdict__in=["JUSTIFIED", "FOLLOW_UP"],
                ),
            ),
            models.CheckConstraint(
                name="grant_not_reviewed_by_its_user",
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("user")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID:
        return self.patient_id
