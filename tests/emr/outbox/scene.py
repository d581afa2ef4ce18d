"""A clinic whose record system is a peer, and what the tests of the outbox do and ask there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from emr.models import ConnectionState, EMRConnection, EMRLink, OutboundMessage
from emr.outbox import pushing
from patients.models import Patient
from providers.calendars import bump
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, CancelReason
from tests.emr.peers import Peer
from tests.factories import PatientFactory, at, next_monday, someone_at_the_desk
from tests.factories.emr import connection_to, link_to

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Scene:
    """A connection and its peer; visits are booked through the verbs themselves."""

    peer: Peer
    connection: EMRConnection
    provider: Provider
    visit_type: VisitType

    @property
    def clinic(self) -> Clinic:
        return self.connection.clinic

    @property
    def remote(self) -> list[dict[str, Any]]:
        """Return the appointments there."""
        return self.peer.appointments

    def known_patient(self, **columns: Any) -> Patient:
        """Return a patient who is linked to one of the peer's."""
        patient = PatientFactory.create(clinic=self.clinic, **columns)
        remote_id = self.peer.add_patient(given=patient.given_name, family=patient.family_name)
        link_to(self.connection, patient, "Patient", remote_id)
        return patient

    def book(self, patient: Patient | None = None, *, half_hour: int = 0) -> Appointment:
        """Book at a half hour of next Monday; Oracle and Epic have it free."""
        start = self.start(half_hour)
        if self.connection.vendor != "GENERIC_R4":
            self.free(half_hour)
        return booking.book(
            patient=patient or self.known_patient(),
            provider=self.provider,
            clinic=self.clinic,
            visit_type=self.visit_type,
            start=start,
            by=someone_at_the_desk(),
            now=timezone.now(),
        )

    def start(self, half_hour: int) -> datetime:
        return at(next_monday(half_hour // 18), "08:00") + half_hour % 18 * 30 * MINUTE

    def free(self, half_hour: int) -> str:
        """Let a half hour be free at the peer."""
        links = EMRLink.objects.filter(source_system=self.connection.source_system)
        practitioner = links.get(local_id=self.provider.pk).resource_id
        location = links.get(local_id=self.clinic.pk).resource_id
        return self.peer.add_slot(
            start=self.start(half_hour), practitioner=practitioner, location=location
        )

    def push(self, *, later: timedelta = timedelta()) -> dict[str, int]:
        """Send what is due now, or would be due by then; leases of the dead are over, and so are
        pauses that end by then."""
        at = timezone.now() + later
        OutboundMessage.objects.exclude(lease_until=None).update(lease_until=timezone.now() - HOUR)
        for pause in ("open_until", "paused_until"):
            ConnectionState.objects.filter(**{f"{pause}__lte": at}).update(**{pause: None})
        return pushing.push(self.connection.pk, clock=lambda: timezone.now() + later)

    def push_for(self, span: timedelta = HOUR) -> None:
        """Send as the worker does, minute for minute."""
        for minute in range(int(span / MINUTE)):
            self.push(later=minute * MINUTE)

    @property
    def states(self) -> Counter[str]:
        rows = OutboundMessage.objects.filter(connection=self.connection)
        return Counter(rows.values_list("state", flat=True))

    def message(self, **columns: Any) -> OutboundMessage:
        rows = OutboundMessage.objects.filter(connection=self.connection, **columns)
        return rows.order_by("created_at", "id").last() or OutboundMessage()


def scene_at(peer: Peer, provider: Provider, visit_type: VisitType, **columns: Any) -> Scene:
    """Join the provider's clinic to a peer; one thread, so that it sees what the test has done."""
    columns = {"workers": 1, "timeout_seconds": 2} | columns
    connection = connection_to(peer, provider.clinic, **columns)
    return Scene(peer, connection, provider, visit_type)


def cancel(visit: Appointment, *, by: Actor | None = None) -> Appointment:
    visit = Appointment.objects.get(pk=visit.pk)
    return booking.cancel(
        appointment=visit,
        reason=CancelReason.PATIENT_REQUEST.value,
        by=by or someone_at_the_desk(),
        now=timezone.now(),
    )


def begun(visit: Appointment, *, ago: timedelta = HOUR) -> Appointment:
    """Return a visit that began an hour ago, as its row and its agreement say."""
    start = timezone.now().replace(second=0, microsecond=0) - ago
    shift = start - visit.scheduled_start
    busy = (visit.busy.lower + shift, visit.busy.upper + shift)
    with transaction.atomic():
        bump([visit.provider_id])
        Appointment.objects.filter(pk=visit.pk).update(
            scheduled_start=start, scheduled_end=visit.scheduled_end + shift, busy=busy
        )
    return Appointment.objects.select_related("clinic", "provider").get(pk=visit.pk)
