"""What every record system is asked, whichever way it is spoken to.

A driver knows its vendor's rules and nothing of our rows. All verbs raise `emr.failures.EMRError`
and its kinds, and nothing else for what the other side did.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from emr.kinds import Feature
from emr.visits import Candidate, Changes, Known, Note, Person, Remote, Slot, Visit


class Driver(Protocol):
    """One connection, opened. Made by `emr.drivers.opening.open_driver`, closed with `close`."""

    @property
    def features(self) -> frozenset[Feature]: ...

    def find_patient(self, person: Person) -> list[Candidate]:
        """Return who may be this person there: by record number first, then name, date of birth
        and insurance id (`$match` where offered). Raises NotOffered."""

    def read_patient(self, remote_id: str) -> Candidate:
        """Read a patient; `replaced_by` is who a merged record was joined into. Raises NotFound."""

    def create_patient(self, person: Person) -> Candidate:
        """Make a patient there. Raises NotOffered, Unsure."""

    def find_slots(self, visit: Visit) -> list[Slot]:
        """Return the free slots at a visit's place and time. Raises NotOffered."""

    def book(self, visit: Visit) -> Remote:
        """Make the appointment there. Raises NoSlot, Unsure."""

    def find(self, visit: Visit, *, since: datetime) -> Remote | None:
        """Look whether a visit that was perhaps booked from `since` on is there; None: surely not.

        Raises NotOffered where nothing can be searched: then `book` again is harmless there.
        """

    def reschedule(self, visit: Visit, known: Known) -> Remote:
        """Move it to where the visit stands now; the answer may bear a new `remote_id` (Epic)."""

    def confirm(self, visit: Visit, known: Known) -> Remote: ...

    def arrive(self, visit: Visit, known: Known) -> Remote: ...

    def revert(self, visit: Visit, known: Known) -> Remote:
        """Take an ending back: it is to stand there as booked again."""

    def complete(self, visit: Visit, known: Known) -> Remote: ...

    def cancel(self, visit: Visit, known: Known) -> Remote: ...

    def no_show(self, visit: Visit, known: Known) -> Remote: ...

    def read(self, remote_id: str) -> Remote: ...

    def read_resource(self, resource_type: str, remote_id: str) -> Mapping[str, Any]:
        """Read anything else, as JSON."""

    def visits_between(self, start: datetime, end: datetime, *, provider_id: str) -> list[Remote]:
        """Return a provider's appointments that start in [start, end). Raises NotOffered."""

    def changes_since(self, cursor: Mapping[str, Any], *, now: datetime) -> Changes:
        """Return what changed after a cursor; an empty one begins at `now`. Raises NotOffered."""

    def write_note(self, note: Note) -> Known:
        """Write one draft note. Raises NotOffered, Unsure."""

    def find_note(self, note: Note) -> Known | None:
        """Look whether a note that was perhaps written is there."""

    def close(self) -> None: ...


__all__ = ["Driver", "Feature"]
