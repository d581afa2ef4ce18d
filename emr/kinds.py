"""The words in which the link to a clinic's record system is kept: vendors, states, reasons."""

from __future__ import annotations

from enum import StrEnum


class Vendor(StrEnum):
    """Which rules a connection follows; what each allows stands in `emr.profiles`."""

    GENERIC_R4 = "GENERIC_R4"
    ORACLE = "ORACLE"
    EPIC = "EPIC"
    HL7V2 = "HL7V2"


class Auth(StrEnum):
    """How this house proves to a FHIR server who it is."""

    NONE = "NONE"
    PRIVATE_KEY = "PRIVATE_KEY"
    CLIENT_SECRET = "CLIENT_SECRET"  # noqa: S105 - a name


class Algorithm(StrEnum):
    """What client assertions are signed with (SMART App Launch 2.2, backend services)."""

    ES384 = "ES384"
    RS384 = "RS384"


class Feature(StrEnum):
    """What a connection can do: its vendor's profile and its CapabilityStatement together."""

    FIND_PATIENT = "FIND_PATIENT"
    MATCH_PATIENT = "MATCH_PATIENT"
    CREATE_PATIENT = "CREATE_PATIENT"
    FIND_SLOTS = "FIND_SLOTS"
    BOOK = "BOOK"
    RESCHEDULE = "RESCHEDULE"
    CONFIRM = "CONFIRM"
    ARRIVE = "ARRIVE"
    COMPLETE = "COMPLETE"
    CANCEL = "CANCEL"
    NO_SHOW = "NO_SHOW"
    READ = "READ"
    SEARCH = "SEARCH"
    POLL = "POLL"
    SUBSCRIBE = "SUBSCRIBE"
    NOTE = "NOTE"
    CONDITIONAL_CREATE = "CONDITIONAL_CREATE"


class What(StrEnum):
    """What an outbound message is about."""

    VISIT = "VISIT"
    NOTE = "NOTE"
    PATIENT = "PATIENT"


class State(StrEnum):
    """Where an outbound message stands.

    WAITING: for somebody (a patient to be linked, a conflict to be settled), not for a time.
    UNKNOWN: the other side may have it; it is searched for before it is sent again.
    """

    QUEUED = "QUEUED"
    CLAIMED = "CLAIMED"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    WAITING = "WAITING"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    DEAD = "DEAD"


LIVE = (State.QUEUED, State.CLAIMED, State.SENDING, State.UNKNOWN, State.WAITING)


class Why(StrEnum):
    """Why a message waits, was skipped or is dead."""

    NONE = ""
    NOTHING_TO_SAY = "NOTHING_TO_SAY"
    UNDONE = "UNDONE"
    SUPERSEDED = "SUPERSEDED"
    NOT_OFFERED = "NOT_OFFERED"
    NO_PATIENT = "NO_PATIENT"
    NO_PROVIDER = "NO_PROVIDER"
    NO_CODE = "NO_CODE"
    NO_SLOT = "NO_SLOT"
    CONFLICT = "CONFLICT"
    REFUSED = "REFUSED"
    UNAUTHORIZED = "UNAUTHORIZED"
    INVALID = "INVALID"
    TOO_OFTEN = "TOO_OFTEN"
    BY_HAND = "BY_HAND"


class Source(StrEnum):
    """How a change of the record system reached this house."""

    HOOK = "HOOK"
    POLL = "POLL"
    HL7 = "HL7"
    RECONCILE = "RECONCILE"


class Arrival(StrEnum):
    """Where an inbound message stands."""

    RECEIVED = "RECEIVED"
    CLAIMED = "CLAIMED"
    DONE = "DONE"
    IGNORED = "IGNORED"
    CONFLICT = "CONFLICT"
    DEAD = "DEAD"


class ConflictKind(StrEnum):
    """What cannot be decided without a person."""

    BOTH_MOVED = "BOTH_MOVED"
    STATUS = "STATUS"
    PATIENT_BUSY = "PATIENT_BUSY"
    NO_LANE = "NO_LANE"
    GONE = "GONE"
    DEMOGRAPHICS = "DEMOGRAPHICS"
    OTHER = "OTHER"


class TaskKind(StrEnum):
    """What a person is asked to do because of the record system."""

    ORDER = "ORDER"
    RESULT = "RESULT"
    NO_SHOW = "NO_SHOW"
    COMPLETE = "COMPLETE"
    NOTE = "NOTE"
    BY_HAND = "BY_HAND"
    BESIDE_OTHERS = "BESIDE_OTHERS"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
