"""Decides how stretches of time join, meet and are cut, as half-open [start, end) in UTC.

Knows no clinic, no zone and no calendar: local time ends where an interval begins.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter


def in_utc(moment: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError if the datetime is naive."""
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise ValueError(f"a naive datetime names no instant: {moment!r}")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Interval:
    """The instants from `start` up to, and without, `end`.

    Any aware datetimes may be given; both are kept in UTC, because adding to a datetime in
    another zone moves its wall clock and not the instant. Raises ValueError on a naive datetime
    and on an interval that is empty or runs backwards.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC:
            object.__setattr__(self, "start", in_utc(self.start))
        if self.end.tzinfo is not UTC:
            object.__setattr__(self, "end", in_utc(self.end))
        if self.start >= self.end:
            raise ValueError(f"an interval must end after its start: {self.start} to {self.end}")

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two share an instant; touching is not overlapping."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Interval") -> bool:
        """Whether every instant of `other` is in this interval."""
        return self.start <= other.start and other.end <= self.end


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The same instants in as few intervals as possible, sorted; touching ones are joined."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=attrgetter("start")):
        if not merged or merged[-1].end < interval.start:
            merged.append(interval)
        elif merged[-1].end < interval.end:
            merged[-1] = Interval(merged[-1].start, interval.end)
    return merged


def subtract(intervals: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """The instants of `intervals` that lie in no hole, merged and sorted."""
    cuts = merge(holes)
    ends = [cut.end for cut in cuts]
    left: list[Interval] = []
    for whole in merge(intervals):
        start = whole.start
        for position in range(bisect_right(ends, start), len(cuts)):
            cut = cuts[position]
            if cut.start >= whole.end:
                break
            if cut.start > start:
                left.append(Interval(start, cut.start))
            start = cut.end
        if start < whole.end:
            left.append(Interval(start, whole.end))
    return left
