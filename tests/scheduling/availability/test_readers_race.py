"""Readers who are slow: whatever happens while they pause, whoever asks next is answered afresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count

import pytest
import redis
from django.db import connection, transaction

from providers import hours
from providers.calendars import bump
from providers.models import TimeOff
from scheduling import block_store, booking, holds
from scheduling.actors import Actor
from scheduling.availability import filling
from scheduling.blocks import timeline
from scheduling.models import Appointment
from tests.factories import hold_of
from tests.scheduling.availability.acts import FREE_OF_NOTICE, HOUR
from tests.scheduling.availability.comparing import Asker, clock, offers
from tests.scheduling.availability.paused import Paused, stopping_at_redis
from tests.scheduling.availability.restoring import copy_aside, put_back
from tests.scheduling.availability.town import Town, mondays
from tests.scheduling.oracle import Offer
from tests.scheduling.redis_servers import RedisServer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.redis,
    pytest.mark.usefixtures("jobs_wait"),
]


class Scene:
    """A town in which one visit is booked, backed up, and nothing is kept yet."""

    def __init__(self) -> None:
        self.town = Town(mondays()[0], "Asia/Kolkata")
        self.now = self.town.at(-48 * 60)
        self.visit = self.book(2)
        copy_aside()

    def asker(self) -> Asker:
        return Asker(self.town.query(0), FREE_OF_NOTICE, self.now)

    @property
    def blocks(self) -> range:
        """Return the blocks in which the days asked for lie."""
        return timeline.blocks_between(self.town.at(-48 * 60), self.town.at(72 * 60))

    def reader(self) -> Paused:
        ask = self.asker()
        return Paused(lambda: offers(ask.found()))

    def place(self, number: int) -> Offer:
        return self.asker().fresh()[number]

    def book(self, number: int) -> Appointment:
        """Book the free time of that number."""
        start, _end, whose, where = self.place(number)
        return booking.book(
            patient=self.town.patients[number % 4],
            provider=next(p for p in self.town.providers if p.pk == whose),
            clinic=next(c for c in self.town.clinics if c.pk == where),
            visit_type=self.town.types[0],
            start=start,
            override="URGENT",
            by=self.town.desk,
            now=self.now,
        )

    def cancel(self) -> None:
        booking.cancel(appointment=self.visit, reason="OTHER", by=Actor.patient(), now=self.now)

    def move(self) -> None:
        booking.reschedule(
            appointment=self.visit,
            start=self.place(5).start,
            override="URGENT",
            by=self.town.desk,
            now=self.now,
        )

    def hold(self, *, now: datetime | None = None) -> None:
        """Keep the first free time for ten minutes from `now` on."""
        start, _end, whose, where = self.place(0)
        hold_of(
            next(p for p in self.town.providers if p.pk == whose),
            self.town.types[0],
            start,
            clinic=next(c for c in self.town.clinics if c.pk == where),
            by=self.town.desk,
            override="URGENT",
            now=now or clock(),
        )

    def absences(self) -> list[TimeOff]:
        """Return an hour off for everybody, not yet written, at the first free time."""
        start = self.place(0).start
        return [
            TimeOff(
                provider=provider, start_datetime=start, end_datetime=start + HOUR, reason="CME"
            )
            for provider in self.town.providers
        ]

    def go_away(self) -> None:
        for away in self.absences():
            hours.save_time_off(away)

    def book_and_restore(self) -> None:
        self.book(0)
        put_back()


CHANGES: dict[str, Callable[[Scene], object]] = {
    "books": lambda scene: scene.book(0),
    "cancels": Scene.cancel,
    "moves": Scene.move,
    "holds": Scene.hold,
    "goes away": Scene.go_away,
    "books and is restored": Scene.book_and_restore,
}


def every(client: redis.Redis) -> list[bytes]:
    """Return the names of everything that is kept."""
    return list(client.scan_iter())


def forget_all(server: RedisServer) -> None:
    with server.client() as client:
        client.flushall()


@pytest.fixture
def scene(transactional_db: None, redis_on: RedisServer) -> Iterator[Scene]:
    with stopping_at_redis():
        yield Scene()


def test_readers_are_stopped_before_each_statement_and_each_word_with_redis(scene: Scene) -> None:
    first = scene.reader()
    assert first.finish() == scene.asker().fresh()
    # Who matches; then for each block its rows, stamps included; who is shown.
    assert first.steps[:3] == ["start", "statement", "fetch"]
    assert first.steps.count("keep") == len(scene.blocks)
    assert first.steps.count("statement") == 2 + len(scene.blocks)
    second = scene.reader()
    assert second.finish() == scene.asker().fresh()
    assert "keep" not in second.steps
    assert second.steps.count("statement") == 2


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_pause_at_any_step_the_next_reader_is_answered_afresh(
    scene: Scene, redis_on: RedisServer, change: str
) -> None:
    for step in count():
        forget_all(redis_on)
        slow = scene.reader()
        for _ in range(step):
            slow.go_on()
        if slow.is_done:
            break
        CHANGES[change](scene)
        between = scene.reader()
        assert isinstance(slow.finish(), list)
        fresh = scene.asker().assert_search()
        assert between.finish() == fresh
        scene.asker().assert_search()
        put_back()
        scene.asker().assert_search()
    assert step > 6


@pytest.mark.parametrize("step", ["statement", "fetch", "keep"])
@pytest.mark.parametrize("ends", ["on", "after a restore"])
def test_a_slow_writer_carries_nothing_over_that_is_no_longer_so(
    scene: Scene, step: str, ends: str
) -> None:
    """It has committed, and pauses before what is known is handed on to its new stamp."""
    scene.asker().found()
    booked = len(scene.town.visits(live=True))
    writer = Paused(lambda: scene.book(0))
    writer.go_to(step, once=lambda: len(scene.town.visits(live=True)) > booked)
    copy_aside()
    scene.asker().assert_search()
    scene.go_away()
    scene.asker().assert_search()
    if ends == "after a restore":
        put_back()
    writer.finish()
    scene.asker().assert_search()
    put_back()
    scene.asker().assert_search()


def write_late(scene: Scene) -> None:
    """Let a reader compute, pause, and keep its value after a booking."""
    reader = scene.reader()
    reader.go_to("keep")
    scene.book(0)
    reader.finish()


def test_a_value_written_after_a_booking_is_found_by_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First without the stamp in the key, to see the race; then with it."""
    keys = block_store.keys

    def without_stamps(packed: bytes, grid: int, block: int) -> list[bytes]:
        ids = (packed[n : n + 16] + bytes(8) for n in range(0, len(packed), 24))
        return keys(b"".join(ids), grid, block)

    with monkeypatch.context() as patched:
        patched.setattr(block_store, "keys", without_stamps)
        write_late(scene)
        with pytest.raises(AssertionError, match="stale"):
            scene.asker().assert_search()
    write_late(scene)
    scene.asker().assert_search()


