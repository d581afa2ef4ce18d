"""The index in memory answers as a look at every single record would."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from heapq import nsmallest
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from patients.closeness import closeness
from patients.name_index.index import NameIndex, Ranked
from patients.name_index.rows import Row, row
from patients.name_index.table import Table
from patients.search_terms import Reading, parse

TODAY = date(2026, 6, 9)
NAMES = ["Ana", "ana maría", "Anna", "De la Cruz", "delacruz", "Torres", "Torrance", "O'Brien",
         "García-López", "Lopez", "Castor", "Tor", "王伟", "Ольга", ""]  # fmt: skip
TEXTS = ["ana", "tor", "torres ana", "a torres", "lopez gar", "delacruz", "brien", "an na", "orr",
         "an to re", "0134", "ana 0134", "555013", "4/7/61", "ana 4/7/61", "040761", "王伟王",
         "ольга", "zzz"]  # fmt: skip

ids = st.integers(0, 40).map(lambda number: UUID(int=number << 100 | number))
people = st.builds(
    row,
    ids,
    given=st.sampled_from(NAMES),
    family=st.sampled_from(NAMES),
    born=st.sampled_from([None, date(1961, 4, 7), date(1961, 7, 4), date(2001, 3, 3)]),
    phone=st.sampled_from(["", "+12125550134", "+12125550177", "+15550134000"]),
)


def by_id(rows: Iterable[Row]) -> dict[bytes, Row]:
    return {one.id: one for one in rows}


def one_by_one(rows: Iterable[Row], readings: Iterable[Reading], most: int) -> list[Ranked]:
    """Compare everybody with everything, without any index."""
    ranked = []
    for one in rows:
        grades = [g for r in readings if (g := closeness(r, one.person)) is not None]
        if grades:
            ranked.append((min(grades), one))
    return nsmallest(most, ranked)


@settings(max_examples=300, deadline=None)
@given(
    before=st.lists(people, max_size=30).map(by_id),
    changes=st.dictionaries(ids.map(lambda pk: pk.bytes), st.none() | people, max_size=12),
    text=st.sampled_from(TEXTS),
    most=st.integers(1, 8),
)
def test_it_finds_whom_a_look_at_everybody_finds_in_the_same_order(
    before: dict[bytes, Row], changes: dict[bytes, Row | None], text: str, most: int
) -> None:
    index = NameIndex(before.values())
    moved = {key: one and one._replace(id=key) for key, one in changes.items()}
    index.change(moved)
    now = {key: one for key, one in (before | moved).items() if one is not None}
    readings = parse(text, today=TODAY)
    assert index.best(readings, most) == one_by_one(now.values(), readings, most)
    assert len(index) == len(now)


def test_rows_sort_as_people_are_listed() -> None:
    listed = [("Ana", "De"), ("Bea", "De"), ("Ana", "De la Cruz"), ("Ana", "Dea")]
    rows = [row(UUID(int=n), given=g, family=f) for n, (g, f) in enumerate(listed)]
    assert sorted(rows) == rows
    assert [one.person.family for one in rows[2:]] == [("de", "la", "cruz"), ("dea",)]


def test_many_changes_make_a_new_table_that_says_the_same() -> None:
    rows = [row(UUID(int=n + 1), given=f"Ana{n}", family="Torres") for n in range(2_000)]
    index = NameIndex(rows[:1_000])
    for first in range(0, 2_000, 100):
        index.change({one.id: one for one in rows[first : first + 100]})
    assert len(index) == 2_000
    readings = parse("ana199 torres", today=TODAY)
    assert index.best(readings, 5) == one_by_one(rows, readings, 5)
    index.change({one.id: None for one in rows[:1_500]})
    assert len(index) == 500
    assert index.best(parse("ana12 torres", today=TODAY), 5) == []


def test_a_row_written_again_as_it_was_is_no_change() -> None:
    """As keys are exchanged: what is stored is new, what it says is not."""
    rows = [row(UUID(int=n + 1), given="Ana", family=f"Torres{n}") for n in range(50)]
    index = NameIndex(rows)
    index.change({rows[0].id: None})
    index.change({one.id: one for one in rows})
    assert len(index) == 50
    assert index.best(parse("torres0", today=TODAY), 5) == one_by_one(
        rows, parse("torres0", today=TODAY), 5
    )


def test_the_places_of_a_day_are_found_at_either_end_of_time() -> None:
    days = [date(1900, 1, 1) + timedelta(days=n % 7) for n in range(70)]
    table = Table(
        row(UUID(int=n + 1), given="Ana", family="Torres", born=day) for n, day in enumerate(days)
    )
    for day in {date(1899, 12, 31), *days, date(1900, 1, 8)}:
        wanted = [at for at in range(70) if table.row_at(at).born == day.toordinal()]
        assert sorted(table.born_on([day.toordinal()])) == wanted
    assert table.place_of(UUID(int=71).bytes) is None
    assert all(table.place_of(table.key_at(at)) == at for at in range(70))
