"""Compares the visits of one provider and day on both sides, and says what does not agree.

Pure: ids, instants and statuses only. What follows from a difference is named (`Cure`), not done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from emr.agreeing import agree, has_ended
from emr.standings import Standing
from scheduling.transitions import Status


class Kind(StrEnum):
    MISSING_THERE = "MISSING_THERE"
    MISSING_HERE = "MISSING_HERE"
    DUPLICATE_THERE = "DUPLICATE_THERE"
    UNLINKED = "UNLINKED"
    STATUS = "STATUS"
    TIME = "TIME"


class Cure(StrEnum):
    """TELL: ours goes out again. READ: theirs is read again, by the rules for what comes in.
    PERSON: neither would change it."""

    TELL = "TELL"
    READ = "READ"
    PERSON = "PERSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A visit of ours. `remote_id` is the appointment there that it is linked to, `version_id` its
    version as last seen; `patient` is the patient's id there. What is `is_on_its_way` is being
    told, taken or decided by a person already."""

    id: UUID
    standing: Standing
    patient: str = ""
    remote_id: str = ""
    version_id: str = ""
    agreed: Standing | None = None
    is_on_its_way: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """An appointment there; `standing` is None where its status means nothing here. `names` is the
    visit of ours whose identifier it bears, if any."""

    remote_id: str
    standing: Standing | None
    version_id: str = ""
    patient: str = ""
    names: UUID | None = None
    is_on_its_way: bool = False

    @property
    def is_live(self) -> bool:
        return self.standing is not None and not has_ended(self.standing)


@dataclass(frozen=True, slots=True)
class Drift:
    kind: Kind
    cure: Cure
    appointment: UUID | None = None
    remote_id: str = ""
    version_id: str = ""


def compare(
    ours: Sequence[Ours], theirs: Sequence[Theirs], *, heeds_arrival: bool = True
) -> Iterator[Drift]:
    """Yield what does not agree. `theirs` has all that the other side has of these visits; what is
    linked and is not among them is gone there. `heeds_arrival` is False for systems that cannot
    be told that somebody arrived.
    """
    by_link = {one.remote_id: one for one in ours if one.remote_id}
    there = {one.remote_id: one for one in theirs}
    for visit in ours:
        known = there.get(visit.remote_id) if visit.remote_id else None
        if known is not None:
            yield from _apart(visit, known, heeds_arrival=heeds_arrival)
        elif visit.remote_id and not has_ended(visit.standing) and not visit.is_on_its_way:
            yield Drift(Kind.MISSING_THERE, Cure.READ, visit.id, visit.remote_id)
    strangers = [one for one in theirs if one.remote_id not in by_link]
    yield from _unlinked(ours, strangers)


def _unlinked(ours: Sequence[Ours], strangers: Sequence[Theirs]) -> Iterator[Drift]:
    """Yield what has no link: on one side only, on both without being joined, or once too often."""
    waiting = {one.id: one for one in ours if not one.remote_id}
    for one in strangers:
        if one.is_on_its_way:
            continue
        visit = _same(one, ours)
        if visit is not None and visit.id not in waiting and one.is_live:
            yield _at(Kind.DUPLICATE_THERE, Cure.PERSON, one, visit)
        elif visit is not None and visit.id in waiting:
            del waiting[visit.id]
            if not visit.is_on_its_way:
                yield _at(Kind.UNLINKED, Cure.READ, one, visit)
        elif one.is_live or one.standing is None:
            yield _at(Kind.MISSING_HERE, Cure.READ, one)
    for visit in waiting.values():
        if visit.standing.status is not Status.CANCELLED and not visit.is_on_its_way:
            yield Drift(Kind.MISSING_THERE, Cure.TELL, visit.id)


def _same(stranger: Theirs, ours: Iterable[Ours]) -> Ours | None:
    """Return the visit that an appointment without a link is: by our identifier, else by the same
    patient, start and provider."""
    for visit in ours:
        if visit.id == stranger.names:
            return visit
    if stranger.names is not None or stranger.standing is None or not stranger.patient:
        return None
    where = (stranger.patient, stranger.standing.start, stranger.standing.provider)
    for visit in ours:
        if (visit.patient, visit.standing.start, visit.standing.provider) == where:
            return visit
    return None


def _apart(ours: Ours, theirs: Theirs, *, heeds_arrival: bool) -> Iterator[Drift]:
    """Yield how a visit that both sides have differs, at most once."""
    if ours.is_on_its_way or theirs.is_on_its_way:
        return
    here, there = ours.standing, theirs.standing
    if there is None:
        yield _at(Kind.STATUS, Cure.READ, theirs, ours)
        return
    there = replace(there, provider=there.provider or here.provider)
    differs = here.status is not there.status
    if heeds_arrival and not has_ended(here):
        differs = differs or here.has_arrived != there.has_arrived
    if differs:
        yield _at(Kind.STATUS, _cure(ours, theirs, there), theirs, ours)
    elif not has_ended(here) and _place(here) != _place(there):
        yield _at(Kind.TIME, _cure(ours, theirs, there), theirs, ours)


def _cure(ours: Ours, theirs: Theirs, there: Standing) -> Cure:
    """A version that was seen before is not taken in again: then only telling ours can help, and
    only where what was agreed is not ours already."""
    if theirs.version_id and theirs.version_id == ours.version_id:
        return Cure.TELL if ours.agreed != ours.standing else Cure.PERSON
    if _is_older(theirs.version_id, ours.version_id):
        return Cure.PERSON
    verdict = agree(base=ours.agreed, ours=ours.standing, theirs=there)
    is_only_told = verdict.push and verdict.take is None and verdict.conflict is None
    return Cure.TELL if is_only_told else Cure.READ


def _is_older(one: str, other: str) -> bool:
    return one.isdecimal() and other.isdecimal() and int(one) < int(other)


def _place(standing: Standing) -> tuple[object, ...]:
    return standing.start, standing.end, standing.provider


def _at(kind: Kind, cure: Cure, theirs: Theirs, ours: Ours | None = None) -> Drift:
    return Drift(kind, cure, ours.id if ours else None, theirs.remote_id, theirs.version_id)
