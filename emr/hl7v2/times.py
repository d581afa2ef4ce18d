"""Instants and days as HL7 v2 writes them: YYYYMMDDHHMMSS with an offset, or local without one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from emr.failures import Refused

_INSTANT = re.compile(
    r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d{1,6})?)?)?(?:([+-])(\d\d)(\d\d))?"
)
_DURATION = re.compile(r"([SMHD])(\d{1,5})")
_UNITS = {"S": timedelta(seconds=1), "M": timedelta(minutes=1), "H": timedelta(hours=1)}
_WORDS = {"S": "S", "SEC": "S", "M": "M", "MIN": "M", "MINUTES": "M", "H": "H", "HR": "H"}
_DAY = timedelta(days=1)


def written(at: datetime, zone: tzinfo) -> str:
    """Write an aware instant by a zone's clock, with the offset that makes it one instant."""
    return at.astimezone(zone).strftime("%Y%m%d%H%M%S%z")


def written_day(day: date | None) -> str:
    return day.strftime("%Y%m%d") if day else ""


def read_instant(text: str, zone: tzinfo) -> datetime | None:
    """Return an instant in UTC; None where nothing is said.

    A time without an offset is one by the zone's clock; where that clock shows it twice, the first.
    Raises Refused for a day alone, for what is no time, and for one that the clock never shows.
    """
    if not text:
        return None
    said = _INSTANT.fullmatch(text)
    if said is None:
        raise Refused("time")
    sign, hours, minutes = said.group(7, 8, 9)
    try:
        digits = "".join(part or "00" for part in said.group(1, 2, 3, 4, 5, 6))
        local = datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007 - the zone follows
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            there: tzinfo = timezone(-offset if sign == "-" else offset)
            return local.replace(tzinfo=there).astimezone(UTC)
        at = local.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("time") from None
    if at.astimezone(zone).replace(tzinfo=None) != local:
        raise Refused("no-such-time")
    return at


def read_day(text: str) -> str:
    """Return a date as FHIR writes it, in part where only a part is said; "" for anything else."""
    digits = re.match(r"\d*", text[:8])
    known = digits.group() if digits else ""
    if len(known) < 8:
        return known[:4] if len(known) >= 4 else ""
    try:
        return datetime.strptime(known, "%Y%m%d").date().isoformat()  # noqa: DTZ007 - a day
    except ValueError:
        return ""


def read_duration(number: str, unit: str = "") -> timedelta | None:
    """Return how long a visit takes: `30` and `MIN`, `M30`, or a bare number of minutes."""
    packed = _DURATION.fullmatch(number)
    if packed:
        letter, number = packed.groups()
    else:
        letter = _WORDS.get(unit.upper().removesuffix("."), "") if unit else "M"
    if not re.fullmatch(r"\d{1,5}(\.0*)?", number) or letter not in {*_UNITS, "D"}:
        return None
    length = _UNITS.get(letter, _DAY) * int(float(number))
    return length or None
