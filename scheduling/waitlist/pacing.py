"""How fast freed time is offered: to whom now, until when, and when to look again.

Those who would take it come in ranked. Refuses to know why they are ranked so, and what is kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from scheduling.quiet import Quiet, quiet_begins, quiet_ends

# An offer that others may take as well stands so long, in hours in which its patient may be told.
LONGEST_OVERLAPPING = timedelta(hours=24)


class Pace(StrEnum):
    """How freed time is offered: to nobody, to one after the other, or to several at once."""

    OFF = "OFF"
    SEQUENTIAL = "SEQUENTIAL"
    OVERLAPPING = "OVERLAPPING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A clinic's rule: `window` is how long an offer is one patient's alone.

    `divisor` shares the time that was left when the opening came up out among overlapping offers,
    within the bounds of the spacing. `most_a_day` offers go to one patient.
    """

    pace: Pace
    window: timedelta = timedelta(hours=2)
    shortest_window: timedelta = timedelta(minutes=15)
    divisor: int = 48
    shortest_spacing: timedelta = timedelta(minutes=5)
    longest_spacing: timedelta = timedelta(hours=2)
    most_a_day: int = 3


@dataclass(frozen=True, slots=True)
class Contact:
    """When somebody may be told of an offer: out of quiet hours by the clocks of their zone."""

    zone: ZoneInfo
    quiet: Quiet


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whose visit would begin at `start`; an offer has ended by `last_moment`.

    They cannot be told before `not_before`, as of caps or of another offer, if there is one.
    """

    entry: Hashable
    start: datetime
    last_moment: datetime
    contact: Contact
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """An offer that stands."""

    entry: Hashable
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """Offer it to them, and look again then at the latest."""

    candidate: Candidate
    expires_at: datetime
    look_again_at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Nobody is to be told before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """Nobody is left, or nobody could answer in time."""

    why: Literal["EXHAUSTED", "TOO_LATE"]


Step = Offer | Wait | Stop


def next_step(
    rule: Rule,
    *,
    ranked: Sequence[Candidate],
    live: Sequence[Live],
    offered_at: datetime | None,
    opened_at: datetime,
    now: datetime,
) -> Step:
    """Return what to do about an opening now.

    `ranked` are those not yet offered it who would take it, best first; `live` the offers that
    stand, however late it is; `offered_at` is when the last one was made. Who cannot be told now is
    passed over for now. While an offer stands nothing stops.
    """
    now = now.astimezone(UTC)  # what is added to it is elapsed time
    if rule.pace is Pace.OFF:
        ranked = ()
    if live and (rule.pace is not Pace.OVERLAPPING or not ranked):
        return Wait(_first_expiry(live))
    open_to = [each for each in ranked if each.last_moment > now]
    chosen = next((each for each in open_to if _can_be_told(each, rule, now)), None)
    if chosen is None:
        return _wait_or_stop(rule, ranked, open_to, live, now)
    spacing = spacing_of(rule, start=chosen.start, opened_at=opened_at)
    due = offered_at.astimezone(UTC) + spacing if live and offered_at else now
    if due > now:
        return Wait(min(due, _first_expiry(live)))
    expires_at = _expiry(chosen, rule, now)
    again = min(expires_at, now + spacing) if rule.pace is Pace.OVERLAPPING else expires_at
    return Offer(chosen, expires_at, again)


def spacing_of(rule: Rule, *, start: datetime, opened_at: datetime) -> timedelta:
    """Return how long lies between two overlapping offers of time that came free at `opened_at`."""
    share = (start.astimezone(UTC) - opened_at.astimezone(UTC)) / rule.divisor
    return min(max(share, rule.shortest_spacing), rule.longest_spacing)


def window_end(start: datetime, length: timedelta, contact: Contact) -> datetime:
    """Return when so much time has passed in which they may be told, in UTC."""
    return _counted(start, length, contact, until=None)


def _counted(
    start: datetime, length: timedelta, contact: Contact, *, until: datetime | None
) -> datetime:
    """Return the end of a window, or `until` if that is sooner."""
    at, left = quiet_ends(start, zone=contact.zone, quiet=contact.quiet), length
    while until is None or at < until:
        begins = quiet_begins(at, zone=contact.zone, quiet=contact.quiet)
        if begins is None or begins - at >= left:
            at += left
            break
        left -= begins - at
        at = quiet_ends(begins, zone=contact.zone, quiet=contact.quiet)
    return at if until is None else min(at, until.astimezone(UTC))


def _can_be_told(candidate: Candidate, rule: Rule, now: datetime) -> bool:
    return _told_at(candidate, now) <= now and _has_time(candidate, rule, now)


def _told_at(candidate: Candidate, now: datetime) -> datetime:
    """Return when they can be told, from now on."""
    contact = candidate.contact
    earliest = max(now, candidate.not_before or now)
    return quiet_ends(earliest, zone=contact.zone, quiet=contact.quiet)


def _has_time(candidate: Candidate, rule: Rule, at: datetime) -> bool:
    """Say whether the shortest window fits before their last moment."""
    end = _counted(at, rule.shortest_window, candidate.contact, until=None)
    return end <= candidate.last_moment


def _expiry(candidate: Candidate, rule: Rule, now: datetime) -> datetime:
    length = LONGEST_OVERLAPPING if rule.pace is Pace.OVERLAPPING else rule.window
    return _counted(now, length, candidate.contact, until=candidate.last_moment)


def _wait_or_stop(
    rule: Rule,
    ranked: Sequence[Candidate],
    open_to: Sequence[Candidate],
    live: Sequence[Live],
    now: datetime,
) -> Wait | Stop:
    """Wait for the first of those who can be told in time, and for offers that stand."""
    told = [(each, _told_at(each, now)) for each in open_to]
    waits = [at for each, at in told if _has_time(each, rule, at)]
    waits += [offer.expires_at for offer in live]
    if waits:
        return Wait(min(waits))
    return Stop("TOO_LATE" if ranked else "EXHAUSTED")


def _first_expiry(live: Sequence[Live]) -> datetime:
    return min(offer.expires_at for offer in live)
