"""Compares every question that availability answers with the same question decided anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import zip_longest
from typing import Any, TypeVar

from django.db import connection

from scheduling.availability import FreeSlot, Query, days_with_openings, is_free, nearest, search
from scheduling.models import Appointment, SlotHold
from scheduling.placing import Terms
from tests.scheduling.oracle import Offer, fresh_days, fresh_nearest, fresh_search, is_fresh

A = TypeVar("A")
MOST = 100_000
PAGE, PAGES = 3, 3


def clock() -> datetime:
    """Return the database's clock, by which holds end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (instant,) = cursor.fetchone()
    assert isinstance(instant, datetime)
    return instant


def offers(slots: Iterable[FreeSlot]) -> list[Offer]:
    return [Offer(s.start, s.end, s.provider.pk, s.clinic.pk) for s in slots]


class Asker:
    """One query, its terms and the clock on the wall."""

    def __init__(
        self,
        query: Query,
        terms: Terms,
        now: datetime,
        *,
        ignore: SlotHold | Appointment | None = None,
    ) -> None:
        self.query, self.terms, self.now, self.ignore = query, terms, now, ignore

    def found(self, *, limit: int = MOST, after: Any = None) -> list[FreeSlot]:
        return search(
            self.query,
            terms=self.terms,
            now=self.now,
            limit=limit,
            after=after,
            ignore=self.ignore,
        )

    def fresh(self, at: datetime | None = None) -> list[Offer]:
        return fresh_search(self.query, self.terms, self.now, clock=at, ignore=self.ignore)

    def assert_search(self) -> list[Offer]:
        """The whole answer is the fresh one. Returns it."""
        return settled(lambda: offers(self.found()), self.fresh)

    def assert_pages(self) -> None:
        """Pages of three, each going on where the one before ended, begin the fresh answer."""

        def pages() -> list[Offer]:
            seen: list[FreeSlot] = []
            for _ in range(PAGES):
                page = self.found(limit=PAGE, after=seen[-1].place if seen else None)
                assert len(page) <= PAGE
                seen += page
                if len(page) < PAGE:
                    break
            return offers(seen)

        settled(pages, lambda at: self.fresh(at)[: PAGE * PAGES])

    def assert_later_than(self, instant: datetime) -> None:
        """What comes after an instant is the fresh answer's rest."""
        settled(
            lambda: offers(self.found(limit=PAGE, after=instant)),
            lambda at: [offer for offer in self.fresh(at) if offer.start > instant][:PAGE],
        )

    def assert_days(self, days: int = 4) -> None:
        def found() -> list[tuple[Any, int, Offer]]:
            openings = days_with_openings(
                self.query, terms=self.terms, now=self.now, days=days, ignore=self.ignore
            )
            return [(day.day, day.count, offers([day.first])[0]) for day in openings]

        settled(
            found,
            lambda at: fresh_days(
                self.query, self.terms, self.now, days=days, clock=at, ignore=self.ignore
            ),
        )

    def assert_nearest(self, to: datetime) -> None:
        settled(
            lambda: offers(nearest(self.query, to=to, terms=self.terms, now=self.now)),
            lambda at: fresh_nearest(self.query, to, self.terms, self.now, limit=3, clock=at),
        )

    def assert_is_free(self, start: datetime) -> None:
        settled(
            lambda: is_free(self.query, start=start, terms=self.terms, now=self.now),
            lambda at: is_fresh(self.query, start, self.terms, self.now, clock=at),
        )


def settled(found: Callable[[], A], fresh: Callable[[datetime], A]) -> A:
    """Assert that what was found is the fresh answer; a hold may end while the question is asked.

    Returns the answer.
    """
    before = clock()
    answer = found()
    if answer != fresh(before):
        expected = fresh(clock())
        assert answer == expected, shown(answer, expected)
    return answer


def shown(answer: Any, expected: Any) -> str:
    """Return in words what is wrong with an answer."""
    if not isinstance(answer, list):
        return f"{answer} where {expected} is right"
    stale = [each for each in answer if each not in expected]
    missed = [each for each in expected if each not in answer]
    if stale or missed:
        return f"stale: {stale}; missed: {missed}"
    pairs = [*zip_longest(answer, expected)]
    found, right = next(pair for pair in pairs if pair[0] != pair[1])
    return f"another order: {found} where {right} is right"
