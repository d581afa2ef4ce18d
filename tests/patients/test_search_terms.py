"""What is read out of a finder's text."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patients.search_terms import births, fold, is_enough, parse

TODAY = date(2026, 6, 9)
APRIL = date(1961, 4, 7)
JULY = date(1961, 7, 4)


@pytest.mark.parametrize(
    "text",
    [
        "1961-04-07", "1961/4/7", "1961.04.07", "Apr 7 1961", "apr. 7, 1961", "April 7, 1961",
        "April 7th 1961", "APRIL 7 61", "Apr 7 '61", "7 April 1961", "7 apr 61", "7-Apr-1961",
        "7th of April 1961", "7 de abril de 1961", "7 abr 1961", "abril 7, 1961",
        " 7  ABRIL  1961 ",
    ],
)  # fmt: skip
def test_a_date_with_a_named_month_or_the_year_first_has_one_reading(text: str) -> None:
    assert births(text, today=TODAY) == (APRIL,)


@pytest.mark.parametrize(
    "text", ["4/7/61", "04/07/1961", "4-7-1961", "4.7.61", "4 7 1961", "04071961", "040761"]
)
def test_a_date_in_numbers_is_read_month_first_and_then_day_first(text: str) -> None:
    assert births(text, today=TODAY) == (APRIL, JULY)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("4/13/61", date(1961, 4, 13)),
        ("13/4/61", date(1961, 4, 13)),
        ("5/5/1961", date(1961, 5, 5)),
        ("19611231", date(1961, 12, 31)),
        ("2/29/1984", date(1984, 2, 29)),
        ("6/9/2026", TODAY),
        ("3 mayo 2001", date(2001, 5, 3)),
        ("1 ene 1950", date(1950, 1, 1)),
        ("setiembre 9 1950", date(1950, 9, 9)),
        ("Sept 9 1950", date(1950, 9, 9)),
        ("31 dic 1999", date(1999, 12, 31)),
    ],
)
def test_a_date_that_is_real_in_one_order_only_is_read_so(text: str, day: date) -> None:
    assert births(text, today=TODAY)[0] == day
    assert len({(d.month, d.day) for d in births(text, today=TODAY) if d.year == day.year}) <= 2


def test_two_digits_of_a_year_are_of_either_century_unless_it_is_to_come() -> None:
    assert births("5/5/21", today=TODAY) == (date(2021, 5, 5), date(1921, 5, 5))
    assert births("5/5/27", today=TODAY) == (date(1927, 5, 5),)


@pytest.mark.parametrize(
    "text",
    [
        "2/30/1961", "2/29/1983", "13/13/61", "6/10/2026", "April 31 1961", "1/1/1850", "4/7",
        "4/7/196", "0/0/0000", "torres", "", "12345", "212-555-0134", "1961", "٠",
    ],
)  # fmt: skip
def test_what_is_no_birthday_of_a_living_person_has_no_date(text: str) -> None:
    assert births(text, today=TODAY) == ()


def test_a_birthday_with_a_name_around_it_is_no_whole_birthday() -> None:
    assert births("torres 4/7/61", today=TODAY) == ()


def test_a_name_and_a_birthday_are_both_asked_for() -> None:
    (reading,) = parse("Torres, Ana 4/7/61", today=TODAY)
    assert reading.words == ("torres", "ana")
    assert reading.births == (APRIL, JULY)
    assert (reading.name, reading.digits) == ("Torres, Ana", "")
    assert parse("4/7/61 torres", today=TODAY)[0].words == ("torres",)


def test_eight_digits_may_be_a_birthday_or_the_end_of_a_phone() -> None:
    birthday, phone = parse("04071961", today=TODAY)
    assert birthday.births == (APRIL, JULY)
    assert (phone.digits, phone.births) == ("04071961", ())


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0134", "0134"),
        ("555-0134", "5550134"),
        ("(212) 555-0134", "2125550134"),
        ("212.555.0134", "2125550134"),
        ("+1 212 555 0134", "12125550134"),
    ],
)
def test_four_digits_and_more_are_a_phone(text: str, digits: str) -> None:
    (reading,) = parse(text, today=TODAY)
    assert (reading.digits, reading.words) == (digits, ())


def test_a_phone_stands_beside_a_name() -> None:
    (reading,) = parse("torres 0134", today=TODAY)
    assert (reading.words, reading.digits) == (("torres",), "0134")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Peña", ("pena",)),
        ("PEN\u0303A", ("pena",)),
        ("O'Brien", ("obrien",)),
        ("O’Brien", ("obrien",)),
        ("García-López", ("garcia", "lopez")),
        ("Müller  von Straße", ("muller", "von", "strasse")),
        ("Søren Ægir Łukasz", ("soren", "aegir", "lukasz")),
        ("St. John", ("st", "john")),
        ("Torres,Ana", ("torres", "ana")),
        ("Ольга", ("ольга",)),
        ("王伟", ("王伟",)),
        ("𝐀na ŉ", ("ana", "n")),
        ("***", ()),
    ],
)
def test_names_are_folded_as_people_mistype_them(text: str, words: tuple[str, ...]) -> None:
    assert fold(text) == words


@pytest.mark.parametrize(
    ("text", "enough"),
    [("to", False), ("t o", False), ("t-o'", False), ("tor", True), ("4/7", False), ("ng b", True)],
)
def test_three_letters_or_digits_are_asked_for(text: str, enough: bool) -> None:
    assert is_enough(text) is enough


def test_a_month_that_is_a_name_stays_a_name() -> None:
    (reading,) = parse("May Lee", today=TODAY)
    assert (reading.words, reading.births) == (("may", "lee"), ())


@given(st.dates(min_value=date(1910, 1, 1), max_value=TODAY))
def test_every_usual_way_to_write_a_birthday_is_read(born: date) -> None:
    ways = [
        f"{born.month}/{born.day}/{born.year}",
        f"{born:%m/%d/%Y}",
        f"{born:%m/%d/%y}",
        born.isoformat(),
        f"{born:%m%d%Y}",
        f"{born:%B} {born.day}, {born.year}",
        f"{born.day} {born:%b} {born.year}",
        f"{born.day}.{born.month}.{born.year}",
    ]
    for way in ways:
        assert born in births(way, today=TODAY), way


@settings(max_examples=500)
@given(st.text(max_size=100))
def test_any_text_is_read_without_complaint(text: str) -> None:
    for reading in parse(text, today=TODAY):
        assert not reading.is_empty
        assert all(word == fold(word)[0] for word in reading.words)


@settings(max_examples=500)
@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(" ".join(once)) == once
