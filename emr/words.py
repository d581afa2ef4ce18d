"""What a record system's states, reasons and codes are called in plain words, for the desk.

Codes in, words out: knows no rows. A code that nobody has named is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emr.code_words import CODES
from emr.kinds import Arrival, ConflictKind, Source, State, TaskKind, Vendor, What, Why

VENDORS = {
    Vendor.GENERIC_R4: gettext_lazy("FHIR R4"),
    Vendor.ORACLE: gettext_lazy("Oracle Health"),
    Vendor.EPIC: gettext_lazy("Epic"),
    Vendor.HL7V2: gettext_lazy("HL7 version 2"),
}
STATES: dict[State, tuple[str, Promise]] = {
    State.QUEUED: ("scheduled", gettext_lazy("To be sent")),
    State.CLAIMED: ("scheduled", gettext_lazy("Being sent")),
    State.SENDING: ("scheduled", gettext_lazy("Being sent")),
    State.UNKNOWN: ("held", gettext_lazy("Being looked for there")),
    State.WAITING: ("held", gettext_lazy("Waits for somebody")),
    State.DONE: ("completed", gettext_lazy("Taken there")),
    State.SKIPPED: ("cancelled", gettext_lazy("Not sent")),
    State.DEAD: ("late", gettext_lazy("Needs somebody")),
}
ARRIVALS: dict[Arrival, tuple[str, Promise]] = {
    Arrival.RECEIVED: ("scheduled", gettext_lazy("To be read")),
    Arrival.CLAIMED: ("scheduled", gettext_lazy("Being read")),
    Arrival.DONE: ("completed", gettext_lazy("Done")),
    Arrival.IGNORED: ("cancelled", gettext_lazy("Nothing to do")),
    Arrival.CONFLICT: ("late", gettext_lazy("Became a conflict")),
    Arrival.DEAD: ("late", gettext_lazy("Needs somebody")),
}
SOURCES = {
    Source.HOOK: gettext_lazy("It told us"),
    Source.POLL: gettext_lazy("We asked"),
    Source.HL7: gettext_lazy("HL7 message"),
    Source.RECONCILE: gettext_lazy("Found when comparing"),
}
ACTS = {
    "BOOK": gettext_lazy("Visit booked"),
    "MOVE": gettext_lazy("Visit moved"),
    "CONFIRM": gettext_lazy("Visit confirmed"),
    "CHECK_IN": gettext_lazy("Patient arrived"),
    "ROOM": gettext_lazy("Patient in the room"),
    "COMPLETE": gettext_lazy("Visit completed"),
    "CANCEL": gettext_lazy("Visit cancelled"),
    "MARK_NO_SHOW": gettext_lazy("Patient did not come"),
    "UNDO": gettext_lazy("Change taken back"),
    "RESTORE": gettext_lazy("Visit given back"),
    "SEND_NOW": gettext_lazy("Change made final"),
    "RECONCILE": gettext_lazy("Difference found when comparing"),
}
NOTE = gettext_lazy("Draft note of the visit")
PATIENT = gettext_lazy("Patient's record")
VISIT = gettext_lazy("Visit")
WHYS: dict[Why, tuple[Promise, Promise | str]] = {
    Why.NOTHING_TO_SAY: (gettext_lazy("It stands there like that already."), ""),
    Why.UNDONE: (gettext_lazy("The change was taken back before it left."), ""),
    Why.SUPERSEDED: (gettext_lazy("A later change of this visit was taken there."), ""),
    Why.NOT_OFFERED: (
        gettext_lazy("The record system cannot be told this."),
        gettext_lazy("Enter it there by hand: there is a task for it."),
    ),
    Why.NO_PATIENT: (
        gettext_lazy("We do not know yet who this patient is there."),
        gettext_lazy("Find the patient under “Patients”. It is sent by itself then."),
    ),
    Why.NO_PROVIDER: (
        gettext_lazy("We do not know who this provider is there."),
        gettext_lazy("A clinic admin says so under “Connections”. Then try again."),
    ),
    Why.NO_CODE: (
        gettext_lazy("We do not know what this type of visit is called there."),
        gettext_lazy("A clinic admin adds its code to the connection. Then try again."),
    ),
    Why.NO_SLOT: (
        gettext_lazy("The record system has no open slot there."),
        gettext_lazy("Open a slot there and try again, or move the visit."),
    ),
    Why.CONFLICT: (
        gettext_lazy("Both sides changed the visit."),
        gettext_lazy("Settle it under “Conflicts”. If there is none, it is read again by itself."),
    ),
    Why.REFUSED: (
        gettext_lazy("The record system turned it away."),
        gettext_lazy("Correct what it names, then try again, or enter it there by hand."),
    ),
    Why.UNAUTHORIZED: (
        gettext_lazy("The record system does not let us in."),
        gettext_lazy("A clinic admin checks the credentials of the connection."),
    ),
    Why.INVALID: (
        gettext_lazy("What was to be sent is not complete."),
        gettext_lazy("Correct what is named, then try again."),
    ),
    Why.TOO_OFTEN: (
        gettext_lazy("It was tried too often without an answer."),
        gettext_lazy("Look whether the record system is up, then try again."),
    ),
    Why.BY_HAND: (gettext_lazy("Somebody took it off the list."), ""),
}
CONFLICTS = {
    ConflictKind.BOTH_MOVED: gettext_lazy("Both sides moved the visit"),
    ConflictKind.STATUS: gettext_lazy("Both sides ended the visit differently"),
    ConflictKind.PATIENT_BUSY: gettext_lazy("The patient has another visit at that time"),
    ConflictKind.NO_LANE: gettext_lazy("The provider's time is full, even beside others"),
    ConflictKind.GONE: gettext_lazy("The visit is not there any more"),
    ConflictKind.DEMOGRAPHICS: gettext_lazy("Both sides changed the patient's details"),
    ConflictKind.OTHER: gettext_lazy("The two sides differ"),
}
TASKS: dict[TaskKind, tuple[Promise, Promise]] = {
    TaskKind.ORDER: (
        gettext_lazy("Order to be booked"),
        gettext_lazy("A new order came in. Book a visit for it."),
    ),
    TaskKind.RESULT: (
        gettext_lazy("Result to follow up"),
        gettext_lazy("A result came in. Read it in the record system."),
    ),
    TaskKind.NO_SHOW: (
        gettext_lazy("Enter the no-show there"),
        gettext_lazy("The record system cannot be told that the patient did not come."),
    ),
    TaskKind.COMPLETE: (
        gettext_lazy("Close the visit there"),
        gettext_lazy("The record system cannot be told that the visit took place."),
    ),
    TaskKind.NOTE: (
        gettext_lazy("Write the note there"),
        gettext_lazy("The record system takes no draft note from us."),
    ),
    TaskKind.BY_HAND: (
        gettext_lazy("Enter it there by hand"),
        gettext_lazy("The record system did not take this change."),
    ),
    TaskKind.BESIDE_OTHERS: (
        gettext_lazy("Two visits at one time"),
        gettext_lazy(
            "It was booked in the record system at a time that was taken here. "
            "Both stand: move one if need be."
        ),
    ),
    TaskKind.ENTERED_IN_ERROR: (
        gettext_lazy("Entered in error there"),
        gettext_lazy(
            "The record system says that this visit was a mistake, so it was "
            "cancelled here. Ask the patient if you doubt it."
        ),
    ),
}


def vendor_words(vendor: str) -> str:
    return str(VENDORS[Vendor(vendor)])


def what_words(what: str, act: str) -> str:
    """Return what a message tells: "Visit moved", "Draft note of the visit"."""
    if what == What.NOTE:
        return str(NOTE)
    if what == What.PATIENT:
        return str(PATIENT)
    return str(ACTS.get(act, VISIT))


def why_words(why: str) -> str:
    """Return why a message waits or will not go, as a sentence; "" where there is no reason."""
    known = WHYS.get(Why(why))
    return str(known[0]) if known else ""


def help_words(why: str) -> str:
    """Return what somebody can do about it, as a sentence; "" where that is nothing."""
    known = WHYS.get(Why(why))
    return str(known[1]) if known else ""


def code_words(codes: Iterable[str]) -> list[str]:
    """Return what the record system answered, a sentence for each code that is known."""
    known = [str(CODES[code.lower()]) for code in codes if code.lower() in CODES]
    return list(dict.fromkeys(known))


def task_words(kind: str) -> str:
    return str(TASKS[TaskKind(kind)][0])


def task_hint(kind: str) -> str:
    return str(TASKS[TaskKind(kind)][1])


def conflict_words(kind: str) -> str:
    return str(CONFLICTS[ConflictKind(kind)])


def source_words(source: str) -> str:
    return str(SOURCES[Source(source)])


def failure_words(code: str) -> str:
    """Return why the last message of a connection failed: its codes are one text, by spaces."""
    told = code_words(code.split())
    return " ".join(told) or (_("It answered: %(code)s.") % {"code": code} if code else "")
