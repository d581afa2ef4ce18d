"""Who answers a reading, and how well."""

from datetime import date

import pytest

from patients.closeness import Closeness, Person, closeness
from patients.search_terms import fold, parse

TODAY = date(2026, 6, 9)


def person(given: str, family: str, born: date | None = None, phone: str = "") -> Person:
    return Person(given=fold(given), family=fold(family), born=born, phone=phone)


def grade(text: str, who: Person) -> Closeness | None:
    grades = [closeness(reading, who) for reading in parse(text, today=TODAY)]
    found = [found for found in grades if found is not None]
    return Closeness(min(found)[0]) if found else None


@pytest.mark.parametrize(
    "text",
    [
        "Torres", "torres ana", "Ana Torres", "Torres, Ana", "ANA", "ana maria", "anamaria",
        "4/7/61", "7 abril 1961", "0134", "212 555 0134", "torres 4/7/61", "torres 0134",
    ],
)  # fmt: skip
def test_a_whole_answer_is_exact(text: str) -> None:
    ana = person("Ana María", "Torres", date(1961, 4, 7), "12125550134")
    assert grade(text, ana) is Closeness.EXACT


@pytest.mark.parametrize(
    ("text", "given", "family", "expected"),
    [
        ("tor", "Ana", "Torres", Closeness.PREFIX),
        ("a torres", "Ana", "Torres", Closeness.PREFIX),
        ("orres", "Ana", "Torres", Closeness.FRAGMENT),
        ("garcia lopez", "Eva", "García-López", Closeness.EXACT),
        ("garcialopez", "Eva", "García-López", Closeness.EXACT),
        ("lopez", "Eva", "García-López", Closeness.EXACT),
        ("obrien", "Pat", "O'Brien", Closeness.EXACT),
        ("o'brien", "Pat", "O Brien", Closeness.EXACT),
        ("o brien", "Pat", "O'Brien", Closeness.FRAGMENT),
        ("delacruz", "Luz", "de la Cruz", Closeness.EXACT),
        ("cruz luz", "Luz", "de la Cruz", Closeness.EXACT),
        ("mary ann", "Maryann", "Stone", Closeness.FRAGMENT),
        ("torres bob", "Ana", "Torres", None),
        ("nat", "Ana", "Torres", None),
        ("torress", "Ana", "Torres", None),
    ],
)
def test_names_match_by_word_beginning_and_part(
    text: str, given: str, family: str, expected: Closeness | None
) -> None:
    assert grade(text, person(given, family)) == expected


def test_another_birthday_is_no_match_however_well_the_name_fits() -> None:
    ana = person("Ana", "Torres", date(1961, 4, 8))
    assert grade("ana torres 4/7/61", ana) is None
    assert grade("4/7/61", person("Ana", "Torres")) is None


def test_both_orders_of_an_open_date_match() -> None:
    assert grade("4/7/61", person("Ana", "Torres", date(1961, 7, 4))) is Closeness.EXACT


def test_a_phone_matches_by_its_end_and_while_it_is_being_typed() -> None:
    ana = person("Ana", "Torres", phone="12125550134")
    assert grade("0134", ana) is Closeness.EXACT
    assert grade("212555", ana) is Closeness.FRAGMENT
    assert grade("5550", ana) is None
    assert grade("0135", ana) is None


def test_who_has_no_phone_is_not_found_by_one() -> None:
    assert grade("0134", person("Ana", "Torres")) is None
