"""An offer that is accepted in the milliseconds in which it ends is either taken or over."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from time import sleep
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from scheduling.models import Appointment, Opening, WaitlistOffer
from scheduling.waitlist import claims, offering
from scheduling.waitlist.errors import OfferEnded
from tests.factories.waitlist import opening_of
from tests.races.crew import Crew
from tests.races.stage import Stage, lost, won
from tests.races.waiting import PATIENT, Answer, Waiting, visits_at
from tests.scheduling.waitlist.offered import offered

pytestmark = pytest.mark.race
# Where the same is run again on other servers, fewer will do.
TRIALS = int(os.environ.get("RACE_TRIALS", "1000"))
MILLISECOND = timedelta(milliseconds=1)
AHEAD = 10 * MILLISECOND
LONGEST_LEAD = 200 * MILLISECOND


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: Any) -> None:
    settings.OFFER_REACH = "tests.scheduling.waitlist.reaching.anybody"
    settings.OFFER_HANDLERS = []


def expiring(waiting: Waiting) -> WaitlistOffer:
    """Offer a time of its own to the one who waits, for two hours as yet."""
    stage = waiting.stage
    start = stage.fresh_hour()
    (offer,) = offered(opening_of(stage.provider, start, minutes=10), waiting.entry(0))
    return offer


def end_at(offer: WaitlistOffer, instant: datetime) -> None:
    WaitlistOffer.objects.filter(pk=offer.pk).update(expires_at=instant)


def wait_until(instant: datetime) -> None:
    left = (instant - timezone.now()).total_seconds()
    if left > 0:
        sleep(left)


class Aim:
    """Learns how long a claim takes until it asks for the deadline, to ask it at the deadline."""

    def __init__(self) -> None:
        self.lead = 15 * MILLISECOND

    def learn(self, *, was_too_late: bool) -> None:
        self.lead += (1 if was_too_late else -1) * MILLISECOND
        self.lead = min(max(self.lead, timedelta(0)), LONGEST_LEAD)


def accept_at(offer: WaitlistOffer, instant: datetime) -> Appointment:
    wait_until(instant)
    return claims.accept(offer=offer, by=PATIENT, now=timezone.now())


def sweep_at(opening: Opening, instant: datetime) -> Opening:
    wait_until(instant)
    return offering.advance(opening.pk, now=timezone.now())


def test_accepted_at_its_end_an_offer_is_never_both_taken_and_over_nor_neither(
    stage: Stage,
) -> None:
    waiting, aim, ends = Waiting(stage), Aim(), Counter[str]()
    with Crew(2) as crew:
        for _ in range(TRIALS):
            offer = expiring(waiting)
            deadline = timezone.now() + aim.lead + AHEAD
            end_at(offer, deadline)
            claim_at, sweep_from = (
                deadline + random.uniform(-5, 5) * MILLISECOND for _side in range(2)
            )
            answers = crew.race(
                [
                    partial(accept_at, offer, claim_at - aim.lead),
                    partial(sweep_at, offer.opening, sweep_from),
                ]
            )
            won(answers)
            offering.advance(offer.opening_id, now=timezone.now())
            is_over = assert_one_thing_happened(offer, answers[0])
            aim.learn(was_too_late=is_over)
            ends["over" if is_over else "taken"] += 1
    assert ends["over"], "every claim came in time"
    assert ends["taken"], "every claim came too late"


def assert_one_thing_happened(offer: WaitlistOffer, answer: object) -> bool:
    """Ask the rows whether the offer was taken or is over; return whether it is over."""
    offer.refresh_from_db()
    opening = Opening.objects.get(pk=offer.opening_id)
    visits = visits_at(offer.visit_start)
    if offer.status == Answer.CLAIMED:
        assert visits == [answer]
        assert (opening.state, opening.ended) == ("FILLED", "CLAIMED")
        return False
    assert (offer.status, visits) == (Answer.EXPIRED, [])
    assert lost([answer]) == [OfferEnded]
    assert (opening.state, opening.ended) == ("CLOSED", "EXHAUSTED")
    return True


CREATE = """
CREATE TABLE naive_offer (id int PRIMARY KEY, status text, expires_at timestamptz, visits int)
"""
OPEN = "INSERT INTO naive_offer VALUES (%s, 'OFFERED', clock_timestamp() + interval '5 ms', 0)"
LOOK = "SELECT status, expires_at > clock_timestamp() FROM naive_offer WHERE id = %s"
TAKE = "UPDATE naive_offer SET status = 'CLAIMED', visits = visits + 1 WHERE id = %s"
CLOSE = "UPDATE naive_offer SET status = 'EXPIRED' WHERE id = %s"
WRONG = "SELECT count(*) FROM naive_offer WHERE visits > 1 OR (status = 'EXPIRED' AND visits > 0)"


@pytest.fixture
def _naive_table(stage: Stage) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS naive_offer")
        cursor.execute(CREATE)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE naive_offer")


def answer_naively(number: int, act: str, *, in_time: bool) -> None:
    """Look first and write afterwards, as if nobody else could do so in between."""
    with transaction.atomic(), connection.cursor() as cursor:
        while True:
            cursor.execute(LOOK, [number])
            status, is_in_time = cursor.fetchone()
            if status != "OFFERED" or (in_time and not is_in_time):
                return
            if is_in_time is in_time:
                cursor.execute(act, [number])
                return


@pytest.mark.usefixtures("_naive_table")
def test_look_then_write_takes_an_offer_twice_or_one_that_is_over() -> None:
    with Crew(3) as crew:
        for number in range(200):
            with connection.cursor() as cursor:
                cursor.execute(OPEN, [number])
            take = partial(answer_naively, number, TAKE, in_time=True)
            won(crew.race([take, take, partial(answer_naively, number, CLOSE, in_time=False)]))
    with connection.cursor() as cursor:
        cursor.execute(WRONG)
        (wrong,) = cursor.fetchone()
    assert wrong
