"""The names of one clinic in memory: a sorted table, and what has changed since it was made.

Changes stand beside the table and are compared one by one; many of them make a new table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from heapq import nsmallest

from patients.closeness import closeness
from patients.name_index.rows import Row
from patients.name_index.table import Grade, Table
from patients.search_terms import Reading

FEWEST_FRESH = 500
SHARE_FRESH = 50

Ranked = tuple[Grade, Row]


class NameIndex:
    """Everybody of a clinic whom the finder may show. Not safe to use from two threads at once."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._table = Table(rows)
        self._fresh: dict[bytes, Row] = {}
        self._replaced: set[int] = set()

    def __len__(self) -> int:
        return len(self._table) - len(self._replaced) + len(self._fresh)

    def change(self, changes: Mapping[bytes, Row | None]) -> None:
        """Take in people's rows by the bytes of their ids; None takes somebody out."""
        for key, row in changes.items():
            self._fresh.pop(key, None)
            place = self._table.place_of(key)
            if place is not None and row == self._table.row_at(place):
                self._replaced.discard(place)
                continue
            if place is not None:
                self._replaced.add(place)
            if row is not None:
                self._fresh[key] = row
        most = max(FEWEST_FRESH, len(self._table) // SHARE_FRESH)
        if len(self._fresh) > most or len(self._replaced) > most:
            self._settle()

    def best(self, readings: Sequence[Reading], most: int) -> list[Ranked]:
        """Return at most so many who answer a reading, the closest first, then by name."""
        found: dict[bytes, Ranked] = {}
        for reading in readings:
            for ranked in (*self._in_table(reading, most), *self._in_fresh(reading)):
                known = found.get(ranked[1].id)
                found[ranked[1].id] = ranked if known is None else min(known, ranked)
        return nsmallest(most, found.values())

    def born_on(self, days: Iterable[date | None]) -> list[Row]:
        """Return those born on any of these days; None stands for an unknown birthday."""
        ordinals = {day.toordinal() if day else 0 for day in days}
        fresh = [row for row in self._fresh.values() if row.born in ordinals]
        return self._rows(self._table.born_on(ordinals)) + fresh

    def named(self, words: Sequence[str]) -> list[Row]:
        """Return those who have all these words, one at least, in their names."""
        return self._rows(self._table.having(words)) + [
            row for row in self._fresh.values() if {*words} <= {*row.line.split()}
        ]

    def rows(self) -> list[Row]:
        """Return everybody, in no order."""
        return [*self._rows(range(len(self._table))), *self._fresh.values()]

    def _rows(self, places: Iterable[int]) -> list[Row]:
        return [self._table.row_at(at) for at in places if at not in self._replaced]

    def _in_table(self, reading: Reading, most: int) -> list[Ranked]:
        table = self._table
        if reading.births:
            rows = self._rows(table.born_on({day.toordinal() for day in reading.births}))
        elif reading.digits:
            rows = self._rows(table.reached_at(reading.digits))
        else:
            graded = table.named(reading.words, hidden=self._replaced, most=most)
            return [(grade, table.row_at(place)) for grade, place in graded]
        return nsmallest(most, _answering(reading, rows))

    def _in_fresh(self, reading: Reading) -> Iterable[Ranked]:
        return _answering(reading, self._fresh.values())

    def _settle(self) -> None:
        """Make a new table of all that is known."""
        self._table = Table(self.rows())
        self._fresh.clear()
        self._replaced.clear()


def _answering(reading: Reading, rows: Iterable[Row]) -> Iterable[Ranked]:
    for row in rows:
        grade = closeness(reading, row.person)
        if grade is not None:
            yield grade, row
