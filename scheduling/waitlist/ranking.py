"""Who is offered freed time before whom, as data, and why, as codes.

Urgent before routine, existing patients before new, first come first. Refuses to know whom it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

W = TypeVar("W")
Reason = list[str | int]
NOON, EVENING = time(12), time(17)
WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the order looks at: `since` is when they joined."""

    entry: Hashable
    is_urgent: bool
    is_existing: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question of the order: who has the smaller key is offered it first."""

    name: str
    key: Callable[[Waiting], Any]
    words: str


RULE: tuple[Criterion, ...] = (
    Criterion("urgency", lambda each: not each.is_urgent, "Urgent before routine"),
    Criterion("existing", lambda each: not each.is_existing, "Existing patients before new"),
    Criterion("since", lambda each: each.since, "First come, first served"),
    Criterion("entry", lambda each: str(each.entry), "The same order every time"),
)


def rank(waiting: Iterable[W], *, key: Callable[[W], Waiting] | None = None) -> list[W]:
    """Return everybody in the order in which they are offered time, first the first.

    `key` returns what the order looks at; without it `waiting` are Waiting themselves.
    """

    def place(each: W) -> tuple[Any, ...]:
        seen = cast(Waiting, each) if key is None else key(each)
        return tuple(criterion.key(seen) for criterion in RULE)

    return sorted(waiting, key=place)


def reasons(
    waiting: Waiting,
    *,
    start: datetime,
    zone: ZoneInfo,
    weekdays: Collection[int] = (),
    after: time | None = None,
    before: time | None = None,
    sooner_than: datetime | None = None,
    is_same_type: bool = False,
    is_their_provider: bool = False,
    shares_language: bool = False,
    now: datetime,
) -> list[Reason]:
    """Return why a visit at `start` is theirs to be offered, as codes that JSON keeps.

    Nothing in them tells of a person. `weekdays`, `after` and `before` are what they asked for,
    `sooner_than` is the visit it would replace; `is_their_provider`: they asked for this one.
    """
    local = start.astimezone(zone)
    found: list[Reason] = []
    found += [["URGENT"]] if waiting.is_urgent else []
    found += [["EXISTING"]] if waiting.is_existing else []
    found.append(["WAITS", max((now - waiting.since).days, 0)])
    found += [["SAME_TYPE"]] if is_same_type else []
    found += [["PROVIDER"]] if is_their_provider else []
    found += [[part] for part in part_of_day(after, before)]
    found += [["WEEKDAY", local.weekday()]] if 0 < len(set(weekdays)) < WEEK else []
    found += [["LANGUAGE"]] if shares_language else []
    if sooner_than is not None:
        found.append(["SOONER", (sooner_than.astimezone(zone).date() - local.date()).days])
    return found


def part_of_day(after: time | None, before: time | None) -> list[str]:
    """Return the code of the hours that were asked for, or nothing if any would do."""
    if after is None and before is None:
        return []
    if before is not None and before <= NOON:
        return ["MORNINGS"]
    if after is not None and after >= EVENING:
        return ["EVENINGS"]
    if after is not None and after >= NOON:
        return ["AFTERNOONS"]
    return ["HOURS"]
