"""Asking what is free takes as many statements of two hundred providers as of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from providers.calendars import bump
from providers.models import Clinic, Provider, ProviderSchedule, Specialty, VisitType, Weekday
from scheduling.availability import Query, days_with_openings, is_free, nearest, search
from scheduling.placing import Terms
from tests.factories import ClinicFactory, ProviderFactory, VisitTypeFactory, at, next_monday
from tests.scheduling.redis_servers import RedisServer

DAY = timedelta(days=1)
MONDAY = next_monday(1)
TERMS = Terms()
# Who matches, and who is shown; a single start names nobody.
WARM = {"search": 2, "days": 2, "is free": 1, "nearest": 2}
# For each stretch of blocks their rows, and the stamps with them; two weeks are one stretch.
COLD = {"search": 3, "days": 3, "is free": 2, "nearest": 3}
WITHOUT = COLD

pytestmark = pytest.mark.django_db(transaction=True)


class Street:
    """A clinic with any number of providers, who all work on Mondays."""

    def __init__(self) -> None:
        self.clinic: Clinic = ClinicFactory.create()
        self.kind: VisitType = VisitTypeFactory.create(minutes=30)
        self.one: Provider = ProviderFactory.create(clinic=self.clinic)
        self.hire([self.one])

    def hire(self, people: list[Provider]) -> None:
        with transaction.atomic():
            ProviderSchedule.objects.bulk_create(
                ProviderSchedule(
                    provider=provider,
                    clinic=self.clinic,
                    day_of_week=Weekday.MONDAY,
                    start_time=time(8),
                    end_time=time(17),
                    slot_duration_minutes=30,
                    valid_from=MONDAY - DAY,
                )
                for provider in people
            )
            bump(provider.pk for provider in people)

    def grow(self) -> None:
        """Become two hundred, of the one's specialty."""
        more = ProviderFactory.create_batch(199, clinic=self.clinic, specialty=self.one.specialty)
        self.hire(more)

    def query(self) -> Query:
        return Query(self.kind, MONDAY, MONDAY + 2 * DAY, (self.clinic,), specialty=self.specialty)

    @property
    def specialty(self) -> Specialty:
        assert self.one.specialty is not None
        return self.one.specialty


def questions(street: Street) -> dict[str, Callable[[], object]]:
    """Return each question about a single Monday, which lies in one block."""
    query, now, eight = street.query(), timezone.now(), at(MONDAY, "08:00")
    return {
        "search": lambda: search(query, terms=TERMS, now=now),
        "days": lambda: days_with_openings(query, terms=TERMS, now=now),
        "is free": lambda: is_free(query, start=eight, terms=TERMS, now=now),
        "nearest": lambda: nearest(
            replace(query, provider=street.one), to=eight, terms=TERMS, now=now
        ),
    }


def statements(question: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert question()
    return len(asked)


@pytest.fixture
def street(transactional_db: None) -> Street:
    return Street()


def test_without_redis_each_question_costs_the_same_for_one_and_for_two_hundred(
    street: Street,
) -> None:
    alone = {name: statements(ask) for name, ask in questions(street).items()}
    assert alone == WITHOUT
    street.grow()
    assert {name: statements(ask) for name, ask in questions(street).items()} == alone


@pytest.mark.redis
def test_with_redis_each_question_costs_the_same_for_one_and_for_two_hundred(
    street: Street, redis_on: RedisServer
) -> None:
    def cold_and_warm() -> list[dict[str, int]]:
        counted: list[dict[str, int]] = [{}, {}]
        for name, ask in questions(street).items():
            with redis_on.client() as client:
                client.flushall()
            for answers in counted:
                answers[name] = statements(ask)
        return counted

    alone = cold_and_warm()
    assert alone == [COLD, WARM]
    street.grow()
    assert cold_and_warm() == alone
