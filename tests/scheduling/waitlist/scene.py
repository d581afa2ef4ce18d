"""A provider whose Wednesday has freed time, people who wait for it, and a clock that stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from providers.models import Clinic, Provider, VisitType
from scheduling.models import Opening, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import offering
from scheduling.waitlist.keeping import holder_of
from tests.factories import PatientFactory, at, next_monday
from tests.factories.waitlist import entry_of, opening_of
from tests.scheduling.waitlist.database_clock import DatabaseClock

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def monday(clock: str) -> datetime:
    return at(next_monday(), clock)


def wednesday(clock: str) -> datetime:
    return at(next_monday() + 2 * DAY, clock)


@dataclass
class Scene:
    """It is Monday, 9:00 by the clinic's clocks, until the clock is put forward."""

    clock: DatabaseClock
    clinic: Clinic
    provider: Provider
    visit_type: VisitType

    @property
    def now(self) -> datetime:
        return self.clock.now

    def gap(self, clock: str = "10:00", **values: Any) -> Opening:
        """Let Wednesday's time come free now."""
        defaults: dict[str, Any] = {"created_at": self.now, "next_at": self.now}
        defaults["visit_type"] = self.visit_type
        return opening_of(self.provider, wednesday(clock), **(defaults | values))

    def waits(self, **values: Any) -> WaitlistEntry:
        """Let somebody wait, an hour shorter than whoever came before."""
        known = WaitlistEntry.objects.count()
        defaults = {
            "provider": self.provider,
            "visit_type": self.visit_type,
            "patient": None,
            "created_at": self.now - 100 * HOUR + known * HOUR,
            "earliest_desired_date": self.now.astimezone(self.clinic.zone).date(),
        }
        wanted = defaults | values
        patient = wanted.pop("patient") or PatientFactory.create(clinic=self.clinic)
        return entry_of(patient, **wanted)

    def run(self, *, after: timedelta | None = None) -> dict[str, int]:
        """Let time pass, and do what the minute's job does."""
        if after is not None:
            self.clock.forward(after)
        return offering.advance_due(now=self.now)

    def each_minute(self, minutes: int) -> None:
        for _minute in range(minutes):
            self.run(after=MINUTE)


def live(opening: Opening) -> list[WaitlistEntry]:
    """Return to whom it is offered, in the order in which it was."""
    offers = opening.offers.filter(status="OFFERED").order_by("made_at", "pk")
    return [offer.entry for offer in offers]


def told(opening: Opening) -> list[tuple[WaitlistEntry, str]]:
    """Return everybody it was offered to, in order, and what came of it."""
    offers = opening.offers.order_by("made_at", "pk")
    return [(offer.entry, offer.status) for offer in offers]


def offer_to(entry: WaitlistEntry) -> WaitlistOffer:
    return WaitlistOffer.objects.select_related("opening", "entry").latest("made_at", "pk")


def ended(opening: Opening) -> str:
    """Return why it ended, or nothing while it is open."""
    return Opening.objects.get(pk=opening.pk).ended


def kept(opening: Opening) -> SlotHold | None:
    """Return the only hold of an opening."""
    return SlotHold.objects.live().filter(holder=holder_of(opening.pk)).first()