def read_late(scene: Scene) -> None:
    """Let a reader read the stamps, pause, read the rows after a booking; then restore."""
    reader = scene.reader()
    reader.go_to("fetch")
    scene.book(0)
    reader.finish()
    put_back()


def test_rows_read_after_a_booking_are_not_kept_under_the_stamp_before_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First without a look at the stamps that the rows bring, to see the race; then with it."""
    with monkeypatch.context() as patched:
        patched.setattr(filling, "is_still", lambda _entry, _stamps: True)
        read_late(scene)
        with pytest.raises(AssertionError, match="missed"):
            scene.asker().assert_search()
    scene.book(0)
    copy_aside()
    read_late(scene)
    scene.asker().assert_search()


def test_a_search_inside_a_transaction_neither_asks_nor_tells_redis(
    scene: Scene, redis_on: RedisServer
) -> None:
    """It has written what others have not seen, and may never see."""
    before = scene.asker().assert_search()
    with redis_on.client() as client:
        kept = {name: client.get(name) for name in every(client)}
        with transaction.atomic():
            for away in scene.absences():
                away.save()
            assert scene.asker().assert_search() != before
            bump(provider.pk for provider in scene.town.providers)
            scene.asker().assert_search()
            transaction.set_rollback(True)
        assert {name: client.get(name) for name in every(client)} == kept
    assert scene.asker().assert_search() == before


def test_a_hold_that_ends_by_itself_is_free_though_nobody_writes_anything(
    scene: Scene, redis_on: RedisServer
) -> None:
    start = scene.place(0).start
    ends = clock() + timedelta(seconds=1)
    scene.hold(now=ends - holds.LENGTH)
    assert scene.asker().assert_search()[0].start > start or clock() >= ends
    with redis_on.client() as client, connection.cursor() as cursor:
        names = set(every(client))
        assert names
        while clock() < ends:
            cursor.execute("SELECT pg_sleep(0.1)")
        assert scene.asker().assert_search()[0].start == start
        assert set(every(client)) == names
