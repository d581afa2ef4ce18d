"""Fictional people, the slips that make two records of one of them, and their relatives."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from patients.matching import Facts

GIVEN = [
    "Margaret", "José", "Nguyễn", "Siobhán", "Mary Ann", "Dmitri", "Aaliyah", "François",
    "Guadalupe", "William", "Chidi", "Björk", "Concepción", "Robert", "Yolanda", "Li",
    "Henrik", "Fatima", "Priyanka", "Elizabeth",
]  # fmt: skip
FAMILY = [
    "O'Brien", "Peña-Ruiz", "Van Tran", "MacDonald", "Okonkwo", "Ivanov", "de la Cruz", "Lefèvre",
    "Hernández", "Washington", "Adeyemi", "Guðmundsdóttir", "Morales", "Fitzgerald", "Rodríguez",
    "Zhang", "Johansson", "al-Rashid", "Chakraborty", "Kowalczyk",
]  # fmt: skip
SEXES = ["female", "male"]
STREETS = ["Oak Street", "Elm Avenue", "Hill Road", "Mill Lane"]


def _person(n: int) -> Facts:
    return Facts(
        given=GIVEN[n % len(GIVEN)],
        family=FAMILY[(n * 7 + n // 20) % len(FAMILY)],
        dob=date(1938, 3, 14) + timedelta(days=683 * n % 29_000),
        sex=SEXES[n % 2],
        phone=f"+1212555{n:04d}",
        email=f"person{n}@mail.example",
        member=f"HB{77_001 + n * 13}",
        street=f"{n + 3} {STREETS[n % 4]}",
        postal_code=f"{10_001 + n % 60}",
    )


PEOPLE = [_person(n) for n in range(60)]
PLAIN = str.maketrans("éèêíóúáñçöðüễ", "eeeiouancodue")
Slip = Callable[[Facts, random.Random], Facts]


def _typed_wrong(word: str, chance: random.Random) -> str:
    if len(word) < 4:
        return word
    at = chance.randrange(1, len(word) - 1)
    kind = chance.choice(["left out", "doubled", "exchanged", "wrong"])
    if kind == "left out":
        return word[:at] + word[at + 1 :]
    if kind == "doubled":
        return word[:at] + word[at] + word[at:]
    if kind == "exchanged":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + "x" + word[at + 1 :]


def without_accents(person: Facts, chance: random.Random) -> Facts:
    names = (person.given, person.family)
    given, family = (name.translate(PLAIN).replace("-", " ").replace("'", "") for name in names)
    return replace(person, given=given.upper(), family=family.upper())


def typed_wrong(person: Facts, chance: random.Random) -> Facts:
    if chance.random() < 0.5:
        return replace(person, given=_typed_wrong(person.given, chance))
    return replace(person, family=_typed_wrong(person.family, chance))


def swapped_names(person: Facts, chance: random.Random) -> Facts:
    return replace(person, given=person.family, family=person.given)


def one_of_two_names(person: Facts, chance: random.Random) -> Facts:
    return replace(person, family=person.family.replace("-", " ").split()[-1])


def married(person: Facts, chance: random.Random) -> Facts:
    return replace(person, family="Vanterpool", email="new@mail.example")


def moved(person: Facts, chance: random.Random) -> Facts:
    return replace(person, street="1 Far Away", postal_code="94110", phone="+14155550111")


def new_contacts(person: Facts, chance: random.Random) -> Facts:
    return replace(person, phone="+12125559901", email="other@mail.example")


def day_and_month_swapped(person: Facts, chance: random.Random) -> Facts:
    born = person.dob
    assert born
    return (
        replace(person, dob=born.replace(month=born.day, day=born.month))
        if born.day < 13
        else (person)
    )


def one_digit_wrong(person: Facts, chance: random.Random) -> Facts:
    assert person.dob
    return replace(
        person, dob=person.dob.replace(year=person.dob.year + 1 - 2 * (person.dob.year % 2))
    )


def little_known(person: Facts, chance: random.Random) -> Facts:
    return Facts(given=person.given, family=person.family, dob=person.dob)


def no_birthday(person: Facts, chance: random.Random) -> Facts:
    return replace(person, dob=None)


SLIPS: list[Slip] = [
    without_accents,
    typed_wrong,
    swapped_names,
    one_of_two_names,
    married,
    moved,
    new_contacts,
    day_and_month_swapped,
    one_digit_wrong,
    little_known,
    no_birthday,
]


def relatives(person: Facts, chance: random.Random) -> list[Facts]:
    """Return a twin, a sibling, a spouse, a father and a grandmother of the same name."""
    assert person.dob
    twin = replace(person, given="Octavia")
    sibling = replace(person, given="Cornelius", dob=person.dob + timedelta(days=900), sex="male")
    spouse = replace(person, given="Evangeline", dob=person.dob - timedelta(days=700))
    father = replace(person, suffix="Sr", dob=person.dob.replace(year=person.dob.year - 27, day=11))
    namesake = replace(
        person, dob=person.dob.replace(year=person.dob.year - 55, day=3, month=1), member=""
    )
    return [twin, sibling, spouse, father, namesake]
