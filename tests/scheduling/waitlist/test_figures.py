"""What became of freed time and of offers, counted and compared with a count by hand."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.models import Clinic, Provider
from scheduling.models import Opening, WaitlistOffer
from scheduling.waitlist.figures import Filling, Offers, Openings, offers, openings
from tests.factories import ClinicFactory, PatientFactory, ProviderFactory, at, next_monday
from tests.factories.waitlist import entry_of, offer_of, opening_of

pytestmark = pytest.mark.django_db
Status = WaitlistOffer.Status
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
SINCE = at(next_monday(), "00:00")
UNTIL = SINCE + 7 * DAY
TEN = SINCE + 10 * HOUR
# Cause, how it ended (empty: not yet), hours from coming free to its start, how often.
BY_HAND = [
    ("CANCEL", "CLAIMED", 5, 3),
    ("CANCEL", "EXHAUSTED", 23, 2),
    ("CANCEL", "BOOKED", 25, 1),
    ("CANCEL", "RETURNED", 25, 4),
    ("RELEASE", "TOO_LATE", 2, 1),
    ("RELEASE", "CLAIMED", 71, 1),
    ("MOVE", "CLAIMED", 100, 1),
    ("MOVE", "", 400, 2),
    ("LEAVE", "EXHAUSTED", 200, 1),
    ("HOURS", "NOT_WORKED", 200, 1),
    ("REST", "SWITCHED_OFF", 400, 1),
    ("DESK", "WITHDRAWN", 400, 1),
    ("DESK", "CLAIMED", 400, 1),
]


def freed(
    provider: Provider, cause: str, ended: str, hours: float, *, came: datetime = TEN
) -> Opening:
    """Write time that came free so many hours before its start, and how that ended."""
    end: dict[str, Any] = (
        {"state": "CLOSED", "ended": ended, "ended_at": came + HOUR} if ended else {}
    )
    if ended == "CLAIMED":
        end["state"] = "FILLED"
    return opening_of(
        provider, came + hours * HOUR, cause=Opening.Cause(cause), created_at=came, **end
    )


def counted(clinic: Clinic) -> Openings:
    return openings(clinic, since=SINCE, until=UNTIL)


@pytest.fixture
def week(provider: Provider) -> Clinic:
    """A week of freed time, a little before and after it, and some of another clinic's."""
    for cause, ended, hours, times in BY_HAND:
        for _time in range(times):
            freed(provider, cause, ended, hours)
    freed(provider, "CANCEL", "CLAIMED", 5, came=SINCE - MINUTE)
    freed(provider, "CANCEL", "CLAIMED", 5, came=UNTIL)
    freed(ProviderFactory.create(clinic=ClinicFactory.create()), "CANCEL", "CLAIMED", 5)
    return provider.clinic


def test_freed_time_is_counted_by_cause_and_by_how_it_ended(week: Clinic) -> None:
    found = counted(week)
    assert found.total == 20
    by_hand: dict[str, Counter[Any]] = {}
    for cause, ended, _hours, times in BY_HAND:
        by_hand.setdefault(cause, Counter())[ended or None] += times
    assert found.by_cause == by_hand
    assert list(found.by_cause) == list(Opening.Cause)


def test_only_time_that_could_be_filled_counts_for_how_much_was(week: Clinic) -> None:
    assert counted(week).filling == Filling(counted=11, claimed=6, booked=1)
    assert counted(week).filling.filled == 7


def test_it_is_counted_by_how_long_before_it_came_free(week: Clinic) -> None:
    assert counted(week).by_band == [
        Filling(6, 3, 0),
        Filling(2, 1, 1),
        Filling(1, 1, 0),
        Filling(1, 0, 0),
        Filling(1, 1, 0),
    ]


@pytest.mark.parametrize(
    ("hours", "band"), [(0.1, 0), (23.9, 0), (24.1, 1), (71.9, 1), (72.1, 2), (169, 3), (1_000, 4)]
)
def test_each_band_ends_where_the_next_begins(provider: Provider, hours: float, band: int) -> None:
    freed(provider, "CANCEL", "CLAIMED", hours)
    filled = [each.filled for each in counted(provider.clinic).by_band]
    assert filled == [int(place == band) for place in range(5)]


def offered(provider: Provider, status: str, **values: Any) -> WaitlistOffer:
    """Write an offer to somebody new, made at ten."""
    patient = PatientFactory.create(clinic=provider.clinic)
    opening = freed(provider, "CANCEL", "", 30)
    entry = entry_of(patient, provider=provider)
    return offer_of(entry, opening, status=status, **{"made_at": TEN, **values})


def test_offers_are_counted_with_the_median_answer_and_the_days_gained(provider: Provider) -> None:
    sent = TEN + 5 * MINUTE
    offered(provider, "CLAIMED", sent_at=sent, answered_at=sent + 10 * MINUTE, days_gained=3)
    offered(provider, "CLAIMED", sent_at=sent, answered_at=sent + 20 * MINUTE, days_gained=14)
    offered(provider, "CLAIMED", answered_at=TEN + 100 * MINUTE)
    offered(provider, "DECLINED", sent_at=sent, answered_at=sent + 40 * MINUTE, days_gained=99)
    offered(provider, "EXPIRED", answered_at=TEN + 400 * MINUTE)
    for _time in range(3):
        offered(provider, "GONE")
    offered(provider, "OFFERED")
    offered(provider, "CLAIMED", made_at=SINCE - MINUTE, answered_at=SINCE, days_gained=50)
    offered(ProviderFactory.create(clinic=ClinicFactory.create()), "CLAIMED", days_gained=50)
    found = offers(provider.clinic, since=SINCE, until=UNTIL)
    assert found == Offers(
        by_status=Counter(
            {
                Status.CLAIMED: 3,
                Status.GONE: 3,
                Status.DECLINED: 1,
                Status.EXPIRED: 1,
                Status.OFFERED: 1,
            }
        ),
        answered_in=30 * MINUTE,
        median_days=8.5,
        days_gained=17,
    )
    assert found.made == 9


def test_of_nothing_there_is_nothing_to_say(clinic: Clinic) -> None:
    assert counted(clinic).total == 0
    assert counted(clinic).by_cause == {}
    assert counted(clinic).filling == Filling(0, 0, 0)
    assert offers(clinic, since=SINCE, until=UNTIL) == Offers(Counter(), None, None, 0)


def test_a_large_clinic_costs_no_more_statements_than_a_small_one(week: Clinic) -> None:
    with CaptureQueriesContext(connection) as asked:
        counted(week)
        offers(week, since=SINCE, until=UNTIL)
    assert len(asked) == 2
