"""Which names and birthdays are near enough to be looked at."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.closeness import Person
from patients.name_index.likeness import (
    has_both_names,
    is_alike,
    mistyped,
    shares_a_name,
    swapped,
)
from patients.name_index.rows import row


def person(given_name: str, family_name: str) -> Person:
    return row(UUID(int=1), given=given_name, family=family_name).person


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("ana", "ana", True),
        ("alex", "alexander", True),
        ("al", "alexander", False),
        ("torres", "tores", True),
        ("torres", "torrse", True),
        ("torres", "torrez", True),
        ("torres", "tarrez", False),
        ("anna", "ana", True),
        ("al", "el", False),
        ("jose", "josef", True),
        ("mary", "army", False),
        ("", "", True),
        ("", "ana", False),
    ],
)
def test_one_slip_or_a_beginning_is_alike(one: str, other: str, *, alike: bool) -> None:
    assert is_alike(one, other) is alike
    assert is_alike(other, one) is alike


words = st.text("abcd", min_size=4, max_size=9)


@given(words, st.data())
def test_any_single_slip_is_alike(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdz"))
    slips = [f"{word[:at]}{letter}{word[at:]}", f"{word[:at]}{letter}{word[at + 1 :]}"]
    slips.append(f"{word[:at]}{word[at + 1 : at + 2]}{word[at]}{word[at + 2 :]}")
    assert all(is_alike(word, slip) for slip in slips)


def test_birthdays_are_near_by_one_digit_or_two_exchanged() -> None:
    born = date(1984, 2, 29)
    assert swapped(date(1961, 4, 7)) == date(1961, 7, 4)
    assert swapped(born) is None
    near = mistyped(born)
    assert {date(1980, 2, 29), date(1984, 2, 28), date(1948, 2, 29)} <= near
    assert born not in near
    assert date(1985, 2, 28) not in near
    assert date(1, 1, 1) not in mistyped(date(1, 1, 1))


def test_names_are_compared_in_either_order_and_written_apart() -> None:
    ana = person("Ana María", "Torres")
    assert shares_a_name(ana, person("Maria", "Lopez"))
    assert not shares_a_name(ana, person("Eva", "Lopez"))
    assert has_both_names(ana, person("Tores", "Ana"))
    assert has_both_names(ana, person("Anamaria", "Torres"))
    assert not has_both_names(ana, person("Ana", "Lopez"))
    assert not has_both_names(person("", "Torres"), person("Ana", "Torres"))
