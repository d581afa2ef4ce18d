"""Takes FHIR resources in: each is new, changed, unchanged or refused, and none stops another.

A resource is known by its source and id. What the source says unchanged is not written again, so
that a change made here stays; of two versions the one changed last counts, else the first read.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from emr.fhir.documents import Entry
from emr.fhir.errors import Damaged, Refused
from emr.fhir.identity import Identity, identity
from emr.files import BATCH, batches
from emr.findings import KEPT, NEW, REFUSED, REPEATED, UNCHANGED, UPDATED, Finding, Tally
from emr.intake.kinds import Intake, Reading, Remark, Taken, Target
from emr.intake.patients import PatientIntake
from emr.intake.places import PlaceIntake
from emr.intake.practitioners import PractitionerIntake
from emr.intake.roles import PRACTITIONER, ROLE, RoleIntake
from emr.links import Digests, Key, digest_key, digests, links_of, write_link
from emr.models import EMRLink
from patients.models import Patient
from patients.suggesting import suggest_later
from providers.fields import UUIDModel

INTAKES: dict[str, Intake] = {
    "Patient": PatientIntake(),
    PRACTITIONER: PractitionerIntake(),
    ROLE: RoleIntake(),
    "Organization": PlaceIntake(),
    "Location": PlaceIntake(),
}


def import_files(
    files: Sequence[Path],
    *,
    target: Target,
    tell: Callable[[Finding], None],
    advance: Callable[[int], None],
) -> Tally:
    """Take in what the files hold; `tell` hears each finding, `advance` the bytes read.

    Roles wait until all practitioners are known, then come last.
    """
    run = Import(target=target, tell=tell)
    for number, path in enumerate(files, 1):
        try:
            for batch in batches(path, INTAKES, advance):
                run.take([Place(number, entry) for entry in batch])
        except Damaged as damage:
            run.tally.damaged[number] = str(damage)
    run.take_roles()
    return run.tally


@dataclass(frozen=True, slots=True)
class Place:
    """An entry and the number of the file that it stood in."""

    file: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Item:
    """A resource that could be read, what it became before, and where it stood."""

    place: Place
    reading: Reading
    digests: Digests
    link: EMRLink | None = None
    row: UUIDModel | None = None


@dataclass(slots=True)
class _Known:
    """The links and rows of a batch, kept up to date while it is written."""

    links: dict[Key, EMRLink]
    rows: dict[uuid.UUID, UUIDModel]
    registered: list[uuid.UUID] = field(default_factory=list)

    def look_up(self, key: Key) -> tuple[EMRLink | None, UUIDModel | None]:
        link = self.links.get(key)
        return link, self.rows.get(link.local_id) if link else None

    def learn(self, link: EMRLink, row: UUIDModel) -> None:
        self.links[link.resource_type, link.resource_id] = link
        self.rows[row.pk] = row


@dataclass(slots=True)
class Import:
    """One run: what it has seen so far, and what it found."""

    target: Target
    tell: Callable[[Finding], None]
    key: str = field(default_factory=digest_key, repr=False)
    tally: Tally = field(default_factory=Tally)
    seen: set[Key] = field(default_factory=set)
    refused: set[Key] = field(default_factory=set)
    roles: list[Place] = field(default_factory=list)

    def take(self, places: Sequence[Place]) -> None:
        """Take in a batch in one transaction, each changed record in a savepoint of its own."""
        self.roles += [place for place in places if place.entry.resource_type == ROLE]
        self._take([place for place in places if place.entry.resource_type != ROLE])

    def take_roles(self) -> None:
        for first in range(0, len(self.roles), BATCH):
            self._take(self.roles[first : first + BATCH])

    def _take(self, places: Sequence[Place]) -> None:
        read = [found for place in places if (found := self._read(place))]
        known = _look_up([reading.identity.key for _, reading in read], self.target.source)
        with transaction.atomic():
            for place, reading in read:
                key = reading.identity.key
                link, row = known.look_up(key)
                digest = digests(reading, source=self.target.source, key=self.key)
                item = _Item(place, reading, digest, link, row)
                try:
                    self._settle(item, known)
                except Refused as refusal:
                    self._refuse(place, refusal, reading.identity.resource_id)
                self.seen.add(key)
            suggest_later(known.registered)

    def _read(self, place: Place) -> tuple[Place, Reading] | None:
        entry, resource_id = place.entry, ""
        try:
            if entry.refusal:
                raise entry.refusal
            who = identity(entry.resource_type, entry.resource)
            resource_id = who.resource_id
            return place, INTAKES[entry.resource_type].read(who, entry.resource)
        except Refused as refusal:
            self._refuse(place, refusal, resource_id)
            return None

    def _settle(self, item: _Item, known: _Known) -> None:
        """Write the resource if it is new or changed. Raises Refused; then nothing is written."""
        key, link = item.reading.identity.key, item.link
        if link is None or item.row is None:
            outcome, remarks = NEW, self._write(item, known)
        else:
            INTAKES[item.reading.identity.resource_type].check(item.row, target=self.target)
            is_same = bytes(link.digest) == item.digests.whole
            if is_same and not _is_newer(item.reading.identity, link):
                outcome, remarks = UNCHANGED, ()
            else:
                _check_version(item, again=key in self.seen)
                outcome, remarks = UPDATED, self._write(item, known)
        if outcome == UNCHANGED and key in self.seen:
            self.tally.outcomes[key[0], REPEATED] += 1
            return
        self.tally.outcomes[key[0], outcome] += 1
        for remark in (*item.reading.remarks, *remarks):
            self._report(item.place, KEPT, remark, key[1])

    def _write(self, item: _Item, known: _Known) -> tuple[Remark, ...]:
        try:
            with transaction.atomic():
                taken = self._taken(item)
                link = write_link(
                    item.link, item.reading, taken.row, item.digests, source=self.target.source
                )
                connection.check_constraints()
        except (DataError, IntegrityError) as error:
            for unsaved in (item.link, item.row):
                if unsaved:
                    unsaved.refresh_from_db()
            reason = f"the database refused it ({_what_refused(error)})"
            raise Refused("database", reason) from error
        if item.row is None and isinstance(taken.row, Patient):
            known.registered.append(taken.row.pk)
        known.learn(link, taken.row)
        return taken.remarks

    def _taken(self, item: _Item) -> Taken:
        intake = INTAKES[item.reading.identity.resource_type]
        if item.link is None or item.row is None:
            return intake.create(item.reading, target=self.target)
        parts = item.digests.changed_since(item.link)
        return intake.update(item.row, item.reading, parts=parts, target=self.target)

    def _refuse(self, place: Place, refusal: Refused, resource_id: str) -> None:
        """Report a refused record, once however often it comes."""
        key = (place.entry.resource_type, resource_id)
        if resource_id and key in self.refused:
            self.tally.outcomes[key[0], REPEATED] += 1
            return
        self.refused.add(key)
        self.tally.outcomes[key[0], REFUSED] += 1
        self._report(place, REFUSED, Remark(refusal.code, refusal.reason), resource_id)

    def _report(self, place: Place, outcome: str, remark: Remark, resource_id: str) -> None:
        kind = place.entry.resource_type
        self.tally.reasons[kind, outcome, remark.reason] += 1
        self.tell(
            Finding(
                file=place.file,
                entry=place.entry.number,
                resource_type=kind,
                resource_id=resource_id,
                outcome=outcome,
                code=remark.code,
                reason=remark.reason,
            )
        )


def _look_up(keys: Sequence[Key], source: str) -> _Known:
    """Return the links and rows of a batch in a constant number of queries."""
    links = links_of(keys, source=source)
    rows: dict[uuid.UUID, UUIDModel] = {}
    for kind, intake in INTAKES.items():
        ids = [link.local_id for link in links.values() if link.resource_type == kind]
        if ids:
            rows |= intake.model._default_manager.in_bulk(ids)
    return _Known(links, rows)


def _is_newer(who: Identity, link: EMRLink) -> bool:
    return bool(who.changed_at and link.changed_at and who.changed_at > link.changed_at)


def _check_version(item: _Item, *, again: bool) -> None:
    """Refuse a version that is older than the one here, or contradicts one read in this run."""
    who, link = item.reading.identity, item.link
    if link is None or _is_newer(who, link):
        return
    if who.changed_at and link.changed_at and who.changed_at < link.changed_at:
        raise Refused("older", "a later version of it is here already")
    if again:
        raise Refused("contradicts", "it contradicts another copy read before in this run")


def _what_refused(error: DatabaseError) -> str:
    """Name the constraint, else the SQLSTATE: the message itself would repeat values."""
    cause = error.__cause__
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return constraint or getattr(cause, "sqlstate", None) or type(error).__name__
