"""Reading JSON whose shape is not to be trusted: what is missing or of another kind is empty.

Only text that no database row could hold is refused, because dropping it would be silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from emr.fhir.errors import Refused

LONGEST_TEXT = 500


def text(value: object) -> str:
    """Return trimmed text; numbers as they are written; "" for anything else.

    Raises Refused for text over LONGEST_TEXT characters, NUL bytes and halves of surrogates.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    trimmed = str(value).strip()
    if len(trimmed) > LONGEST_TEXT:
        raise Refused("too-long", f"a field is longer than {LONGEST_TEXT} characters")
    if "\0" in trimmed or any("\ud800" <= char <= "\udfff" for char in trimmed):
        raise Refused("unstorable-text", "a field holds a NUL or half of a surrogate pair")
    return trimmed


def texts(value: object) -> tuple[str, ...]:
    """Return the non-empty texts of a list, or of the one value that stands in its place."""
    listed = value if isinstance(value, list) else [value]
    return tuple(found for item in listed if (found := text(item)))


def items(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list, or the one object that stands in its place."""
    listed = value if isinstance(value, list) else [value]
    yield from (item for item in listed if isinstance(item, dict))


def part(value: object) -> Mapping[str, Any]:
    """Return the (first) object that stands there, else an empty one."""
    return next(items(value), {})


def flag(value: object) -> bool | None:
    """Return a boolean, also where it is written as text; None where there is none."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def day(value: object) -> date | None:
    """Return a full date; None for a year or month alone and for what is no date."""
    try:
        return date.fromisoformat(text(value)[:10])
    except ValueError:
        return None


def instant(value: object) -> datetime | None:
    """Return a moment with its offset; None without one, because then it is no moment."""
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
