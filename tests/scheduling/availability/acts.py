"""Everything that people do to a provider's time, as random acts on a town."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from providers import hours
from providers.calendars import bump
from providers.models import ClinicClosure, Provider, TimeOff
from scheduling import booking, holds
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from scheduling.models import SlotHold
from scheduling.placing import Terms
from tests.factories import hold_of
from tests.scheduling.availability.comparing import clock
from tests.scheduling.availability.town import KINDS, ZONES, Town, mondays
from tests.scheduling.oracle import Offer, fresh_search

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FREE_OF_NOTICE = Terms(notice_and_horizon=False)
LONG_AGO = timedelta(minutes=20)
FATES = ("stay", "is over", "release", "extend", "use", "revive")

weeks = st.integers(0, len(mondays()) - 1)
zones = st.sampled_from(ZONES[1:])
picks = st.integers(0, 1_000)
kinds = st.integers(0, len(KINDS) - 1)
people = st.integers(0, 3)
whose = st.integers(0, 2)
# Minutes from the seam, seconds included: absences keep to no grid.
moments = st.integers(-30 * 4, 36 * 4).map(lambda q: q * 15) | st.integers(-1800, 2160)
seconds = st.sampled_from([0.0, 0.0, 0.0, 0.5])
lengths = st.sampled_from([15, 20, 45, 60, 180, 7, 1440])


class Acts(RuleBasedStateMachine):
    """Each act goes through the product's own verbs; a refused one changes nothing."""

    done: Counter[str] = Counter()

    @initialize(week=weeks, zone=zones)
    def begins(self, week: int, zone: str) -> None:
        self.town = Town(mondays()[week], zone)
        self.now = self.town.at(-52 * 60 + 0.3)
        self.has_backup = False

    def attempt(self, name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except (SchedulingError, IntegrityError):
            return
        self.done[name] += 1

    def offered(self, number: int, kind: int) -> Offer | None:
        """Return one of the free times, whatever notice it is at."""
        found = self.all_offered(kind)
        return found[number % len(found)] if found else None

    def all_offered(self, kind: int) -> list[Offer]:
        self.town.refresh()
        return fresh_search(self.town.query(kind), FREE_OF_NOTICE, self.now)

    def place_of(self, offer: Offer, kind: int) -> dict[str, Any]:
        return {
            "provider": self.provider_of(offer),
            "clinic": next(c for c in self.town.clinics if c.pk == offer.clinic),
            "visit_type": self.town.types[kind],
        }

    def provider_of(self, offer: Offer) -> Provider:
        return next(p for p in self.town.providers if p.pk == offer.provider)

    def looks(self, *_which: Any) -> None:
        """Compare; the machine that runs says what with what."""
        raise NotImplementedError

    @rule(number=picks, kind=kinds, who=people, aside=st.sampled_from([0, 0, 0, 7, 0.5]))
    def books(self, number: int, kind: int, who: int, aside: float) -> None:
        """Book a free time, or minutes beside it, as staff may."""
        if (offer := self.offered(number, kind)) is None:
            return
        self.book(offer.start + aside * MINUTE, offer, kind, who)

    def book(self, start: datetime, offer: Offer, kind: int, who: int, **more: Any) -> None:
        self.attempt(
            "overbooks" if more.get("overbook") else "books",
            lambda: booking.book(
                patient=self.town.patients[who],
                start=start,
                override="URGENT",
                by=self.town.desk,
                now=self.now,
                **self.place_of(offer, kind),
                **more,
            ),
        )

    @precondition(lambda self: self.town.visits(live=True))
    @rule(number=picks, kind=kinds, who=people)
    def overbooks(self, number: int, kind: int, who: int) -> None:
        """Book where somebody stands already."""
        live = self.town.visits(live=True)
        visit = live[number % len(live)]
        beside = Offer(
            visit.scheduled_start, visit.scheduled_end, visit.provider_id, visit.clinic_id
        )
        self.book(beside.start, beside, kind, who, overbook=True)

    @precondition(lambda self: self.town.visits(live=True))
    @rule(number=picks, manner=st.sampled_from(["patient", "staff", "long ago", "mistake"]))
    def cancels(self, number: int, manner: str) -> None:
        """Cancel: free at once, kept for undo, kept until a moment ago, or taken back at once."""
        live = self.town.visits(live=True)
        visit = live[number % len(live)]
        by = Actor.patient() if manner == "patient" else self.town.desk
        now = clock() - LONG_AGO if manner == "long ago" else clock()

        def cancel() -> None:
            gone = booking.cancel(appointment=visit, reason="OTHER", by=by, now=now)
            if manner == "mistake":
                booking.undo(appointment=gone, by=by, now=now)

        self.attempt(f"cancels ({manner})", cancel)

    @precondition(lambda self: self.town.visits(live=False))
    @rule(number=picks, at_last=st.booleans())
    def undoes_or_makes_final(self, number: int, at_last: bool) -> None:
        gone = self.town.visits(live=False)
        visit = gone[number % len(gone)]
        act = booking.send_now if at_last else booking.undo
        self.attempt(
            "makes final" if at_last else "undoes",
            lambda: act(appointment=visit, by=self.town.desk, now=self.now),
        )

    @precondition(lambda self: self.town.visits(live=True))
    @rule(number=picks, to=picks, kind=kinds, beside=st.booleans())
    def moves(self, number: int, to: int, kind: int, beside: bool) -> None:
        live = self.town.visits(live=True)
        visit = live[number % len(live)]
        if (offer := self.offered(to, kind)) is None:
            return
        self.attempt(
            "moves",
            lambda: booking.reschedule(
                appointment=visit,
                start=offer.start,
                overbook=beside,
                override="URGENT",
                by=self.town.desk,
                now=self.now,
                **self.place_of(offer, kind),
            ),
        )

    @rule(number=picks, kind=kinds, who=people, then=st.sampled_from(FATES))
    def keeps_a_time(self, number: int, kind: int, who: int, then: str) -> None:
        """Hold a time for a browser, let others see that, and do something with it."""
        if (offer := self.offered(number, kind)) is None:
            return
        holder = f"{who}:{self.town.here.pk}"
        self.attempt(
            "holds",
            lambda: hold_of(
                start=offer.start,
                holder=holder,
                by=self.town.desk,
                override="URGENT",
                now=clock() - LONG_AGO if then == "is over" else clock(),
                **self.place_of(offer, kind),
            ),
        )
        kept = [hold for hold in self.town.holds() if hold.holder == holder]
        if kept and then != "is over":
            self.looks()
            self.meets(kept[0], then)

    @precondition(lambda self: self.town.holds())
    @rule(number=picks, then=st.sampled_from(FATES))
    def does_something_with_a_hold(self, number: int, then: str) -> None:
        kept = self.town.holds()
        self.meets(kept[number % len(kept)], then)

    def meets(self, hold: SlotHold, fate: str) -> None:
        if fate == "use":
            offer = Offer(hold.visit_start, hold.visit_end, hold.provider_id, hold.clinic_id)
            kind = [one.pk for one in self.town.types].index(hold.visit_type_id)
            self.book(offer.start, offer, kind, 0, hold=hold)
            return
        verbs: dict[str, Callable[[], object]] = {
            "extend": lambda: holds.extend_hold(hold, now=clock()),
            "release": lambda: holds.release_hold(hold),
            "is over": lambda: self.set_end(hold, clock() - MINUTE),
            "revive": lambda: self.set_end(hold, clock() + HOUR),
        }
        self.attempt(f"holds: {fate}", verbs.get(fate, lambda: None))

    def set_end(self, hold: SlotHold, end: datetime) -> None:
        with transaction.atomic():
            SlotHold.objects.filter(pk=hold.pk).update(expires_at=end)
            bump([hold.provider_id])

    @rule(provider=whose, start=moments, beyond=seconds, length=lengths)
    def goes_away(self, provider: int, start: int, beyond: float, length: int) -> None:
        """Be away at any time of any day, to the second."""
        begins = self.town.at(start + beyond)
        away = self.absence(self.town.providers[provider], begins, length)
        self.attempt("goes away", lambda: hours.save_time_off(away))

    @rule(number=picks, length=lengths)
    def goes_away_when_free(self, number: int, length: int) -> None:
        """Be away at a time that is offered just now."""
        if (offer := self.offered(number, 0)) is None:
            return
        away = self.absence(self.provider_of(offer), offer.start, length)
        self.attempt("goes away", lambda: hours.save_time_off(away))

    def absence(self, provider: Provider, start: datetime, length: int) -> TimeOff:
        return TimeOff(
            provider=provider,
            start_datetime=start,
            end_datetime=start + length * MINUTE,
            reason="CME",
        )

    @precondition(lambda self: TimeOff.objects.filter(provider__in=self.town.providers).exists())
    @rule(number=picks)
    def comes_back(self, number: int) -> None:
        rows = TimeOff.objects.filter(provider__in=self.town.providers).order_by("pk")
        self.attempt("comes back", lambda: hours.remove_time_off(rows[number % len(rows)]))

    @rule(clinic=st.integers(0, 1), start=moments, beyond=seconds, length=lengths)
    def closes(self, clinic: int, start: int, beyond: float, length: int) -> None:
        closure = ClinicClosure(
            clinic=self.town.clinics[clinic],
            start_datetime=self.town.at(start + beyond),
            end_datetime=self.town.at(start + beyond + length),
            label="Flood",
        )
        self.attempt("closes", lambda: hours.save_closure(closure))

    @precondition(lambda self: ClinicClosure.objects.filter(clinic__in=self.town.clinics).exists())
    @rule(number=picks)
    def opens_again(self, number: int) -> None:
        rows = ClinicClosure.objects.filter(clinic__in=self.town.clinics).order_by("pk")
        self.attempt("opens again", lambda: hours.remove_closure(rows[number % len(rows)]))
