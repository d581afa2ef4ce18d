"""What a change that finds something is called, with the first time it finds; for both audiences.

Refuses to know why nothing was found and where the change leads.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scheduling.availability import FreeSlot
from scheduling.availability.changing import Change, ChangeKind
from scheduling.availability.explaining import Explanation
from scheduling.explained_spans import day_words
from scheduling.presenters import clock, minutes_in_words

STAFF: dict[ChangeKind, Promise] = {
    ChangeKind.LATER: gettext_lazy("A later day"),
    ChangeKind.EARLIER: gettext_lazy("An earlier day"),
    ChangeKind.TIME_OF_DAY: gettext_lazy("Any time of day"),
    ChangeKind.WEEKDAY: gettext_lazy("Any weekday"),
    ChangeKind.SHORTER_VISIT: gettext_lazy("A shorter visit: %(type)s, %(length)s"),
    ChangeKind.OTHER_PROVIDER: gettext_lazy("Other providers: %(specialty)s"),
    ChangeKind.OTHER_CLINIC: gettext_lazy("Another clinic: %(clinic)s"),
    ChangeKind.LANGUAGE: gettext_lazy("Any language"),
    ChangeKind.PLAN: gettext_lazy("Any insurance plan"),
    ChangeKind.NEW_PATIENT: gettext_lazy("Also who takes no new patients"),
    ChangeKind.IN_PERSON: gettext_lazy("At the clinic, not by video"),
    ChangeKind.EVERYTHING: gettext_lazy("All of this left open"),
    ChangeKind.LESS_NOTICE: gettext_lazy("Less notice, with a reason"),
    ChangeKind.AGAIN: gettext_lazy("Look again"),
}
BEYOND_HORIZON = gettext_lazy("Beyond the last day, with a reason")
PATIENTS: dict[ChangeKind, Promise] = {
    ChangeKind.LATER: gettext_lazy("Show a later day"),
    ChangeKind.EARLIER: gettext_lazy("Show an earlier day"),
    ChangeKind.TIME_OF_DAY: gettext_lazy("Show all times of day"),
    ChangeKind.WEEKDAY: gettext_lazy("Show all days of the week"),
    ChangeKind.OTHER_PROVIDER: gettext_lazy("Show other providers too"),
    ChangeKind.LANGUAGE: gettext_lazy("Show providers who speak other languages"),
    ChangeKind.PLAN: gettext_lazy("Show providers who may not take your plan"),
    ChangeKind.IN_PERSON: gettext_lazy("Come to the clinic instead"),
    ChangeKind.EVERYTHING: gettext_lazy("Show every free time for this visit"),
    ChangeKind.AGAIN: gettext_lazy("Look again"),
}


def label_for_staff(change: Change, explanation: Explanation) -> str:
    """Return what is changed: "Another clinic: Harbor Clinic"."""
    kind, slot = change.query.visit_type, change.slot
    notice_ends = explanation.now + timedelta(minutes=kind.minimum_notice_minutes)
    if change.kind is ChangeKind.LESS_NOTICE and slot.start >= notice_ends:
        return str(BEYOND_HORIZON)
    specialty = change.query.specialty
    return str(STAFF[change.kind]) % {
        "type": kind.label,
        "length": minutes_in_words(kind.minutes or 0),
        "specialty": specialty.name if specialty else _("any specialty"),
        "clinic": slot.clinic.name,
    }


def label_for_patients(change: Change) -> str:
    return str(PATIENTS[change.kind])


def note_for_staff(change: Change, explanation: Explanation) -> str:
    """Return the first time found: "Friday, December 4, 9:00 am, Dr. Diallo"."""
    return f"{_moment(change.slot, explanation)}, {change.slot.provider.name}"


def note_for_patients(change: Change, explanation: Explanation) -> str:
    told = {"when": _moment(change.slot, explanation), "name": change.slot.provider.name}
    return _("The first is %(when)s, with %(name)s.") % told


def _moment(slot: FreeSlot, explanation: Explanation) -> str:
    local = slot.local_start
    return f"{day_words(local.date(), explanation)}, {clock(local)}"
