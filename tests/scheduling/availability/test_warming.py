"""After warming, whoever asks finds everything in the store; without Redis nothing is done."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.models import Patient
from providers.calendars import bump
from providers.models import Clinic, Provider, ProviderCalendar, VisitType
from scheduling import block_store, tasks
from scheduling.actors import Actor
from scheduling.availability import Query, filling, search, warming
from scheduling.blocks import timeline
from scheduling.policies import terms_for
from tests.factories import (
    AppointmentFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    next_monday,
)
from tests.scheduling.redis_servers import RedisServer

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
PATIENT = terms_for(Actor.patient())
NOTHING = {"providers": 0, "filled": 0, "renewed": 0}
AWAY = {"ended": "no Redis, or none that answers"}
PREFIX = block_store.PREFIX + b"*"


@pytest.fixture
def people(clinic: Clinic, visit_type: VisitType) -> list[Provider]:
    return ProviderFactory.create_batch(3, clinic=clinic, working=True)


def month(clinic: Clinic, kind: VisitType, now: datetime) -> Query:
    today = now.astimezone(clinic.zone).date()
    return Query(kind, today, today + 29 * DAY, (clinic,))


def warm(now: datetime, **other: Any) -> tuple[int, int, int]:
    every = list(warming.warm(now=now, **other))
    return (
        sum(some.providers for some in every),
        sum(some.filled for some in every),
        sum(some.renewed for some in every),
    )


def asked_of_the_rows(query: Query, now: datetime) -> int:
    """Return how many statements a search for all of a month needs, beside that for providers."""
    with CaptureQueriesContext(connection) as asked:
        assert search(query, terms=PATIENT, now=now, limit=10_000)
    return sum("providers_providerschedule" in one["sql"] for one in asked.captured_queries[1:])


def test_a_search_after_warming_reads_no_hours(
    redis_on: RedisServer, people: list[Provider], visit_type: VisitType, now: datetime
) -> None:
    query = month(people[0].clinic, visit_type, now)
    blocks = len(timeline.blocks_between(now, now + 30 * DAY))
    assert warm(now) == (3, 3 * blocks, 0)
    assert asked_of_the_rows(query, now) == 0
    with redis_on.client() as client:
        client.flushall()
    assert asked_of_the_rows(query, now) > 0


def test_what_is_there_is_renewed_and_not_worked_out_again(
    redis_on: RedisServer, people: list[Provider], now: datetime
) -> None:
    _providers, filled, _renewed = warm(now)
    bump([people[1].pk])
    with redis_on.client() as client:
        before = {key: client.get(key) for key in client.keys(PREFIX)}
        for key in before:
            client.expire(key, 100)
        assert warm(now) == (3, filled // 3, filled - filled // 3)
        assert {key: client.get(key) for key in before} == before
        renewed = {key for key in before if client.ttl(key) > 100}
    assert renewed == {key for key in before if people[1].pk.bytes not in key}
    with CaptureQueriesContext(connection) as asked:
        assert warm(now) == (3, 0, filled)
    assert not any("providerschedule" in one["sql"] for one in asked.captured_queries)


def test_every_grid_in_use_is_warmed_and_the_finer_one_that_hours_need(
    redis_on: RedisServer, clinic: Clinic, visit_type: VisitType, now: datetime
) -> None:
    fives = VisitTypeFactory.create(minutes=20)
    VisitTypeFactory.create(minutes=None, buffer_before_minutes=15)
    plain = ProviderFactory.create(clinic=clinic, working=True)
    odd = ProviderFactory.create(clinic=clinic)
    for weekday in range(7):
        ProviderScheduleFactory.create(
            provider=odd, day_of_week=weekday, start_time=time(8, 7), end_time=time(12, 7)
        )
    assert warming.grids_in_use() == [15, 5]
    warm(now)
    blocks = timeline.blocks_between(now, now + 30 * DAY)
    grids: dict[Provider, set[int]] = {someone: set() for someone in (plain, odd)}
    with redis_on.client() as client:
        for someone in (plain, odd):
            stamp = ProviderCalendar.objects.get(provider=someone).stamp
            entry = someone.pk.bytes + stamp.to_bytes(8, "big", signed=True)
            for grid in timeline.GRIDS:
                if client.exists(*block_store.keys(entry, grid, blocks[1])):
                    grids[someone].add(grid)
    assert grids == {plain: {15, 5}, odd: {15, 5, 1}}
    for kind in (visit_type, fives):
        assert asked_of_the_rows(month(clinic, kind, now), now) == 0


def test_a_large_clinic_is_gone_through_in_parts(
    redis_on: RedisServer,
    people: list[Provider],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warming, "TOGETHER", 2)
    parts = list(warming.warm(now=now))
    ids = sorted(someone.pk for someone in people)
    assert [(some.providers, some.last) for some in parts] == [(2, ids[1]), (1, ids[2])]
    assert [some.providers for some in warming.warm(now=now, after=ids[1])] == [1]


def test_a_booking_while_it_warms_leaves_nothing_stale(
    redis_on: RedisServer,
    people: list[Provider],
    visit_type: VisitType,
    patient: Patient,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between its look at the stamps and its look at the rows somebody books."""
    start = at(next_monday(1), "09:00")
    records = filling.records

    def booked_meanwhile(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(filling, "records", records)
        AppointmentFactory.create(
            provider=people[0], patient=patient, visit_type=visit_type, start=start
        )
        return records(*args, **kwargs)

    monkeypatch.setattr(filling, "records", booked_meanwhile)
    blocks = len(timeline.blocks_between(now, now + 30 * DAY))
    assert warm(now) == (3, 2 * blocks, 0)
    query = month(people[0].clinic, visit_type, now)
    found = search(query, terms=PATIENT, now=now, limit=10_000)
    free = {slot.provider for slot in found if slot.start == start}
    assert free == {people[1], people[2]}


def test_the_job_says_what_it_did(
    redis_on: RedisServer, people: list[Provider], now: datetime
) -> None:
    done = tasks.warm_availability()
    blocks = len(timeline.blocks_between(now, now + 30 * DAY))
    assert done == {"providers": 3, "filled": 3 * blocks, "renewed": 0}


def test_what_takes_too_long_for_one_task_goes_on_in_the_next(
    redis_on: RedisServer, people: list[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "TOGETHER", 2)
    monkeypatch.setattr(tasks, "SECONDS_OF_WARMING", 0)
    ids = sorted(someone.pk for someone in people)
    blocks = len(timeline.blocks_between(timezone.now(), timezone.now() + 30 * DAY))
    first = tasks.warm_availability()
    assert first == {
        "providers": 2,
        "filled": 2 * blocks,
        "renewed": 0,
        "goes_on_after": str(ids[1]),
    }
    with redis_on.client() as client:
        assert len(client.keys(PREFIX)) == 3 * blocks
    assert tasks.warm_availability(str(ids[2])) == NOTHING


def test_without_redis_nothing_is_done_and_it_says_so(people: list[Provider]) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert list(warming.warm(now=timezone.now())) == []
        assert tasks.warm_availability() == {**NOTHING, **AWAY}
    assert len(asked) == 0
    assert "no Redis" in told()


def test_a_redis_that_dies_ends_it(
    redis_server: RedisServer, people: list[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "TOGETHER", 1)
    parts = warming.warm(now=timezone.now())
    assert next(parts).filled > 0
    redis_server.kill()
    rest = list(parts)
    assert [(some.providers, some.filled, some.renewed) for some in rest] == [(1, 0, 0)]
    assert tasks.warm_availability() == {**NOTHING, **AWAY}


def test_the_command_says_what_it_did(redis_on: RedisServer, people: list[Provider]) -> None:
    begin = timezone.now()
    month, day = (len(timeline.blocks_between(begin, begin + n * DAY)) for n in (30, 1))
    assert told() == f"3 of 3 providers: {3 * month} blocks filled, 0 renewed.\n"
    assert told("--days", "1") == f"3 of 3 providers: 0 blocks filled, {3 * day} renewed.\n"


def told(*args: str) -> str:
    out = StringIO()
    call_command("warm_availability", *args, stdout=out)
    return out.getvalue()
