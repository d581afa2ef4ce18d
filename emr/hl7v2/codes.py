"""The words of HL7 v2 and ours for them: events, statuses, sexes, kinds of telephone."""

from __future__ import annotations

import re

from emr.failures import Refused
from emr.visits import Step
from scheduling.transitions import Status

NPI_AUTHORITY = "2.16.840.1.113883.4.6"
LOINC, PROGRESS_NOTE = "LN", "11506-3"
LOCAL = "L"

EVENTS = {
    Step.BOOK: "S12",
    Step.RESCHEDULE: "S13",
    Step.CONFIRM: "S14",
    Step.ARRIVE: "S14",
    Step.REVERT: "S14",
    Step.COMPLETE: "S14",
    Step.CANCEL: "S15",
    Step.NO_SHOW: "S26",
}
# By these a message's control id tells what it is about.
LETTERS = {
    Step.BOOK: "B",
    Step.RESCHEDULE: "M",
    Step.CONFIRM: "C",
    Step.ARRIVE: "A",
    Step.REVERT: "R",
    Step.COMPLETE: "F",
    Step.CANCEL: "X",
    Step.NO_SHOW: "N",
}
NOTE_LETTER = "D"
# SCH-6: why the message is sent.
REASONS = {
    Step.BOOK: "Booked",
    Step.RESCHEDULE: "Moved",
    Step.CONFIRM: "Confirmed",
    Step.ARRIVE: "Arrived",
    Step.REVERT: "Taken back",
    Step.COMPLETE: "Completed",
    Step.CANCEL: "Cancelled",
    Step.NO_SHOW: "Did not come",
}
# SCH-25, table 0278. A step that leaves the visit standing says whether the patient is here.
_ENDINGS = {Step.COMPLETE: "Complete", Step.CANCEL: "Cancelled", Step.NO_SHOW: "Noshow"}
# RGS-2, table 0206.
ACTIONS = {Step.BOOK: "A", Step.CANCEL: "D"}

SEXES = {"female": "F", "male": "M", "other": "O"}
_SEXES_IN = {"F": "female", "M": "male", "O": "other", "A": "other", "N": "other"}

_CANCELLED, _MISSED, _DELETED = "S15", "S26", "S17"
TAKEN = frozenset({"S12", "S13", "S14", _CANCELLED, _DELETED, _MISSED})
_BY_EVENT = {_CANCELLED: "cancelled", _MISSED: "noshow", _DELETED: "entered-in-error"}
_BY_WORD = {
    "": "booked",
    "booked": "booked",
    "scheduled": "booked",
    "rescheduled": "booked",
    "confirmed": "booked",
    "overbook": "booked",
    "overbooked": "booked",
    "arrived": "arrived",
    "started": "arrived",
    "checkedin": "checked-in",
    "complete": "fulfilled",
    "completed": "fulfilled",
    "checkedout": "fulfilled",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "dc": "cancelled",
    "discontinued": "cancelled",
    "noshow": "noshow",
    "deleted": "entered-in-error",
    "pending": "pending",
    "tentative": "proposed",
    "waitlist": "waitlist",
}
_LANGUAGES = {"eng": "en", "english": "en", "spa": "es", "spanish": "es"}


def filler_status(step: Step, *, has_arrived: bool) -> str:
    standing = "Started" if has_arrived and step is not Step.BOOK else "Booked"
    return "Started" if step is Step.ARRIVE else _ENDINGS.get(step, standing)


def fhir_status(event: str, word: str) -> str:
    """Return FHIR's word for where a visit stands after an event (`S12`) with a SCH-25.

    Raises Refused for a word that is not known: no status is guessed.
    """
    plain = re.sub(r"[^a-z]", "", word.lower())
    if event in _BY_EVENT:
        return _BY_EVENT[event]
    if plain not in _BY_WORD:
        raise Refused("status")
    return _BY_WORD[plain]


def says_confirmed(word: str, reason: str) -> bool:
    """Whether SCH-25 or SCH-6 say that the patient has confirmed."""
    return word.strip().lower() == "confirmed" or reason.strip().upper() == Step.CONFIRM.value


def fhir_status_of(status: Status, *, has_arrived: bool) -> str:
    """Return FHIR's word for a visit of ours that the other side has acknowledged."""
    words = {
        Status.COMPLETED: "fulfilled",
        Status.CANCELLED: "cancelled",
        Status.NO_SHOW: "noshow",
    }
    return words.get(status, "arrived" if has_arrived else "booked")


def sex_of(code: str) -> str:
    return _SEXES_IN.get(code.strip().upper()[:1], "unknown")


def language_of(code: str) -> str:
    """Return a language tag for what PID-15 says, as far as it is known here."""
    said = code.strip()
    return _LANGUAGES.get(said.lower(), said)
