"""What a search of Slots asks for, read from its address; what it may not ask is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from emr.fhir import instants
from emr.fhir.bindings import RESOURCE_CODES
from emr.fhir.face.offers import YEARS, read_slot_id

Params = Mapping[str, Sequence[str]]
LONGEST = timedelta(days=60)
USUAL = timedelta(days=14)
MOST, USUAL_COUNT = 100, 50
MOST_SCHEDULES = 20
JSON_TYPES = {"application/fhir+json", "application/json", "text/json", "json"}
_WHEN = re.compile(r"(ge|gt|lt|le)(.{10,40})")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Wrong(Exception):
    """A request that is not answered: an HTTP status, an issue code of R4, and a reason."""

    def __init__(self, code: str, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.status, self.code, self.reason = status, code, reason


@dataclass(frozen=True, slots=True)
class SlotsAsked:
    """Slots of these Schedules that start in [start, end); `statuses` empty means any."""

    schedules: tuple[UUID, ...]
    start: datetime
    end: datetime
    statuses: frozenset[str]
    count: int
    after: tuple[datetime, UUID] | None


def check_accepts(accept: str, wanted: str) -> None:
    """Raise Wrong (406) for somebody who takes no JSON. `wanted` is the address's `_format`."""
    if wanted:
        is_json = wanted.replace(" ", "+").partition(";")[0] in JSON_TYPES
    else:
        taken = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
        is_json = not accept or bool(taken & (JSON_TYPES | {"*/*", "application/*"}))
    if not is_json:
        raise Wrong("not-supported", "Only JSON is spoken here.", status=406)


def slots_asked(params: Params, *, now: datetime) -> SlotsAsked:
    """Read a search of Slots. Raises Wrong.

    Without moments it is the two weeks from now on; what is over is not told.
    """
    earliest, latest = _bounds(params.get("start", ()))
    start = _whole_minute(max(earliest or now, now))
    end = latest or start + USUAL
    if end - start > LONGEST:
        raise Wrong("too-costly", f"Ask for at most {LONGEST.days} days at once.")
    return SlotsAsked(
        schedules=_schedules(params.get("schedule", ())),
        start=start,
        end=end,
        statuses=_statuses(params.get("status", ())),
        count=count_asked(params),
        after=_after(params.get("_after", ())),
    )


def count_asked(params: Params) -> int:
    written = last(params.get("_count", ())) or str(USUAL_COUNT)
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise Wrong("value", "_count is not a number.")
    return max(1, min(int(written), MOST))


def ids_in(values: Sequence[str], resource_type: str) -> tuple[UUID, ...]:
    """Return the ids in `Type/<id>`, `<id>` or a whole address, separated by commas."""
    written = [one.strip() for value in values for one in value.split(",") if one.strip()]
    try:
        return tuple(UUID(one.removesuffix("/").rpartition("/")[2]) for one in written)
    except ValueError:
        raise Wrong("value", f"That is no {resource_type}.") from None


def _schedules(values: Sequence[str]) -> tuple[UUID, ...]:
    found = ids_in(values, "Schedule")
    if not found:
        raise Wrong("required", "Name the schedule whose slots you want.")
    if len(found) > MOST_SCHEDULES:
        raise Wrong("too-costly", f"Ask for at most {MOST_SCHEDULES} schedules at once.")
    return tuple(dict.fromkeys(found))


def _statuses(values: Sequence[str]) -> frozenset[str]:
    found = frozenset(one for value in values for one in value.split(",") if one)
    if not found <= RESOURCE_CODES["Slot"]["status"]:
        raise Wrong("code-invalid", "That is no status of a slot.")
    return found


def _after(values: Sequence[str]) -> tuple[datetime, UUID] | None:
    written = last(values)
    if not written:
        return None
    try:
        schedule, start = read_slot_id(written)
    except ValueError:
        raise Wrong("value", "_after is not a place in a list.") from None
    return start, schedule


def _bounds(values: Sequence[str]) -> tuple[datetime | None, datetime | None]:
    """Return the narrowest [earliest, latest) of all that is said of the start."""
    earliest: datetime | None = None
    latest: datetime | None = None
    for value in values:
        found = _WHEN.fullmatch(value)
        if found is None:
            raise Wrong("value", "Say start=ge… and start=lt…, with a date or a moment.")
        prefix, (first, after) = found[1], _span(found[2])
        if prefix in {"ge", "gt"}:
            bound = first if prefix == "ge" else after
            earliest = max(earliest or bound, bound)
        else:
            bound = first if prefix == "lt" else after
            latest = min(latest or bound, bound)
    return earliest, latest


def _span(written: str) -> tuple[datetime, datetime]:
    """Return what a date (in UTC) or a moment to the second covers, half-open."""
    written = written.replace(" ", "+")  # a plus sign in an address arrives as a space
    try:
        if _DAY.fullmatch(written):
            day = date.fromisoformat(written)
            first = datetime(day.year, day.month, day.day, tzinfo=UTC)
            length = timedelta(days=1)
        else:
            at = instants.read(written)
            first, length = (at, _SECOND) if at else (datetime.min.replace(tzinfo=UTC), _SECOND)
    except ValueError:
        first, length = datetime.min.replace(tzinfo=UTC), _SECOND
    if first.year not in YEARS:
        raise Wrong("value", "That is no date, and no moment with its zone.")
    return first, first + length


def _whole_minute(at: datetime) -> datetime:
    floor = at.replace(second=0, microsecond=0)
    return floor if floor == at else floor + _MINUTE


def last(values: Sequence[str]) -> str:
    """Return the last of an address's values of one name, "" where there is none."""
    return values[-1] if values else ""
