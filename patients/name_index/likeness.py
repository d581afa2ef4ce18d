"""Whether two names or birthdays may have been meant to be the same: what is worth a second look.

Decides who is compared, not who is the same person. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from itertools import product

from patients.closeness import Person

FEWEST = 3


def swapped(day: date) -> date | None:
    """Return the day with its month and day of the month exchanged, where there is such a day."""
    return _date(f"{day.year:04d}{day.day:02d}{day.month:02d}")


def mistyped(day: date) -> set[date]:
    """Return the days that one wrong digit, or two neighbours exchanged, make of a day."""
    digits = f"{day.year:04d}{day.month:02d}{day.day:02d}"
    texts = {
        f"{digits[:at]}{other}{digits[at + 1 :]}"
        for at, other in product(range(len(digits)), "0123456789")
    }
    texts |= {
        f"{digits[:at]}{digits[at + 1]}{digits[at]}{digits[at + 2 :]}"
        for at in range(len(digits) - 1)
    }
    return {found for text in texts if (found := _date(text)) is not None} - {day}


def _date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def is_alike(one: str, other: str) -> bool:
    """Say whether two folded words are the same, one begins the other, or one slip is between."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= FEWEST and (long.startswith(short) or _is_one_slip(short, long))


def _is_one_slip(short: str, long: str) -> bool:
    """Say whether one letter was changed, left out, or exchanged with its neighbour."""
    at = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    if len(short) > len(long):
        return False
    exchanged = short[at : at + 2] == long[at : at + 2][::-1]
    return short[at + 1 :] == long[at + 1 :] or (exchanged and short[at + 2 :] == long[at + 2 :])


def shares_a_name(one: Person, other: Person) -> bool:
    """Say whether any of one's names is like any of the other's."""
    return _are_alike((*one.given, *one.family), (*other.given, *other.family))


def has_both_names(one: Person, other: Person) -> bool:
    """Say whether given and family names are alike, in whichever order they were written."""
    in_order = _are_alike(one.given, other.given) and _are_alike(one.family, other.family)
    return in_order or (_are_alike(one.given, other.family) and _are_alike(one.family, other.given))


def words_in_common(one: Person, other: Person) -> int:
    return len({*one.given, *one.family} & {*other.given, *other.family})


def _are_alike(names: Collection[str], others: Collection[str]) -> bool:
    """Compare word by word, and names that are written apart or as one."""
    if any(is_alike(one, other) for one, other in product(names, others)):
        return True
    return bool(names) and bool(others) and is_alike("".join(names), "".join(others))
