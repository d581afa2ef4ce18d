"""Decides what becomes of a visit that stands otherwise here than there, field by field.

Pure: knows what both sides last agreed on, what each says now, and nothing of how it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from emr.kinds import ConflictKind
from emr.standings import Standing
from scheduling.transitions import Status

Place = tuple[datetime, datetime, str]
OPEN = frozenset({Status.SCHEDULED, Status.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """`take` is how the visit is to stand here, None where it does already; `push`: something of
    ours is still to be told there; `agreed` what the other side is then known to say.

    With a `conflict` neither is done, and `agreed` is what it was.
    """

    push: bool
    take: Standing | None
    conflict: ConflictKind | None
    agreed: Standing | None


def agree(*, base: Standing | None, ours: Standing, theirs: Standing) -> Verdict:
    """Compare both sides with `base`, on which they last agreed; None at their first meeting.

    Each of three fields belongs to the side that changed it since: the place in time (start, end,
    provider), the status, the arrival. A provider unknown here ("") is no word about the provider.
    At a first meeting theirs is taken, but it takes no ending of ours back. Where a visit has
    ended its place in time no longer matters.
    """
    known = base or ours
    theirs = theirs if theirs.provider else replace(theirs, provider=known.provider)
    kind = _conflict(known, ours, theirs, is_first=base is None)
    if kind is not None:
        return Verdict(push=False, take=None, conflict=kind, agreed=base)
    joint, agreed = _joined(known, ours, theirs)
    return Verdict(
        push=_is_to_tell(joint, agreed),
        take=joint if joint != ours else None,
        conflict=None,
        agreed=agreed,
    )


def has_ended(standing: Standing) -> bool:
    return standing.status not in OPEN


def _conflict(
    base: Standing, ours: Standing, theirs: Standing, *, is_first: bool
) -> ConflictKind | None:
    """Return what no rule decides: two endings, an ending against a move, two different moves."""
    apart = _at(ours) != _at(theirs)
    moved_here, moved_there = _at(base) != _at(ours), _at(base) != _at(theirs)
    if ours.status is theirs.status:
        is_both = apart and moved_here and moved_there and not has_ended(ours)
        return ConflictKind.BOTH_MOVED if is_both else None
    here, there = ours.status is not base.status, theirs.status is not base.status
    if here and there:
        return ConflictKind.STATUS
    if there and has_ended(ours) and (is_first or has_ended(theirs)):
        return ConflictKind.STATUS
    ended_here, ended_there = here and has_ended(ours), there and has_ended(theirs)
    if apart and ((ended_here and moved_there) or (ended_there and moved_here)):
        return ConflictKind.STATUS
    return None


def _joined(base: Standing, ours: Standing, theirs: Standing) -> tuple[Standing, Standing]:
    """Return how the visit is to stand, and what the other side is known to say of it."""
    status = ours.status if theirs.status is base.status else theirs.status
    arrived = _risen(base.has_arrived, ours.has_arrived, theirs.has_arrived)
    confirmed = _risen(base.is_confirmed, ours.is_confirmed, theirs.is_confirmed)
    told = replace(
        theirs,
        has_arrived=theirs.has_arrived or (base.has_arrived and ours.has_arrived),
        is_confirmed=theirs.is_confirmed or (base.is_confirmed and ours.is_confirmed),
    )
    if status in OPEN and _is_theirs(base, ours, theirs) and _at(ours) != _at(theirs):
        # Who confirmed the old time said nothing about the new one.
        confirmed = theirs.is_confirmed and not base.is_confirmed
        return replace(theirs, status=status, is_confirmed=confirmed), theirs
    joint = replace(ours, status=status, has_arrived=arrived, is_confirmed=confirmed)
    return joint, told


def _is_theirs(base: Standing, ours: Standing, theirs: Standing) -> bool:
    """Say whether the place in time is the other side's to name: it moved, or revives the visit."""
    return _at(base) != _at(theirs) or (has_ended(ours) and not has_ended(theirs))


def _risen(base: bool, ours: bool, theirs: bool) -> bool:  # noqa: FBT001 - one fact, three times
    """Return a fact that is only ever learnt: not hearing it there takes nothing back here."""
    return ours if theirs == base else ours or theirs


def _is_to_tell(joint: Standing, agreed: Standing) -> bool:
    if joint.status is not agreed.status:
        return True
    is_confirmed = joint.is_confirmed or agreed.is_confirmed  # nothing there takes it back
    return not has_ended(joint) and replace(joint, is_confirmed=is_confirmed) != agreed


def _at(standing: Standing) -> Place:
    return standing.start, standing.end, standing.provider
