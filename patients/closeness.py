"""How close somebody on file is to what was typed into the finder: exact, a beginning, a part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from patients.search_terms import Reading

FEWEST_INNER_DIGITS = 6


class Closeness(IntEnum):
    """How well a name, a birthday or a phone answers what was typed; the lowest is the best."""

    EXACT = 0
    PREFIX = 1
    FRAGMENT = 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on file as the finder compares them; `phone` is the number's digits."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    born: date | None
    phone: str


def closeness(reading: Reading, person: Person) -> tuple[int, int] | None:
    """Return how close a person is to what was meant, the lowest first; None for no match."""
    if reading.births and person.born not in reading.births:
        return None
    grades = [_name_grade(word, person) for word in reading.words]
    if reading.digits:
        grades.append(_phone_grade(reading.digits, person.phone))
    known = [grade for grade in grades if grade is not None]
    if len(known) < len(grades):
        return None
    return max(known, default=Closeness.EXACT), sum(known)


def _name_grade(word: str, person: Person) -> Closeness | None:
    """Compare a word with a name's words, and with its parts written as one ("delacruz")."""
    joined = ("".join(person.given), "".join(person.family))
    words = (*person.given, *person.family, *joined)
    if word in words:
        return Closeness.EXACT
    if any(name.startswith(word) for name in words):
        return Closeness.PREFIX
    if len(word) > 1 and any(word in name for name in joined):
        return Closeness.FRAGMENT
    return None


def _phone_grade(digits: str, phone: str) -> Closeness | None:
    if phone.endswith(digits):
        return Closeness.EXACT
    if len(digits) >= FEWEST_INNER_DIGITS and digits in phone:
        return Closeness.FRAGMENT
    return None
