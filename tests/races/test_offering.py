"""Workers that look at one opening in the same moment: one of them passes it on."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from providers.models import Provider
from scheduling.models import Opening, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import offering, ranking, steps
from scheduling.waitlist.keeping import HANDOVER, holder_of
from tests.factories.waitlist import entry_of, opening_of
from tests.races.crew import Crew
from tests.races.rounds import ROUNDS, sizes
from tests.races.stage import Stage, won
from tests.scheduling.waitlist.ageing import grow_old

pytestmark = pytest.mark.race
OFFERED = WaitlistOffer.Status.OFFERED
WAIT = 5


@pytest.fixture(autouse=True)
def _any_time(settings: Any) -> None:
    settings.OFFER_REACH = "tests.scheduling.waitlist.reaching.anybody"


@pytest.fixture(autouse=True)
def _each_ranks_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers would choose the same patient, whom the database keeps from two offers."""

    def shuffled(waiting: Iterable[Any], **_key: Any) -> list[Any]:
        everybody = list(waiting)
        return random.sample(everybody, k=len(everybody))

    monkeypatch.setattr(ranking, "rank", shuffled)


def gap_with_an_offer_that_is_over(stage: Stage, provider: Provider) -> Opening:
    """Its time is still kept, so that it can be passed on. Earlier rounds were on another day."""
    WaitlistEntry.objects.update(status="LEFT")
    WaitlistOffer.objects.update(made_at=timezone.now() - timedelta(days=2))
    WaitlistOffer.objects.filter(status=OFFERED).update(status="GONE")
    for patient in stage.patients[:WAIT]:
        entry_of(patient, provider=provider, visit_type=stage.visit_type)
    gap = opening_of(provider, stage.fresh_hour(), minutes=10)
    offering.advance(gap.pk, now=timezone.now())
    grow_old(gap, by=timedelta(hours=2))
    return gap


def race(stage: Stage, crew: Crew, provider: Provider) -> Opening:
    gap = gap_with_an_offer_that_is_over(stage, provider)
    now: datetime = timezone.now()
    won(crew.race([partial(offering.advance, gap.pk, now=now)] * crew.size))
    return gap


@pytest.mark.parametrize("size", sizes("offers"))
def test_of_any_number_of_workers_one_makes_the_next_offer(stage: Stage, size: int) -> None:
    with Crew(size) as crew:
        for _round in range(ROUNDS["offers", size]):
            gap = race(stage, crew, stage.provider)
            statuses = gap.offers.order_by("made_at", "pk").values_list("status", flat=True)
            assert list(statuses) == ["EXPIRED", OFFERED]
            hold = SlotHold.objects.live().get(holder=holder_of(gap.pk))
            offer = gap.offers.get(status=OFFERED)
            assert hold.expires_at == offer.expires_at + HANDOVER


def test_without_the_round_two_workers_offer_it_to_two(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same race, in which what was decided is written whatever happened since."""

    def whatever_it_is(seen: Any) -> QuerySet[Opening]:
        return Opening.objects.filter(pk=seen.opening.pk, state=Opening.State.OPEN)

    monkeypatch.setattr(steps, "_as_seen", whatever_it_is)
    twice = 0
    with Crew(2) as crew:
        for _round in range(ROUNDS["offers", 2]):
            gap = race(stage, crew, stage.provider)
            twice += gap.offers.filter(status=OFFERED).count() > 1
    assert twice > 0
