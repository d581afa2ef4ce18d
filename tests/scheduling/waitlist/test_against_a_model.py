"""Ten thousand random acts: after each one the rows are what a plain Python model foretold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from providers.calendars import bump
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from scheduling.models import Appointment, Opening, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import by_hand, claims, entries, offering, ranking, steps
from tests.factories import hold_of
from tests.scheduling.waitlist import laws
from tests.scheduling.waitlist.model import MINUTE, WAITS, Entry, Model, Slot, Visit
from tests.scheduling.waitlist.town import (
    EXISTING,
    PATIENTS,
    PROVIDERS,
    SLOTS,
    Town,
    set_clock,
    stopped_clock,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("jobs_wait"),
]
WEEKS, ACTS = 80, 125
SEED = 20_260_706
PATIENT = Actor.patient()


@pytest.fixture
def town(settings: Any) -> Iterator[Town]:
    """What is told to whom, and written of it elsewhere, is of no concern here."""
    settings.OFFER_REACH = "tests.scheduling.waitlist.reaching.anybody"
    settings.OFFER_HANDLERS = []
    settings.BOOKING_HANDLERS = ["scheduling.openings.on_appointment_change"]
    with stopped_clock():
        set_clock(timezone.now())
        yield Town()


class Week:
    """Acts at random, foretells what each must answer, and compares."""

    def __init__(self, town: Town, number: int, luck: random.Random) -> None:
        self.town, self.luck = town, luck
        self.model = Model(town.begin_week(number) - timedelta(hours=luck.randint(4, 40)))
        set_clock(self.model.now)
        self.joined = 0
        self.done: Counter[str] = Counter()

    def run(self, acts: int) -> None:
        names = list(WEIGHTS)
        for name in self.luck.choices(names, [WEIGHTS[name] for name in names], k=acts):
            before = self.model.seen
            getattr(self, name)()
            if name != "waits":
                self.model.seen = self.town.look()
                self._learn()
            laws.check(self.model)
            if name == "work":
                laws.check_work(self.model, before)
            self.done[name] += 1

    def _learn(self) -> None:
        """Take note of offers that were made; that they may be, `laws.check_work` says."""
        for pk, offer in self.model.seen.offers.items():
            self.model.answers.setdefault(pk, offer.status)

    def expect(self, refusals: set[str], act: Callable[[], Any]) -> Any:
        """Do an act; it must succeed exactly when nothing is foretold to forbid it."""
        try:
            answer = act()
        except SchedulingError as error:
            assert type(error).__name__ in refusals, (error, refusals)
            self.done[f"refused: {type(error).__name__}"] += 1
            return None
        assert not refusals, refusals
        return answer

    def pick(self, known: list[Any]) -> Any:
        return self.luck.choice(known) if known else None

    def any_slot(self) -> Slot:
        return self.town.slot(self.luck.randrange(PROVIDERS), self.luck.randrange(SLOTS))

    def a_visit(self) -> UUID | None:
        visits = self.model.visits.items()
        known = [pk for pk, v in visits if v.live and v.slot.start > self.model.now]
        return self.luck.choice(known) if known else None

    def place(self, slot: Slot) -> dict[str, Any]:
        town = self.town
        return {
            "provider": town.providers[slot.provider],
            "clinic": town.clinic,
            "visit_type": town.visit_type,
            "start": slot.start,
            "now": self.model.now,
        }

    def books(self) -> None:
        """Somebody takes a time that anybody can see."""
        patient, slot = self.luck.randrange(PATIENTS), self.any_slot()
        booked = self.expect(
            self.model.refusals(patient, slot),
            lambda: booking.book(
                patient=self.town.patients[patient], by=PATIENT, **self.place(slot)
            ),
        )
        if booked is not None:
            self.model.visits[booked.pk] = Visit(patient, slot)

    def moves(self) -> None:
        pk, slot = self.a_visit(), self.any_slot()
        if pk is None or self.model.visits[pk].slot == slot:
            return
        visit = self.model.visits[pk]
        row = Appointment.objects.get(pk=pk)
        moved = self.expect(
            self.model.refusals(visit.patient, slot, own=pk),
            lambda: booking.reschedule(appointment=row, by=PATIENT, **self.place(slot)),
        )
        if moved is not None:
            self.model.set_visit(pk, slot=slot)
            self.model.free(visit.slot)

    def cancels(self) -> None:
        """The patient's is final at once, the desk's can be undone for ten minutes."""
        pk = self.a_visit()
        if pk is None:
            return
        by, now = self.luck.choice([PATIENT, PATIENT, self.town.desk]), self.model.now
        row = Appointment.objects.get(pk=pk)
        booking.cancel(appointment=row, reason="OTHER", by=by, now=now)
        self.model.set_visit(pk, live=False, undo_until=now + 10 * MINUTE if by.is_staff else None)
        self.model.free(self.model.visits[pk].slot)

    def undoes(self) -> None:
        pk = self.pick([pk for pk, v in self.model.visits.items() if v.undo_until is not None])
        if pk is None:
            return
        visit = self.model.visits[pk]
        refusals = self.model.refusals(visit.patient, visit.slot, holder=f"undo:{pk}")
        if visit.undo_until is not None and visit.undo_until <= self.model.now:
            refusals = {"UndoExpired"}
        row = Appointment.objects.get(pk=pk)
        back = self.expect(
            refusals - {"InThePast"},
            lambda: booking.undo(appointment=row, by=self.town.desk, now=self.model.now),
        )
        if back is not None:
            self.model.set_visit(pk, live=True, undo_until=None)

    def keeps(self) -> None:
        """A browser keeps a time for ten minutes, whatever is open there."""
        slot, holder = self.any_slot(), f"browser{self.luck.randrange(2)}"
        place = self.place(slot)
        self.expect(
            self.model.refusals(None, slot, holder=holder),
            lambda: hold_of(
                place["provider"], place["visit_type"], slot.start, holder=holder, now=place["now"]
            ),
        )

    def joins(self) -> None:
        patient = self.luck.randrange(PATIENTS)
        provider = self.luck.choice([None, *range(PROVIDERS)])
        theirs = [pk for pk in [self.a_visit()] if pk and self.patient_of(pk) == patient]
        replaces = self.pick([None, *theirs])
        values = {
            "urgent": self.luck.random() < 0.2,
            "notice": self.luck.choice([0, 0, 120, 600]) * MINUTE,
            "replaces": replaces,
            "status": "WAITING",
        }
        twin = self.model.twin(patient, provider)
        row, is_new = entries.join(
            patient=self.town.patients[patient],
            clinic=self.town.clinic,
            wish=self.wish(provider, values),
            source=WaitlistEntry.Source.DESK,
            by=self.town.desk,
            now=self.model.now,
        )
        assert is_new is (twin is None)
        if twin is None:
            self.joined += 1
            self.model.now += timedelta(microseconds=1)
            set_clock(self.model.now)
            known = Entry(patient, provider, False, patient in EXISTING, self.joined, 0 * MINUTE)
            self.model.entries[row.pk] = known
        assert twin in (None, row.pk)
        self.model.set_entry(row.pk, **values)

    def patient_of(self, visit: UUID) -> int:
        return self.model.visits[visit].patient

    def wish(self, provider: int | None, values: dict[str, Any]) -> entries.Wish:
        town, replaces = self.town, values["replaces"]
        return entries.Wish(
            appointment_type=town.visit_type,
            provider=None if provider is None else town.providers[provider],
            specialty=town.specialty if provider is None else None,
            earliest=self.model.now.date(),
            minimum_notice=values["notice"],
            urgency="URGENT" if values["urgent"] else "ROUTINE",
            replaces=Appointment.objects.get(pk=replaces) if replaces else None,
        )

    def pauses(self) -> None:
        self.stops(entries.pause, "PAUSED")

    def leaves(self) -> None:
        self.stops(entries.leave, "LEFT")

    def stops(self, verb: Callable[..., Any], status: str) -> None:
        pk = self.pick([pk for pk, entry in self.model.entries.items() if entry.status in WAITS])
        if pk is None:
            return
        verb(WaitlistEntry.objects.get(pk=pk), by=PATIENT, now=self.model.now)
        self.model.set_entry(pk, status=status)
        self.model.end_offers(self.model.seen.offered(entry=pk), "DECLINED")

    def resumes(self) -> None:
        pk = self.pick([pk for pk, e in self.model.entries.items() if e.status == "PAUSED"])
        if pk is not None:
            entries.resume(WaitlistEntry.objects.get(pk=pk), by=PATIENT, now=self.model.now)
            self.model.set_entry(pk, status="WAITING")

    def an_offer(self) -> WaitlistOffer | None:
        """Pick any offer, most often one that stands."""
        seen = self.model.seen.offers
        standing = [pk for pk, offer in seen.items() if offer.status == "OFFERED"]
        pk = self.pick(standing if standing and self.luck.random() < 0.8 else list(seen))
        return None if pk is None else WaitlistOffer.objects.get(pk=pk)

    def accepts(self) -> None:
        offer = self.an_offer()
        if offer is None:
            return
        model, known = self.model, self.model.seen.offers[offer.pk]
        entry, slot = model.entries[offer.entry_id], model.seen.openings[offer.opening_id].slot
        sooner = model.replaced(entry)
        refusals = set()
        if known.status not in ("OFFERED", "CLAIMED") or (
            known.status == "OFFERED" and known.expires_at <= model.now
        ):
            refusals = {"OfferEnded"}
        elif known.status == "OFFERED":
            own = entry.replaces if sooner else None
            refusals = model.refusals(
                entry.patient, slot, own=own, holder=f"opening:{known.opening}"
            )
        visit = self.expect(refusals, lambda: claims.accept(offer=offer, by=PATIENT, now=model.now))
        if visit is None:
            return
        if known.status == "OFFERED":
            self.claimed(offer.pk, visit.pk, sooner, slot)
        assert visit.pk == WaitlistOffer.objects.get(pk=offer.pk).appointment_id

    def claimed(self, offer: UUID, visit: UUID, sooner: Visit | None, slot: Slot) -> None:
        model = self.model
        pk = model.seen.offers[offer].entry
        entry = model.entries[pk]
        if sooner is None:
            assert visit not in model.visits
        else:
            assert visit == entry.replaces
            model.free(sooner.slot)
        model.visits[visit] = Visit(entry.patient, slot)
        model.answers[offer] = "CLAIMED"
        model.set_entry(pk, status="BOOKED")

    def declines(self) -> None:
        self.refuses(claims.decline)

    def wants_no_more(self) -> None:
        offer = self.refuses(claims.stop)
        if offer is not None and self.model.entries[offer.entry_id].status == "WAITING":
            self.model.end_offers(self.model.seen.offered(entry=offer.entry_id), "DECLINED")
            self.model.set_entry(offer.entry_id, status="PAUSED")

    def refuses(self, verb: Callable[..., Any]) -> WaitlistOffer | None:
        offer = self.an_offer()
        if offer is None:
            return None
        was = self.model.seen.offers[offer.pk].status
        answer: WaitlistOffer | None = self.expect(
            {"OfferEnded"} if was == "CLAIMED" else set(),
            lambda: verb(offer=offer, by=PATIENT, now=self.model.now),
        )
        if was == "OFFERED":
            self.model.answers[offer.pk] = "DECLINED"
        return answer

    def withdraws(self) -> None:
        pk = self.pick([pk for pk, o in self.model.seen.openings.items() if o.state == "OPEN"])
        if pk is None:
            return
        row = Opening.objects.get(pk=pk)
        ended = by_hand.withdraw(opening=row, by=self.town.desk, now=self.model.now)
        assert ended.ended == "WITHDRAWN"
        self.model.end_offers(self.model.seen.offered(opening=pk), "GONE")

    def takes_an_offer_back(self) -> None:
        offer = self.an_offer()
        if offer is None:
            return
        was = self.model.seen.offers[offer.pk].status
        self.expect(
            {"OfferEnded"} if was == "CLAIMED" else set(),
            lambda: by_hand.withdraw_offer(offer=offer, by=self.town.desk, now=self.model.now),
        )
        if was == "OFFERED":
            self.model.answers[offer.pk] = "GONE"

    def waits(self) -> None:
        """Time goes by."""
        self.model.now += self.luck.choice([1, 2, 5, 15, 45, 90]) * MINUTE
        set_clock(self.model.now)

    def work(self) -> None:
        """The worker looks, as it does each minute."""
        now = self.model.now
        self.model.expire_entries()
        entries.expire(now=now)
        done = offering.advance_due(now=now)
        assert (done["failed"], done["left"]) == (0, 0)
        for pk, offer in self.model.seen.offers.items():
            if offer.status == "OFFERED" and offer.expires_at <= now:
                self.model.answers[pk] = "EXPIRED"


WEIGHTS = {
    "work": 9,
    "waits": 27,
    "books": 16,
    "cancels": 10,
    "accepts": 8,
    "joins": 7,
    "moves": 5,
    "declines": 5,
    "keeps": 4,
    "undoes": 2,
    "pauses": 2,
    "resumes": 2,
    "leaves": 2,
    "wants_no_more": 1,
    "withdraws": 1,
    "takes_an_offer_back": 1,
}


def test_ten_thousand_acts_forget_no_time_and_ask_nobody_out_of_turn(town: Town) -> None:
    done: Counter[str] = Counter()
    for number in range(WEEKS):
        week = Week(town, number + 1, random.Random(f"{SEED}:{number}"))
        week.run(ACTS)
        done += week.done
        done += Counter(answer for answer in week.model.answers.values())
    assert sum(done[name] for name in WEIGHTS) == 10_000
    assert all(done[name] > 20 for name in ("CLAIMED", "DECLINED", "EXPIRED", "GONE")), done
    assert all(done[f"refused: {name}"] for name in ("OfferEnded", "SlotTaken", "PatientBusy"))


class TestTheModelNotices:
    """Controls: a waitlist that breaks one of its laws does not get through."""

    def run(self, town: Town) -> None:
        for number in range(8):
            Week(town, number + 1, random.Random(f"{SEED}:{number}")).run(ACTS)

    def test_an_order_that_is_not_the_rules(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ranking, "RULE", tuple(reversed(ranking.RULE)))
        with pytest.raises(AssertionError, match="asked out of turn"):
            self.run(town)

    def test_time_that_is_forgotten(self, town: Town, settings: Any) -> None:
        settings.BOOKING_HANDLERS = []
        with pytest.raises(AssertionError, match="forgotten"):
            self.run(town)

    def test_an_offer_that_keeps_no_time(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        made = steps.make

        def make(*args: Any, **more: Any) -> WaitlistOffer:
            offer: WaitlistOffer = made(*args, **more)
            with transaction.atomic():
                SlotHold.objects.filter(holder=f"opening:{offer.opening_id}").delete()
                bump([offer.opening.provider_id])
            return offer

        monkeypatch.setattr(steps, "make", make)
        with pytest.raises(AssertionError, match="an offer keeps no time"):
            self.run(town)
