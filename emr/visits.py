"""What drivers are given and what they answer: visits, people and slots at the edge of the house.

Pure. These hold PHI: they show none of it, and live no longer than the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from emr.standings import Standing
from scheduling.transitions import Status


class Step(StrEnum):
    """What has to be said so that the other side stands where we do."""

    BOOK = "BOOK"
    RESCHEDULE = "RESCHEDULE"
    CONFIRM = "CONFIRM"
    ARRIVE = "ARRIVE"
    REVERT = "REVERT"
    COMPLETE = "COMPLETE"
    CANCEL = "CANCEL"
    NO_SHOW = "NO_SHOW"


@dataclass(frozen=True, slots=True)
class Code:
    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A provider, place or patient: their id at the other side, empty where that is not known."""

    remote_id: str = ""
    name: str = field(default="", repr=False)
    given: str = field(default="", repr=False)
    family: str = field(default="", repr=False)
    npi: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A patient as they are looked for: what is not known is empty. `identifiers` are (system,
    value) pairs of record numbers."""

    id: UUID
    given: str = field(repr=False)
    family: str = field(repr=False)
    dob: date | None = field(default=None, repr=False)
    sex: str = "unknown"
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    address: Mapping[str, str] = field(default_factory=dict, repr=False)
    language: str = "en"
    member_id: str = field(default="", repr=False)
    identifiers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit as it stands with us when its message leaves.

    Instants are aware. `code` is the other side's word for the visit's type, `type_code` ours.
    `marker` identifies the message (HL7 v2 MSH-10), `reference` the visit for people.
    """

    id: UUID
    reference: str
    status: Status
    start: datetime
    end: datetime
    patient: Party
    provider: Party
    place: Party
    type_code: str
    type_label: str
    code: Code | None = None
    is_telehealth: bool = False
    has_arrived: bool = False
    reason: str = field(default="", repr=False)
    cancel_reason: str = ""
    cancel_code: str = ""
    changed_at: datetime
    created_at: datetime
    sequence: int = 0
    slot_id: str = ""
    marker: str = ""
    person: Person | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """A resource of the other side as we last saw it."""

    remote_id: str
    version_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """An appointment as the other side has it. `status` is FHIR's own word; `provider_ids` and
    `patient_id` are the other side's. `identifiers` are (system, value) pairs."""

    remote_id: str
    version_id: str = ""
    status: str = "booked"
    start: datetime | None = None
    end: datetime | None = None
    patient_id: str = ""
    provider_ids: tuple[str, ...] = ()
    place_ids: tuple[str, ...] = ()
    slot_ids: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    codes: tuple[Code, ...] = ()
    reason: str = field(default="", repr=False)
    changed_at: datetime | None = None
    is_confirmed: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A patient of the other side who may be the one looked for. `score` is theirs, 0 to 1, or
    None; `is_certain` is their own word for it ($match)."""

    remote_id: str
    score: float | None = None
    is_certain: bool = False
    replaced_by: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    remote_id: str
    start: datetime
    end: datetime
    status: str = "free"
    schedule_id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A draft clinical note. `marker` is the id of its message, by which it is found again."""

    marker: str
    visit: Visit
    appointment: Known
    text: str = field(repr=False)
    author: Party
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """Something of the other side that changed: to be read again, unless `resource` has it all."""

    resource_type: str
    resource_id: str
    version_id: str = ""
    event: str = ""
    resource: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a cursor, and the cursor from which to go on."""

    told: tuple[Told, ...]
    cursor: Mapping[str, Any]
    has_more: bool = False


__all__ = [
    "Candidate",
    "Changes",
    "Code",
    "Known",
    "Note",
    "Party",
    "Person",
    "Remote",
    "Slot",
    "Standing",
    "Step",
    "Told",
    "Visit",
]
