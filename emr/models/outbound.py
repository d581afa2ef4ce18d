"""What is to be told to a record system: one row for each change, written with the change itself.

Holds no word of what is sent: a message is made from the rows as they are when it leaves.
"""

from __future__ import annotations

from typing import Any, Self

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from emr.kinds import LIVE, State, What, Why
from emr.models.connection import EMRConnection
from patients.models import Patient
from providers.fields import UUIDModel
from providers.models import Clinic
from scheduling.models import Appointment

_LIVE = Q(state__in=[state.value for state in LIVE])


class OfConnectionQuerySet(models.QuerySet[Any]):
    """Rows of the connections of the clinics whose desk a user works at."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        at_work = Clinic.objects.staffed_by(user, "manage_appointments")
        return self.filter(connection__clinic__in=at_work)


class OutboundMessage(UUIDModel):
    """One change on its way. Those of one visit leave in the order of `version`, then `rank`.

    `act` is what was done (`Change.kind`); `marker` goes along wherever the other side keeps such
    a thing (HL7 v2: MSH-10). Codes only in `codes`: never a name or a value.
    """

    connection = models.ForeignKey(
        EMRConnection, on_delete=models.CASCADE, related_name="outbound", db_index=False
    )
    what = models.CharField(max_length=7, choices=[(what.value, what.value) for what in What])
    act = models.CharField(max_length=12)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="emr_messages")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="emr_messages"
    )
    version = models.PositiveIntegerField(default=0)
    rank = models.PositiveSmallIntegerField(default=0)
    marker = models.CharField(max_length=20, blank=True, default="")
    state = models.CharField(
        max_length=7,
        choices=[(state.value, state.value) for state in State],
        default=State.QUEUED.value,
    )
    why = models.CharField(
        max_length=14, choices=[(why.value, why.value) for why in Why], blank=True, default=""
    )
    codes = models.JSONField(default=list, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sending_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = OfConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = "EMR message"
        constraints = [
            models.UniqueConstraint(
                name="emr_note_once",
                fields=["connection", "appointment"],
                condition=Q(what=What.NOTE.value) & ~Q(state=State.SKIPPED.value),
            ),
            models.UniqueConstraint(
                name="emr_one_sending_of_visit",
                fields=["connection", "appointment"],
                condition=Q(state=State.SENDING.value),
            ),
            models.UniqueConstraint(
                name="emr_patient_asked_once",
                fields=["connection", "patient"],
                condition=Q(what=What.PATIENT.value) & _LIVE,
            ),
            models.CheckConstraint(
                name="emr_outbound_about_visit",
                condition=Q(what=What.PATIENT.value) | Q(appointment__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                name="emr_outbound_due",
                fields=["connection", "not_before"],
                condition=Q(state__in=[State.QUEUED.value, State.UNKNOWN.value]),
            ),
            models.Index(
                name="emr_outbound_order",
                fields=["appointment", "connection", "version"],
                condition=_LIVE,
            ),
            models.Index(
                name="emr_outbound_leased",
                fields=["lease_until"],
                condition=Q(state__in=[State.CLAIMED.value, State.SENDING.value]),
            ),
            models.Index(name="emr_outbound_log", fields=["connection", "-created_at"]),
            models.Index(
                name="emr_outbound_dead",
                fields=["connection", "-created_at"],
                condition=Q(state=State.DEAD.value),
            ),
        ]

    def __str__(self) -> str:
        return f"Message {str(self.pk)[-8:]}"
