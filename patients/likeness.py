"""How alike two names, two dates of birth, two suffixes or two addresses are.

Compares values that people wrote down; what an agreement is worth is not known here.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from patients.nicknames import is_short_for
from patients.search_terms import fold

SHORTEST_WITH_A_LETTER_LEFT_OUT = 3
SHORTEST_WITH_A_TYPO = 4
LONG_ENOUGH_FOR_TWO = 9
PLACEHOLDERS = frozenset({date(1900, 1, 1), date(1800, 1, 1)})
CENTURY = 100
GENERATIONS = {
    "sr": 1, "senior": 1, "i": 1, "1st": 1,
    "jr": 2, "junior": 2, "ii": 2, "2nd": 2,
    "iii": 3, "3rd": 3, "iv": 4, "4th": 4, "v": 5, "5th": 5,
}  # fmt: skip
STREETS = {
    "st": "street", "ave": "avenue", "av": "avenue", "rd": "road", "dr": "drive", "ln": "lane",
    "blvd": "boulevard", "ct": "court", "pl": "place", "sq": "square", "hwy": "highway",
    "apt": "", "apartment": "", "unit": "", "suite": "", "ste": "", "no": "",
    "n": "north", "s": "south", "e": "east", "w": "west",
}  # fmt: skip
NOT_IN_A_CODE = re.compile(r"[^0-9A-Z]")
US_ZIP = 5


class Likeness(StrEnum):
    """How far two values agree; the kinds that a field can have are in `matching.WEIGHTS`."""

    EQUAL = "EQUAL"
    SWAPPED = "SWAPPED"
    NICKNAME = "NICKNAME"
    PART = "PART"
    CLOSE = "CLOSE"
    INITIAL = "INITIAL"
    OTHER = "OTHER"


def names(one: tuple[str, str], other: tuple[str, str]) -> tuple[Likeness, Likeness]:
    """Compare two people's (given, family) names; return how alike each of the two is."""
    given, family = (fold(one[0]), fold(other[0])), (fold(one[1]), fold(other[1]))
    if given[0] == family[1] and family[0] == given[1] and given[0] != family[0]:
        return Likeness.SWAPPED, Likeness.SWAPPED
    is_split_otherwise = given[0] != given[1] and _same_words(one, other)
    if is_split_otherwise:
        return Likeness.PART, Likeness.PART
    return given_names(*given), family_names(*family)


def _same_words(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Say whether both wrote the same words in the same order, divided in another place."""
    return fold(" ".join(one)) == fold(" ".join(other))


def given_names(one: tuple[str, ...], other: tuple[str, ...]) -> Likeness:
    """Compare folded given names: "ana" is a part of "ana maria", "j" an initial of "john"."""
    if "".join(one) == "".join(other):
        return Likeness.EQUAL
    if is_short_for("".join(one[:1]), "".join(other[:1])):
        return Likeness.NICKNAME
    if _is_part(one, other):
        return Likeness.PART
    if is_a_typo_apart("".join(one), "".join(other)):
        return Likeness.CLOSE
    return Likeness.INITIAL if _is_initial(one, other) else Likeness.OTHER


def family_names(one: tuple[str, ...], other: tuple[str, ...]) -> Likeness:
    """Compare folded family names; the order of two of them does not matter."""
    if "".join(one) == "".join(other) or set(one) == set(other):
        return Likeness.EQUAL
    if _is_part(one, other):
        return Likeness.PART
    is_close = is_a_typo_apart("".join(one), "".join(other))
    return Likeness.CLOSE if is_close else Likeness.OTHER


def _is_part(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    few, many = sorted((set(one), set(other)), key=lambda words: (len(words), sorted(words)))
    return bool(few) and few <= many


def _is_initial(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Say whether the names agree where one of them has but a letter."""
    pairs = list(zip(one, other, strict=False))
    return bool(pairs) and all(
        a == b or (min(len(a), len(b)) == 1 and a[0] == b[0]) for a, b in pairs
    )


def is_a_typo_apart(one: str, other: str) -> bool:
    """Say whether one slip of the pen lies between two words, two where both are long.

    Of three letters one may be left out ("ana" for "anna"), but none be another: "ann" is a name.
    """
    shortest = min(len(one), len(other))
    needed = SHORTEST_WITH_A_TYPO if len(one) == len(other) else SHORTEST_WITH_A_LETTER_LEFT_OUT
    if shortest < needed:
        return False
    allowed = 2 if shortest >= LONG_ENOUGH_FOR_TWO else 1
    return abs(len(one) - len(other)) <= allowed and slips(one, other) <= allowed


def slips(one: str, other: str) -> int:
    """Return the optimal string alignment distance: letters added, left out, wrong or swapped."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def births(one: date | None, other: date | None) -> Likeness | None:
    """Compare dates of birth; None where one is not known, or stands for "not known".

    SWAPPED: day and month exchanged; CLOSE: one digit wrong, two exchanged, or another century.
    """
    if one is None or other is None or PLACEHOLDERS & {one, other}:
        return None
    if one == other:
        return Likeness.EQUAL
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return Likeness.SWAPPED
    same_day = (one.month, one.day) == (other.month, other.day)
    is_a_slip = slips(f"{one:%Y%m%d}", f"{other:%Y%m%d}") == 1
    is_other_century = same_day and abs(one.year - other.year) == CENTURY
    return Likeness.CLOSE if is_a_slip or is_other_century else Likeness.OTHER


def suffixes(one: str, other: str) -> Likeness | None:
    """Compare generations, Jr and II being the same; None where one tells of none."""
    known = [GENERATIONS.get("".join(fold(text))) for text in (one, other)]
    if None in known:
        return None
    return Likeness.EQUAL if known[0] == known[1] else Likeness.OTHER


def exactly(one: str, other: str) -> Likeness | None:
    """Compare values that are normalised already; None where one is empty."""
    if not one or not other:
        return None
    return Likeness.EQUAL if one == other else Likeness.OTHER


def codes(one: str, other: str) -> Likeness | None:
    """Compare codes whatever their case, spaces and dashes: "abc-12" is "ABC12"."""
    return exactly(*(NOT_IN_A_CODE.sub("", text.upper()) for text in (one, other)))


def addresses(one: tuple[str, str], other: tuple[str, str]) -> Likeness | None:
    """Compare (street, postal code) pairs; PART is the same postal code alone.

    None unless both codes are known: a street without its place says little.
    """
    zips = [NOT_IN_A_CODE.sub("", code.upper())[:US_ZIP] for _street, code in (one, other)]
    if not all(zips):
        return None
    if zips[0] != zips[1]:
        return Likeness.OTHER
    streets = [_street(text) for text, _code in (one, other)]
    return Likeness.EQUAL if streets[0] and streets[0] == streets[1] else Likeness.PART


def _street(text: str) -> tuple[str, ...]:
    words = (STREETS.get(word, word) for word in fold(text))
    return tuple(word for word in words if word)
