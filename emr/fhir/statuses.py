"""How a visit's status is said in FHIR, and what an appointment's status there means here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emr.fhir.errors import Refused
from scheduling.transitions import Status

ENTERED_IN_ERROR = "entered-in-error"
_OURS: Mapping[Status, str] = MappingProxyType(
    {
        Status.SCHEDULED: "booked",
        Status.CONFIRMED: "booked",
        Status.COMPLETED: "fulfilled",
        Status.CANCELLED: "cancelled",
        Status.NO_SHOW: "noshow",
    }
)
_THEIRS: Mapping[str, tuple[Status, bool]] = MappingProxyType(
    {
        "booked": (Status.SCHEDULED, False),
        "arrived": (Status.SCHEDULED, True),
        "checked-in": (Status.SCHEDULED, True),
        "fulfilled": (Status.COMPLETED, False),
        "cancelled": (Status.CANCELLED, False),
        "noshow": (Status.NO_SHOW, False),
        ENTERED_IN_ERROR: (Status.CANCELLED, False),
    }
)


class UnknownStatus(Refused):
    """A status that means nothing here; it is never guessed at."""


def to_fhir(status: Status, *, has_arrived: bool = False) -> str:
    """Return the appointment status; somebody who is there for a live visit has `arrived`."""
    word = _OURS[status]
    return "arrived" if has_arrived and word == "booked" else word


def from_fhir(word: str) -> tuple[Status, bool]:
    """Return (status, has arrived). `fulfilled` and the endings say nothing about the arrival.

    `booked` is SCHEDULED and never takes a confirmation back; `entered-in-error` is CANCELLED,
    which the caller tells staff of. Raises UnknownStatus for any other word (proposed, pending
    and waitlist are no visits).
    """
    try:
        return _THEIRS[word]
    except KeyError:
        raise UnknownStatus(
            "unknown-status", "its status is not one that a visit can have"
        ) from None
