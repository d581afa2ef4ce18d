"""Many answer one offer, or its time is taken in the same moment: exactly one has the time."""

from __future__ import annotations

import random
from functools import partial
from itertools import count
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import SchedulingError, SlotTaken, Stale
from scheduling.models import (
    Appointment,
    CancelReason,
    Mode,
    Opening,
    SlotHold,
    WaitlistEntry,
    WaitlistOffer,
)
from scheduling.waitlist import by_hand, claims, entries, offering
from scheduling.waitlist.errors import OfferEnded
from scheduling.waitlist.tokens import token_of
from tests.factories.waitlist import entry_of
from tests.races.crew import Crew, Job
from tests.races.stage import HOUR, MINUTE, Stage, lost, won
from tests.races.waiting import (
    PATIENT,
    Answer,
    Waiting,
    answers_of,
    assert_settled,
    assert_waiting,
    live,
    visits_at,
)
from tests.scheduling.waitlist.offered import offered

pytestmark = pytest.mark.race
CLAIMERS = 20
HEAD_START = 0.3  # seconds
SYSTEM = Actor.system("release")


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: Any) -> None:
    """Whoever waits can be told at any hour; what they are told is of no concern here."""
    settings.OFFER_REACH = "tests.scheduling.waitlist.reaching.anybody"
    settings.OFFER_HANDLERS = []


@pytest.fixture
def waiting(stage: Stage) -> Waiting:
    return Waiting(stage)


def accept(offer: WaitlistOffer) -> Appointment:
    return claims.accept(offer=offer, by=PATIENT, now=timezone.now())


def delayed(job: Job, seconds: float) -> object:
    sleep(seconds)
    return job()


def a_little_later(job: Job) -> object:
    """Do the shorter of two jobs somewhere in the course of the longer one."""
    return delayed(job, random.uniform(0, 0.06))


def in_turns(number: int, longer: Job, shorter: Job) -> list[Job]:
    """Let either of two jobs have a head start now and then, else run them into each other."""
    if number % 6 == 0:
        return [longer, partial(delayed, shorter, HEAD_START)]
    if number % 6 == 3:
        return [partial(delayed, longer, HEAD_START), shorter]
    return [longer, partial(a_little_later, shorter)]


class TestTwentyAndTheDesk:
    def test_one_of_twenty_has_what_the_desk_wants_too(self, waiting: Waiting) -> None:
        """Offers keep the time: the desk, which comes at the same instant, does not get it."""
        stage = waiting.stage
        with Crew(CLAIMERS + 1) as crew:
            for _ in range(30):
                queue = waiting.queue(CLAIMERS)
                opening = waiting.freed()
                offers = offered(opening, *queue)
                by_hand_ = partial(stage.book, offers[0].visit_start, patient=30)
                answers = crew.race([*(partial(accept, offer) for offer in offers), by_hand_])
                (visit,) = won(answers)
                assert set(lost(answers[:-1])) == {OfferEnded}
                assert lost(answers[-1:]) == [SlotTaken]
                winner = offers[answers.index(visit)]
                assert assert_settled(opening, winner) == visit
                assert answers_of(offers) == [Answer.CLAIMED] + [Answer.GONE] * (CLAIMERS - 1)
                assert_waiting([offer for offer in offers if offer != winner])

    def test_a_cancellation_offers_claimers_and_the_desk_all_at_once(
        self, waiting: Waiting
    ) -> None:
        """The worker offers what is being cancelled while twenty wait for it to be offered."""
        with Crew(CLAIMERS + 2) as crew:
            for number in range(10):
                self.all_at_once(waiting, crew, hurry=number % 2 == 0)

    def all_at_once(self, waiting: Waiting, crew: Crew, *, hurry: bool) -> None:
        stage, over = waiting.stage, Event()
        queue = waiting.queue(CLAIMERS)
        visit = waiting.visit()
        start = visit.scheduled_start

        def worker() -> None:
            try:
                waiting.offered(waiting.cancel(visit), CLAIMERS)
            finally:
                over.set()

        def claimer(entry: WaitlistEntry) -> object:
            while True:
                was_over = over.is_set()
                offer = entry.offers.filter(visit_start=start).first()
                if offer is not None:
                    return accept(offer)
                if was_over:
                    return None
                sleep(0.01)

        def desk() -> object:
            """Want the time from the first instant, or from when it is offered to somebody."""
            kept = SlotHold.objects.filter(provider=stage.provider, visit_start=start)
            while not over.is_set():
                try:
                    if hurry or kept.exists():
                        return stage.book(start, patient=30)
                except SchedulingError:
                    sleep(0.005)
            return None

        jobs: list[Job] = [worker, desk, *(partial(claimer, entry) for entry in queue)]
        answers = crew.race(jobs)
        had = [answer for answer in won(answers) if answer is not None]
        assert set(lost(answers)) <= {OfferEnded, SlotTaken}
        opening = Opening.objects.get(span=visit.busy)
        offering.advance(opening.pk, now=timezone.now() + HOUR)
        opening.refresh_from_db()
        assert visits_at(start) == had
        assert len(had) == 1
        visit.refresh_from_db()
        assert visit.status == "CANCELLED"
        assert not live(opening)
        assert opening.offers.filter(status=Answer.CLAIMED).count() == (
            opening.ended == Opening.Ended.CLAIMED
        )
        late = opening.offers.exclude(status=Answer.CLAIMED)
        assert_waiting(list(late))


