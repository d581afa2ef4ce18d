"""A visit in rows of words, for the patient's pages. What a link may show is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from patients.contacts import show_phone
from scheduling.models import Appointment
from scheduling.presenters import clock, long_date


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of a summary; `value` may have several lines, `href` makes it a link."""

    label: str
    value: str
    href: str = ""


def facts(visit: Appointment, *, is_own: bool) -> list[Fact]:
    """Return what a patient sees of a visit; name and reason only of a record of their own."""
    rows = [
        Fact(_("When"), f"{day_of(visit.local_start)}\n{hours(visit)}"),
        Fact(_("With"), visit.provider.name),
        Fact(_("Where"), place(visit)),
        Fact(_("Phone"), show_phone(visit.clinic.phone), f"tel:{visit.clinic.phone}"),
        Fact(_("Reference"), visit.reference),
    ]
    if is_own:
        rows.insert(0, Fact(_("For"), visit.patient.full_name))
        rows.append(Fact(_("Reason for the visit"), visit.reason_for_visit))
    return [row for row in rows if row.value]


def hours(visit: Appointment) -> str:
    """Return "3:30 pm to 4:00 pm (EDT)", on the clinic's wall clock."""
    return _("%(start)s to %(end)s (%(zone)s)") % {
        "start": clock(visit.local_start),
        "end": clock(visit.local_end),
        "zone": visit.local_start.tzname(),
    }


def place(visit: Appointment) -> str:
    """Return where to be: the clinic with its address, or the clinic by video."""
    if visit.appointment_type.is_telehealth:
        return _("By video, with %(clinic)s") % {"clinic": visit.clinic.name}
    return f"{visit.clinic.name}\n{visit.clinic.address}".strip()


def day_of(local: datetime) -> str:
    """Return "Tuesday, June 9, 2026"."""
    return date_format(local, pgettext("day with weekday and year, PHP-style", "l, F j, Y"))


def moment(visit: Appointment) -> str:
    """Return "Tuesday, June 9, 3:30 pm"."""
    return f"{long_date(visit.local_start)}, {clock(visit.local_start)}"


def day_and_time(visit: Appointment, *, year_now: int) -> str:
    """Return "Tuesday, June 9" and "3:30 pm" as two lines; the year where it is another one."""
    local = visit.local_start
    day = long_date(local) if local.year == year_now else day_of(local)
    return f"{day}\n{clock(local)}"
