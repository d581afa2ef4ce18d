"""What the desk's panel says of a visit: who, when, with whom, and its history in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from patients.contacts import show_phone
from patients.models import Patient
from scheduling.models import Appointment, AppointmentEvent
from scheduling.presenters import clock, event_words, long_date, minutes_in_words

Row = dict[str, str]
# How parts of the system are called that act by themselves.
SYSTEMS = {"reminders": gettext_lazy("by itself")}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history: what, when on the clinic's clock, and by whom."""

    what: str
    when: str
    who: str


def birth(patient: Patient, *, today: date) -> str:
    """Return a date of birth with the age: "April 7, 1961 (65 years)"."""
    age = patient.age_on(today)
    if patient.dob is None or age is None:
        return _("not known")
    years = ngettext("%(count)d year", "%(count)d years", age) % {"count": age}
    return f"{full_date(patient.dob)} ({years})"


def day_name(day: date) -> str:
    """Return a day in words: "Tuesday, June 9"."""
    return date_format(day, pgettext("day without year, PHP-style", "l, F j"))


def full_date(day: date) -> str:
    """Return a date with its year: "April 7, 1961"."""
    return date_format(day, pgettext("day with year, PHP-style", "F j, Y"))


def when_words(start: datetime, zone: ZoneInfo) -> str:
    """Return "Tuesday, June 9, 9:30 am" on the clock of a zone."""
    local = start.astimezone(zone)
    return f"{long_date(local)}, {clock(local)}"


def length_words(visit: Appointment) -> str:
    minutes = int((visit.scheduled_end - visit.scheduled_start).total_seconds() // 60)
    return f"{visit.appointment_type.label}, {minutes_in_words(minutes)}"


def visit_rows(visit: Appointment, *, with_reason: bool, now: datetime) -> list[Row]:
    """Return the panel's facts; the reason, if at all, only until the visit starts."""
    with_reason = with_reason and now < visit.scheduled_start
    return [row for row in _facts(visit, now, with_reason=with_reason) if row["value"]]


def _facts(visit: Appointment, now: datetime, *, with_reason: bool) -> Iterator[Row]:
    patient, zone = visit.patient, visit.zone
    local = visit.local_start
    yield _row(_("Born"), birth(patient, today=now.astimezone(zone).date()))
    yield _row(_("Telephone"), show_phone(patient.phone) if patient.phone else "")
    yield _row(_("E-mail"), patient.email)
    times = _("%(start)s to %(end)s") % {"start": clock(local), "end": clock(visit.local_end)}
    yield _row(_("When"), f"{long_date(local)}\n{times}")
    yield _row(_("Visit"), length_words(visit))
    yield _row(_("With"), visit.provider.name)
    if visit.overbook_lane:
        yield _row(_("Place"), _("Overbooked on purpose"))
    if with_reason:
        yield _row(_("Reason"), visit.reason_for_visit)
    yield _row(_("Reference"), visit.reference)


def _row(label: str, value: str) -> Row:
    return {"label": label, "value": value}


def history(events: Iterable[AppointmentEvent], zone: ZoneInfo) -> list[Line]:
    """Return what happened, the latest first."""
    lines = [
        Line(_event(event, zone), when_words(event.at, zone), _author(event)) for event in events
    ]
    return lines[::-1]


def _event(event: AppointmentEvent, zone: ZoneInfo) -> str:
    words = event_words(event)
    was = event.details.get("from_start")
    if not was:
        return words
    return _("%(moved)s, was %(when)s") % {
        "moved": words,
        "when": when_words(datetime.fromisoformat(was), zone),
    }


def _author(event: AppointmentEvent) -> str:
    if event.by_kind == "PATIENT":
        return _("patient")
    if event.by_user is not None:
        return event.by_user.get_full_name() or event.by_user.get_username()
    return str(SYSTEMS.get(event.by_name, event.by_name)) or _("the system")