class TestOneOfferAnsweredManyTimes:
    @pytest.mark.parametrize(("size", "rounds"), [(2, 100), (8, 25)])
    def test_two_devices_and_a_double_click_are_one_visit(
        self, waiting: Waiting, size: int, rounds: int
    ) -> None:
        with Crew(size) as crew:
            for _ in range(rounds):
                waiting.queue(1)
                opening = waiting.freed()
                (offer,) = waiting.offered(opening, 1)
                answers = won(crew.race([partial(accept, offer)] * size))
                assert len(answers) == size
                visit = assert_settled(opening, offer)
                assert {each.pk for each in answers} == {visit.pk}  # type: ignore[attr-defined]
                assert visit.events.count() == 1

    @pytest.mark.parametrize(("size", "rounds"), [(2, 60), (8, 15)])
    def test_a_visit_that_is_to_come_sooner_moves_once(
        self, waiting: Waiting, size: int, rounds: int
    ) -> None:
        stage = waiting.stage
        with Crew(size) as crew:
            for _ in range(rounds):
                opening = waiting.freed()
                later = stage.book(stage.fresh_hour(), patient=0)
                entry = waiting.entry(0)
                WaitlistEntry.objects.filter(pk=entry.pk).update(replaces=later)
                (offer,) = waiting.offered(opening, 1)
                answers = won(crew.race([partial(accept, offer)] * size))
                assert {(each.pk, each.version) for each in answers} == {  # type: ignore[attr-defined]
                    (later.pk, later.version + 1)
                }
                assert assert_settled(opening, offer).pk == later.pk
                assert not visits_at(later.scheduled_start)
                Opening.objects.filter(state="OPEN").delete()

    def test_a_scanner_that_looks_while_its_human_accepts_takes_nothing(
        self, waiting: Waiting
    ) -> None:
        """Mail scanners follow each link; browsers fetch pages ahead. Only the button takes it."""
        with Crew(4) as crew:
            for _ in range(15):
                waiting.queue(1)
                opening = waiting.freed()
                (offer,) = waiting.offered(opening, 1)
                human = opened(offer)
                assert live(opening) == [offer]
                button = partial(human.post, reverse("portal:offer_accept", args=[offer.pk]))
                jobs: list[Job] = [partial(scan, offer) for _scanner in range(3)]
                jobs.append(button)
                answers = won(crew.race(jobs))
                assert {answer.status_code for answer in answers[:3]} == {200}  # type: ignore[attr-defined]
                assert answers[3].status_code == 302  # type: ignore[attr-defined]
                assert assert_settled(opening, offer).events.count() == 1

    def test_scanners_alone_take_nothing(self, waiting: Waiting) -> None:
        with Crew(4) as crew:
            waiting.queue(1)
            opening = waiting.freed()
            (offer,) = waiting.offered(opening, 1)
            before = WaitlistOffer.objects.values().get()
            won(crew.race([partial(scan, offer)] * 4))
            assert WaitlistOffer.objects.values().get() == before
            assert not visits_at(offer.visit_start)


