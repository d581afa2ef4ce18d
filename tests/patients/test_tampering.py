"""Of any two lists of rows that differ, a row that differs is named, and what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from patients.tampering import ABOUT_A_SEAL, Damage, Elsewhere, Entry, Kind, Verdict, first_damage

LISTED: list[Entry] = [(1, b"a"), (2, b"b"), (3, b"c"), (4, b"d")]
GONE = Elsewhere(in_table=lambda _row: False, in_seals=lambda _row: False)
KNOWN = Elsewhere(in_table=lambda _row: True, in_seals=lambda _row: True)


@pytest.mark.parametrize(
    ("found", "elsewhere", "damage"),
    [
        ([(1, b"a"), (2, b"x"), (3, b"c"), (4, b"d")], GONE, Damage(Kind.CHANGED, 2)),
        ([(1, b"a"), (3, b"c"), (4, b"d")], GONE, Damage(Kind.DELETED, 2)),
        ([(1, b"a"), (3, b"c"), (4, b"d")], KNOWN, Damage(Kind.CHANGED, 2)),
        ([(1, b"a"), (9, b"x"), *LISTED[1:]], GONE, Damage(Kind.INSERTED, 9)),
        ([(1, b"a"), (9, b"x"), *LISTED[1:]], KNOWN, Damage(Kind.CHANGED, 9)),
        ([*LISTED, (9, b"x")], GONE, Damage(Kind.INSERTED, 9)),
        (LISTED[:2], GONE, Damage(Kind.DELETED, 3)),
        ([], GONE, Damage(Kind.DELETED, 1)),
        ([(1, b"a"), (3, b"b"), (2, b"c"), (4, b"d")], GONE, Damage(Kind.MOVED, 2)),
        ([(1, b"a"), (2, b"c"), (3, b"b"), (4, b"d")], GONE, Damage(Kind.MOVED, 2)),
        ([(1, b"a"), (9, b"b"), (3, b"c"), (4, b"d")], GONE, Damage(Kind.MOVED, 2)),
        ([(1, b"a"), (3, b"c"), (4, b"d"), (9, b"b")], GONE, Damage(Kind.MOVED, 2)),
        ([(1, b"a"), (9, b"a"), *LISTED[1:]], GONE, Damage(Kind.INSERTED, 9)),
        ([(1, b"a"), (1, b"a"), *LISTED[1:]], GONE, Damage(Kind.INSERTED, 1)),
    ],
)
def test_the_first_row_that_departs_is_named(
    found: list[Entry], elsewhere: Elsewhere, damage: Damage
) -> None:
    assert first_damage(LISTED, found, elsewhere=elsewhere) == damage


ENTRIES = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([b"a", b"b", b"c"])),
    unique_by=lambda one: one[0],
    max_size=7,
)


@given(ENTRIES, ENTRIES, st.booleans())
def test_whatever_differs_gets_a_name(listed: list[Entry], found: list[Entry], known: bool) -> None:
    assume(listed != found)
    assume(sorted(listed) != sorted(found))  # the order is part of what is digested
    damage = first_damage(listed, found, elsewhere=KNOWN if known else GONE)
    assert damage.kind not in ABOUT_A_SEAL
    were, are = dict(listed), dict(found)
    assert damage.row is not None
    assert were.get(damage.row) != are.get(damage.row)


@pytest.mark.parametrize("kind", Kind)
def test_damage_is_told_in_one_line_with_its_number(kind: Kind) -> None:
    said = str(Damage(kind, row=70, seal=8))
    assert "\n" not in said
    assert "70" in said
    assert "8" in said


def test_a_verdict_tells_its_figures_in_one_line() -> None:
    verdict = Verdict(5, 2, "ab", 1, timedelta(seconds=61), unanchored=1, lost=3)
    assert verdict.intact
    assert str(verdict) == (
        "5 rows, 2 seals, head ab; unsealed tail 1 rows, oldest unsealed 61 s;"
        " 1 seals not yet in the anchor; 3 seals lost in restores that were declared"
    )
