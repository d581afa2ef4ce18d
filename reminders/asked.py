"""Which visits somebody at a number was asked about: what a bare "yes" could mean.

A visit counts while it is to come, at the time of which the text spoke, and only for patients who
have the number on file now: what reaches a number they gave up says nothing for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce

from patients.indexes import contact_indexes
from patients.models import Patient
from reminders.kinds import Channel, Kind, NoticeKind, State
from reminders.models import Delivery, Notice, Reminder
from scheduling.models import Appointment, WaitlistOffer
from scheduling.models.appointment import AppointmentQuerySet
from scheduling.transitions import Status

REQUESTS = (Kind.REQUEST, Kind.FOLLOW_UP)
ASKING = (*REQUESTS, Kind.REMINDER)
TO_COME = [Status.SCHEDULED.value, Status.CONFIRMED.value]
# An answer may be quicker than the vendor's word that the question went out.
MAY_HAVE_ARRIVED = [State.SENDING, State.SENT, State.DELIVERED, State.UNKNOWN]


def visits_asked(
    number: str, *, kinds: Sequence[Kind] = ASKING, now: datetime
) -> list[Appointment]:
    """Return the visits to come of which texts to this number asked, the earliest first."""
    asked = Reminder.objects.filter(
        appointment=OuterRef("pk"),
        sequence=OuterRef("sequence"),
        kind__in=[kind.value for kind in kinds],
        delivery__channel=Channel.SMS.value,
        delivery__state__in=[state.value for state in MAY_HAVE_ARRIVED],
        delivery__recipient_index__in=contact_indexes("phone", number),
    )
    return list(visits_to_come(number, now=now).filter(Exists(asked)))


def visits_to_come(number: str, *, now: datetime) -> AppointmentQuerySet:
    """Return the visits to come of everybody who is reached at this number, the earliest first."""
    people = Patient.objects.reached_at(phone=number).values("pk")
    coming = Appointment.objects.filter(
        patient__in=people, status__in=TO_COME, scheduled_start__gt=now
    )
    return coming.select_related("clinic", "patient").order_by("scheduled_start", "pk")


def offer_texted(number: str) -> WaitlistOffer | None:
    """Return the offer that the newest text to this number made that came by itself, if it did.

    Only for who has the number on file now: after it a bare "yes" is no answer to a reminder.
    """
    newest = Delivery.objects.filter(
        channel=Channel.SMS.value,
        is_automated=True,
        state__in=[state.value for state in MAY_HAVE_ARRIVED],
        recipient_index__in=contact_indexes("phone", number),
    ).order_by(Coalesce("sent_at", "sending_at", "created_at").desc())
    people = Patient.objects.reached_at(phone=number).values("pk")
    made = Notice.objects.filter(
        delivery__in=newest.values("pk")[:1],
        kind=NoticeKind.OFFER.value,
        offer__entry__patient__in=people,
    ).select_related("offer__entry__patient", "offer__opening__clinic")
    notice = made.first()
    return None if notice is None else notice.offer


def last_delivery(number: str) -> Delivery | None:
    """Return the latest text that went to this number, if any went to a patient of a clinic."""
    sent = Delivery.objects.filter(
        channel=Channel.SMS.value,
        recipient_index__in=contact_indexes("phone", number),
        clinic__isnull=False,
    )
    return sent.order_by("-created_at").first()
