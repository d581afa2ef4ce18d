"""What came from a record system, once each, kept until it was understood."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from emr.kinds import Arrival, Source
from emr.models.connection import EMRConnection
from emr.models.outbound import OfConnectionQuerySet
from patients.fields import SealedTextField
from patients.models import Patient
from patients.sealed import SealedRow
from scheduling.models import Appointment


class InboundMessage(SealedRow):
    """One notification, polled change or HL7 v2 message. `key` is what makes it the same again.

    `body` is what came, sealed (JSON or HL7 v2 text); empty where the resource is read anew.
    """

    connection = models.ForeignKey(
        EMRConnection, on_delete=models.CASCADE, related_name="inbound", db_index=False
    )
    source = models.CharField(max_length=9, choices=[(one.value, one.value) for one in Source])
    key = models.CharField(max_length=200)
    resource_type = models.CharField(max_length=40, blank=True, default="")
    resource_id = models.CharField(max_length=64, blank=True, default="")
    event = models.CharField(max_length=12, blank=True, default="")
    body = SealedTextField(blank=True, default="")
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="emr_arrivals"
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(
        max_length=8,
        choices=[(one.value, one.value) for one in Arrival],
        default=Arrival.RECEIVED.value,
    )
    codes = models.JSONField(default=list, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)

    objects = OfConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = "EMR arrival"
        constraints = [
            models.UniqueConstraint(name="emr_inbound_once", fields=["connection", "key"])
        ]
        indexes = [
            models.Index(
                name="emr_inbound_due",
                fields=["not_before"],
                condition=Q(state__in=[Arrival.RECEIVED.value, Arrival.CLAIMED.value]),
            ),
            models.Index(name="emr_inbound_log", fields=["connection", "-received_at"]),
            models.Index(
                name="emr_inbound_dead",
                fields=["connection", "-received_at"],
                condition=Q(state=Arrival.DEAD.value),
            ),
        ]

    def __str__(self) -> str:
        return f"Arrival {str(self.pk)[-8:]}"

    @property
    def about_patient(self) -> UUID | None:
        """Whose it is, once that is known."""
        return self.patient_id