def opened(offer: WaitlistOffer) -> Client:
    """Return a browser that has followed the link of an offer."""
    browser = Client()
    browser.get(reverse("portal:offer", args=[token_of(offer.pk)]), follow=True)
    return browser


def scan(offer: WaitlistOffer) -> object:
    return Client().get(reverse("portal:offer", args=[token_of(offer.pk)]), follow=True)


class TestWhatElseHappensToTheTime:
    def test_the_desk_withdraws_what_is_being_accepted(self, waiting: Waiting) -> None:
        ends = set()
        with Crew(2) as crew:
            for number in range(60):
                waiting.queue(1)
                opening = waiting.freed()
                (offer,) = waiting.offered(opening, 1)
                withdraw = partial(
                    by_hand.withdraw, opening=opening, by=waiting.stage.desk, now=timezone.now()
                )
                answers = crew.race(in_turns(number, partial(accept, offer), withdraw))
                won(answers)
                opening.refresh_from_db()
                ends.add(opening.ended)
                if opening.ended == "CLAIMED":
                    assert assert_settled(opening, offer) == answers[0]
                else:
                    assert opening.ended == "WITHDRAWN"
                    assert answers_of([offer]) == [Answer.GONE]
                    assert not visits_at(offer.visit_start)
                    assert lost(answers) == [OfferEnded]
        assert ends == {"CLAIMED", "WITHDRAWN"}

    def test_declined_and_accepted_at_once_one_answer_counts(self, waiting: Waiting) -> None:
        ends = set()
        with Crew(2) as crew:
            for number in range(60):
                waiting.queue(1)
                opening = waiting.freed()
                (offer,) = waiting.offered(opening, 1)
                decline = partial(claims.decline, offer=offer, by=PATIENT, now=timezone.now())
                answers = crew.race(in_turns(number, partial(accept, offer), decline))
                assert len(won(answers)) == 1
                assert lost(answers) == [OfferEnded]
                (end,) = answers_of([offer])
                assert end == (Answer.CLAIMED if answers[0] in won(answers) else Answer.DECLINED)
                assert len(visits_at(offer.visit_start)) == (end == Answer.CLAIMED)
                ends.add(end)
                Opening.objects.filter(state="OPEN").delete()
        assert ends == {Answer.CLAIMED, Answer.DECLINED}

    def test_a_released_visit_does_not_come_back_to_a_time_that_is_offered(
        self, waiting: Waiting
    ) -> None:
        with Crew(2) as crew:
            for _ in range(40):
                waiting.queue(1)
                visit = waiting.visit()
                released = booking.cancel(
                    appointment=visit,
                    reason=CancelReason.UNCONFIRMED,
                    by=SYSTEM,
                    now=timezone.now(),
                )
                opening = Opening.objects.get(span=visit.busy)
                (offer,) = waiting.offered(opening, 1)
                restore = partial(
                    booking.restore,
                    appointment=released,
                    by=waiting.stage.desk,
                    now=timezone.now(),
                )
                answers = crew.race([partial(accept, offer), restore])
                assert won(answers) == [assert_settled(opening, offer)]
                assert lost(answers) == [SlotTaken]
                released.refresh_from_db()
                assert released.status == "CANCELLED"

    def test_a_visit_cancelled_while_it_moves_is_booked_anew_or_not_cancelled(
        self, waiting: Waiting
    ) -> None:
        stage, ends = waiting.stage, set()
        with Crew(2) as crew:
            for number in range(40):
                opening = waiting.freed()
                old = stage.book(stage.fresh_hour(), patient=0)
                WaitlistEntry.objects.filter(pk=waiting.entry(0).pk).update(replaces=old)
                (offer,) = waiting.offered(opening, 1)
                cancel = partial(
                    booking.cancel,
                    appointment=old,
                    reason="OTHER",
                    by=stage.desk,
                    now=timezone.now(),
                )
                answers = crew.race(in_turns(number, partial(accept, offer), cancel))
                won(answers)
                visit = assert_settled(opening, offer)
                old.refresh_from_db()
                assert lost(answers) == ([Stale] if visit.pk == old.pk else [])
                assert not visits_at(old.scheduled_start) or visit.pk == old.pk
                ends.add(visit.pk == old.pk)
                Opening.objects.filter(state="OPEN").delete()
        assert ends == {True, False}

    def test_two_who_take_each_others_old_calendars_both_get_what_they_were_offered(
        self, waiting: Waiting
    ) -> None:
        """Each moves to the other's provider: their locks cross, and neither hears of it."""
        stage = waiting.stage
        with Crew(2) as crew:
            for _ in range(30):
                offers = []
                for n in range(2):
                    there = stage.book(stage.fresh_hour(), patient=-1, provider=n)
                    opening = waiting.cancel(there)
                    later = stage.book(stage.fresh_hour(), patient=n, provider=1 - n)
                    entry_of(
                        stage.patients[n],
                        provider=stage.providers[n],
                        visit_type=stage.visit_type,
                        replaces=later,
                    )
                    offers += waiting.offered(opening, 1)
                answers = won(crew.race([partial(accept, offer) for offer in offers]))
                assert len(answers) == 2
                for offer in offers:
                    assert_settled(offer.opening, offer)
                Opening.objects.filter(state="OPEN").delete()

    def test_whoever_leaves_in_the_moment_of_an_offer_has_none_afterwards(
        self, waiting: Waiting
    ) -> None:
        ends = set()
        with Crew(2) as crew:
            for number in range(60):
                (entry,) = waiting.queue(1)
                opening = waiting.freed()
                leave = partial(entries.leave, entry, by=PATIENT, now=timezone.now())
                offers = partial(waiting.offered, opening, 1)
                won(crew.race(in_turns(number, offers, leave)))
                assert not entry.offers.filter(status=Answer.OFFERED).exists()
                ends.add(entry.offers.count())
                Opening.objects.filter(state="OPEN").delete()
        assert ends == {0, 1}


class TestInTurn:
    """One after the other: an offer that ends is the next patient's, and nobody's in between."""

    def test_an_answer_and_the_worker_at_once_leave_one_offer_or_one_visit(
        self, stage: Stage
    ) -> None:
        waiting, turns = Waiting(stage, mode=Mode.SEQUENTIAL), count()
        with Crew(3) as crew:
            for _ in range(40):
                waiting.queue(3)
                opening = waiting.freed()
                (offer,) = waiting.offered(opening, 1)
                verb = claims.decline if next(turns) % 2 else claims.accept
                answer = partial(verb, offer=offer, by=PATIENT, now=timezone.now())
                worker = partial(offering.advance, opening.pk, now=timezone.now())
                won(crew.race([answer, worker, worker]))
                opening.refresh_from_db()
                offering.advance(opening.pk, now=timezone.now() + MINUTE)
                opening.refresh_from_db()
                standing, visits = len(live(opening)), len(visits_at(offer.visit_start))
                assert (standing, visits) == ((0, 1) if verb is claims.accept else (1, 0))
                assert opening.state == ("FILLED" if visits else "OPEN")
                by_hand.withdraw(opening=opening, by=stage.desk, now=timezone.now())
