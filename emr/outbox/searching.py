"""Finds out what became of a try of which nobody knows: whether the other side has the visit.

Asks the driver alone; what is found is agreed on, so that only what is missing is said again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from emr.drivers.base import Driver
from emr.drivers.changing import LIVE
from emr.failures import Clash, NotFound, NotOffered
from emr.kinds import TaskKind
from emr.outbox import agreements
from emr.outbox.begun import Clock
from emr.outbox.outcomes import open_task
from emr.outbox.planning import standing_after
from emr.outbox.recognizing import is_on_the_way, standing_there
from emr.outbox.underway import Telling
from emr.outbox.whereabouts import place_there, places
from emr.visits import Known, Remote, Step
from scheduling.transitions import Status

# Clocks differ: what was made there this much before we asked for it may be ours all the same.
BEFORE = timedelta(minutes=5)


def find_out(made: Telling, driver: Driver, *, clock: Clock) -> None:
    """Look what became of an earlier try, and agree on what is found. Raises Clash where the other
    side stands where neither of us said; asks nothing where nothing can be asked."""
    is_booking = made.link is None or Step.RESCHEDULE in made.steps
    if is_booking and _find_again(made, driver, clock=clock):
        return
    if made.link is None:
        return
    try:
        remote = driver.read(made.remote_id)
    except NotOffered:
        return
    if remote.version_id and remote.version_id == made.link.version_id:
        return
    there = standing_there(remote, made.visit, wanted=made.wanted, agreed=made.agreed)
    if there is None or not is_on_the_way(there, agreed=made.agreed, wanted=made.wanted):
        raise Clash("changed-there")
    made.agree(Known(remote.remote_id, remote.version_id), there, now=clock())


def _find_again(made: Telling, driver: Driver, *, clock: Clock) -> bool:
    """Look for an appointment that we perhaps made; say whether one was found that is new to us.

    Where it takes the place of another, the other is cancelled. Raises Clash where it has been
    ended there since: its version is then left to be read.
    """
    try:
        remote = _found(made, driver)
    except NotOffered:
        made.is_blind = True
        return False
    if remote is None:
        return False
    before, left = made.agreed, made.link
    there = place_there(remote, made.visit, wanted=made.wanted)
    standing = standing_after(Step.BOOK, there, before=before)
    if left is not None:
        _cancel_left(made, driver, agreements.known_by(left))
    is_live = remote.status in LIVE
    seen = remote.version_id if is_live else ""
    made.agree(Known(remote.remote_id, seen), standing, now=clock())
    if not is_live:
        raise Clash("ended-there")
    return True


def _found(made: Telling, driver: Driver) -> Remote | None:
    """Return an appointment that is new to us, where the visit is or was since the message."""
    visit = replace(made.visit, status=Status.SCHEDULED, has_arrived=False)
    since = made.message.created_at
    for place in places(visit, made.appointment, made.connection, since=since):
        remote = driver.find(place, since=since - BEFORE)
        if remote is not None and remote.remote_id != made.remote_id:
            return remote
    return None


def _cancel_left(made: Telling, driver: Driver, left: Known) -> None:
    visit = replace(made.visit, status=Status.CANCELLED, has_arrived=False)
    try:
        driver.cancel(visit, left)
    except NotFound:
        return
    except NotOffered:
        open_task(made.connection, TaskKind.BY_HAND, made.appointment)
