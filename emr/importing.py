"""Takes FHIR resources in: each is new, changed, unchanged or refused, and none stops another.

A resource is known by its source and id. What the source says unchanged is not written again, so
that a change made here stays; of two versions the one changed last counts, else the first read.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DatabaseError, connection, transaction

from emr.fhir.documents import Entry
from emr.fhir.errors import Damaged, Refused
from emr.fhir.identity import Identity, identity, referenced_id
from emr.files import BATCH, batches
from emr.findings import KEPT, NEW, REFUSED, REPEATED, UNCHANGED, UPDATED, Finding, Tally
from emr.intake.kinds import Intake, Reading, Remark, Target
from emr.intake.patients import PatientIntake
from emr.intake.places import PlaceIntake
from emr.intake.practitioners import PractitionerIntake
from emr.intake.roles import PRACTITIONER, ROLE, RoleIntake
from emr.links import Digests, Key, digests, links_of, write_link
from emr.models import EMRLink
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
    """A resource that could be read, and what its digests are."""

    place: Place
    reading: Reading
    digests: Digests


@dataclass(slots=True)
class Import:
    """One run: what it has seen so far, and what it found."""

    target: Target
    tell: Callable[[Finding], None]
    tally: Tally = field(default_factory=Tally)
    seen: set[Key] = field(default_factory=set)
    refused: set[Key] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    roles: list[Place] = field(default_factory=list)

    def take(self, places: Sequence[Place]) -> None:
        """Take in a batch in one transaction, each record in a savepoint of its own."""
        self.roles += [place for place in places if place.entry.resource_type == ROLE]
        self._take([place for place in places if place.entry.resource_type != ROLE])

    def take_roles(self) -> None:
        for first in range(0, len(self.roles), BATCH):
            self._take(self.roles[first : first + BATCH])

    def _take(self, places: Sequence[Place]) -> None:
        items = [item for place in places if (item := self._read(place))]
        source = self.target.source
        links = links_of((item.reading.identity.key for item in items), source=source)
        rows = _rows(links)
        with transaction.atomic():
            for item in items:
                key = item.reading.identity.key
                try:
                    self._apply(item, links, rows)
                except Refused as refusal:
                    self._refuse(item.place, refusal, item.reading.identity)
                self.seen.add(key)

    def _read(self, place: Place) -> _Item | None:
        entry, who = place.entry, None
        try:
            if entry.refusal:
                raise entry.refusal
            who = identity(entry.resource_type, entry.resource)
            reading = INTAKES[entry.resource_type].read(who, self._resolved(entry))
        except Refused as refusal:
            self._refuse(place, refusal, who)
            return None
        alias = referenced_id({"reference": entry.full_url})
        if alias and alias != who.resource_id:
            self.aliases[alias] = who.resource_id
        return _Item(place, reading, digests(reading, source=self.target.source))

    def _apply(
        self, item: _Item, links: dict[Key, EMRLink], rows: dict[uuid.UUID, UUIDModel]
    ) -> None:
        """Write what is new or changed. Raises Refused, and then nothing is written."""
        reading, key = item.reading, item.reading.identity.key
        intake, link = INTAKES[reading.identity.resource_type], links.get(key)
        row = rows.get(link.local_id) if link else None
        again = key in self.seen
        if row:
            intake.check(row, target=self.target)
        changed = item.digests.changed_since(link) if link and row else set(item.digests.parts)
        if link and row and not changed and not _is_newer(reading.identity, link):
            self._count(item.place, REPEATED if again else UNCHANGED, again or reading.remarks)
            return
        if link and row and changed:
            _check_version(reading.identity, link, again=again)
        self._write(item, link, row, changed, links, rows)
