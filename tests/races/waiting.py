"""Patients who wait for the first provider of a stage, and time that comes free for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, Mode, Opening, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import offering
from tests.factories.waitlist import entry_of, waitlist_policy
from tests.races.stage import MINUTE, Stage

PATIENT = Actor.patient()
Answer = WaitlistOffer.Status


class Waiting:
    """The last patient of the stage has the visits that come free, the others wait."""

    def __init__(self, stage: Stage, *, mode: Mode = Mode.OVERLAPPING) -> None:
        self.stage = stage
        self.policy = waitlist_policy(
            stage.clinic,
            mode=mode,
            shortest_spacing_minutes=1,
            longest_spacing_minutes=1,
            most_offers_a_day=30_000,
        )

    def queue(self, number: int) -> list[WaitlistEntry]:
        """Let the first so many patients wait, in their order; whoever waits already goes on."""
        return [self.entry(n) for n in range(number)]

    def entry(self, number: int) -> WaitlistEntry:
        patient = self.stage.patients[number]
        known = WaitlistEntry.objects.filter(patient=patient, status="WAITING").first()
        return known or entry_of(
            patient,
            provider=self.stage.provider,
            visit_type=self.stage.visit_type,
            created_at=timezone.now() + number * MINUTE,
        )

    def visit(self) -> Appointment:
        return self.stage.book(self.stage.fresh_hour(), patient=-1)

    def freed(self) -> Opening:
        """Let a visit be cancelled by its patient; return what came free."""
        return self.cancel(self.visit())

    def cancel(self, visit: Appointment) -> Opening:
        booking.cancel(appointment=visit, reason="OTHER", by=PATIENT, now=timezone.now())
        return Opening.objects.get(span=visit.busy)

    def offered(self, opening: Opening, number: int) -> list[WaitlistOffer]:
        """Have an opening offered to so many, one a minute by the clock that is passed in."""
        for n in range(number):
            offering.advance(opening.pk, now=timezone.now() + n * MINUTE)
        return live(opening)


def live(opening: Opening) -> list[WaitlistOffer]:
    rows = opening.offers.filter(status=Answer.OFFERED).select_related("entry")
    return list(rows.order_by("made_at"))


def answers_of(offers: Sequence[WaitlistOffer]) -> list[str]:
    """Return how these offers stand now, sorted."""
    rows = WaitlistOffer.objects.filter(pk__in=[offer.pk for offer in offers])
    return sorted(rows.values_list("status", flat=True))


def visits_at(start: datetime) -> list[Appointment]:
    return list(Appointment.objects.live().filter(scheduled_start=start))


def assert_settled(opening: Opening, winner: WaitlistOffer) -> Appointment:
    """One visit has the time, one offer brought it, and nothing keeps it for anybody else."""
    opening.refresh_from_db()
    winner.refresh_from_db()
    (visit,) = visits_at(winner.visit_start)
    assert (winner.status, winner.appointment_id) == (Answer.CLAIMED, visit.pk)
    assert (opening.state, opening.ended) == ("FILLED", "CLAIMED")
    assert opening.offers.filter(status=Answer.CLAIMED).count() == 1
    assert not opening.offers.filter(status=Answer.OFFERED).exists()
    assert not SlotHold.objects.filter(holder=f"opening:{opening.pk}").exists()
    winner.entry.refresh_from_db()
    assert (winner.entry.status, winner.entry.booked_id) == ("BOOKED", visit.pk)
    return visit


def assert_waiting(offers: Sequence[WaitlistOffer]) -> None:
    """Those who came too late keep their place."""
    entries = WaitlistEntry.objects.filter(pk__in=[offer.entry_id for offer in offers])
    assert {entry.status for entry in entries} <= {"WAITING"}
