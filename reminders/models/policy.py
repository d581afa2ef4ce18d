"""A clinic's cadence: when its visits are spoken of, and whether silence frees their time."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.fields import UUIDModel
from providers.models import Clinic, VisitType

WEEK = 7 * 24


def hours(default: int, label: Any) -> models.PositiveSmallIntegerField[int | None, int | None]:
    """Return a column of hours before the visit; empty switches it off."""
    return models.PositiveSmallIntegerField(
        label,
        default=default,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(WEEK)],
        help_text=_("Hours before the visit. Leave empty to switch it off."),
    )


class ReminderPolicy(UUIDModel):
    """The cadence of one type of visit at a clinic, or of all types that have none of their own.

    Without any row the defaults stand. Silence frees a visit's time only where the type of visit
    allows it too (`VisitType.auto_release_allowed`).
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="reminder_policies")
    visit_type = models.ForeignKey(
        VisitType,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Leave empty for all types that have no row of their own."),
    )
    request_hours = hours(72, _("ask for a confirmation"))
    follow_up_hours = hours(48, _("ask again"))
    reminder_hours = hours(24, _("remind"))
    join_hours = hours(2, _("send the link to a video visit"))
    release_hours = hours(24, _("free the time of a visit that nobody confirmed"))
    email = models.BooleanField(_("send e-mails"), default=True)
    sms = models.BooleanField(_("send text messages"), default=True)
    push = models.BooleanField(_("send notifications"), default=True)
    sent_counts_as_delivered = models.BooleanField(
        _("an e-mail that the mail server took counts as delivered"),
        default=False,
        help_text=_("Only for clinics whose mail server (SMTP) reports no deliveries."),
    )

    class Meta:
        verbose_name_plural = _("reminder policies")
        constraints = [
            models.UniqueConstraint(
                name="reminder_policy_once", fields=["clinic", "visit_type"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="reminder_policy_in_order",
                condition=(
                    Q(request_hours__isnull=True)
                    | Q(follow_up_hours__isnull=True)
                    | Q(request_hours__gt=F("follow_up_hours"))
                )
                & (
                    Q(follow_up_hours__isnull=True)
                    | Q(release_hours__isnull=True)
                    | Q(follow_up_hours__gt=F("release_hours"))
                ),
                violation_error_message=_(
                    "First ask, then ask again, then free the time: each nearer to the visit."
                ),
            ),
        ]

    def __str__(self) -> str:
        visits = self.visit_type or _("all visits")
        return f"{self.clinic} · {visits}"
