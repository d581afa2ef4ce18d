"""The ledger: one row for each message that is handed to a vendor, written before the vendor is
spoken to and corrected afterwards. Holds no address and no word of the message."""

from __future__ import annotations

from typing import Self

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from patients.models import CareRelationship, Patient
from providers.fields import UUIDModel
from providers.models import Clinic
from reminders.kinds import Channel, State, Why
from reminders.models.contact import PushSubscription

ON_THE_WAY = [State.QUEUED.value, State.CLAIMED.value, State.SENDING.value]


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the desk's own clinics', a provider's own patients', and one's own."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        at_desk = Clinic.objects.staffed_by(user, "view_appointments")
        officers = Clinic.objects.staffed_by(user, "view_audit")
        own = CareRelationship.objects.opened_to(user).exclude(kind=CareRelationship.Kind.SHARED)
        return self.filter(
            Q(clinic__in=at_desk)
            | Q(clinic__in=officers)
            | Q(patient__in=own.values("patient"))
            | Q(patient__user=user)
        )


class Delivery(UUIDModel):
    """One message on its way to one recipient.

    `fence` rises with each claim: whoever lost the lease can no longer write. `recipient_index` is
    the blind index of the address or number as it was when it was sent; `body_digest` is the
    SHA-256 of the text, by which a vendor's list of messages is searched. `is_automated` messages
    count against the caps on texts.
    """

    clinic = models.ForeignKey(
        Clinic, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    channel = models.CharField(max_length=5, choices=[(c.value, c.value) for c in Channel])
    kinds = ArrayField(models.CharField(max_length=12), help_text="Kinds of what it carries.")
    is_automated = models.BooleanField(default=False)
    state = models.CharField(
        max_length=9, choices=[(s.value, s.value) for s in State], default=State.QUEUED.value
    )
    why = models.CharField(
        max_length=13, choices=[(w.value, w.value) for w in Why], blank=True, default=""
    )
    recipient_index = models.BinaryField(max_length=32, default=b"")
    device = models.ForeignKey(
        PushSubscription, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    vendor = models.CharField(max_length=12, blank=True, default="")
    vendor_id = models.CharField(max_length=120, blank=True, default="")
    vendor_status = models.CharField(max_length=24, blank=True, default="")
    error_code = models.CharField(max_length=24, blank=True, default="")
    body_digest = models.BinaryField(max_length=32, default=b"")
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    sending_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    raised_at = models.DateTimeField(
        null=True, blank=True, help_text="When staff were told that nobody knows how it went."
    )
    created_at = models.DateTimeField(db_default=Now())

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="delivery_vendor_id_once",
                fields=["vendor", "vendor_id"],
                condition=~Q(vendor_id=""),
            ),
            models.CheckConstraint(
                name="delivery_state_known", condition=Q(state__in=[s.value for s in State])
            ),
            models.CheckConstraint(
                name="delivery_claimed_has_lease",
                condition=~Q(state__in=[State.CLAIMED.value, State.SENDING.value])
                | Q(lease_until__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                name="delivery_queued",
                fields=["is_automated", "not_before", "id"],
                condition=Q(state=State.QUEUED.value),
            ),
            models.Index(
                name="delivery_leased",
                fields=["lease_until"],
                condition=Q(state__in=[State.CLAIMED.value, State.SENDING.value]),
            ),
            models.Index(
                name="delivery_unknown",
                fields=["sending_at"],
                condition=Q(state=State.UNKNOWN.value),
            ),
            models.Index(
                name="delivery_by_recipient", fields=["recipient_index", "channel", "sent_at"]
            ),
            models.Index(name="delivery_by_clinic", fields=["clinic", "-created_at"]),
        ]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"Delivery {str(self.pk)[-8:]}"
