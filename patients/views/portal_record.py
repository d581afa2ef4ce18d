"""Where patients read who looked at their record: names and roles of staff, in plain words."""

from __future__ import annotations

from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext_lazy

from patients import looks
from patients.csv_files import csv_file
from patients.merging import ids_of
from patients.models import Patient
from patients.models.audit import Act
from patients.privacy import audit
from patients.privacy.lines import Told, days_of
from patients.privacy.pages import Audience, page
from patients.privacy.reports import MOST_IN_A_FILE, BadCursor, Cursor, looks_of_others, part_of

ROWS = 200
HEADS = (
    gettext_lazy("Day"),
    gettext_lazy("First time"),
    gettext_lazy("Last time"),
    gettext_lazy("Who"),
    gettext_lazy("Role"),
    gettext_lazy("Clinic"),
    gettext_lazy("What"),
    gettext_lazy("Why"),
    gettext_lazy("How often"),
)


@page(audience=Audience.PATIENT, phi=True)
def record_looks(request: HttpRequest) -> HttpResponse:
    """Show who looked at the patient's own records, day by day, newest first."""
    records = _own_records(request)
    try:
        after = Cursor.parse(request.GET.get("after", ""))
    except BadCursor:
        raise Http404 from None
    user = cast(User, request.user)
    found = part_of(looks_of_others(_ids(records), besides=user), after=after, most=ROWS)
    zone = records[0].clinic.zone
    context = {
        "days": days_of(found.entries, zone),
        "zone": zone,
        "first_href": request.path if after else "",
        "later_href": f"{request.path}?after={found.next}" if found.next else "",
    }
    return render(request, "portal/record_looks.html", context)


@page(audience=Audience.PATIENT, phi=True)
def record_looks_file(request: HttpRequest) -> HttpResponse:
    """Hand out the same as a file."""
    audit.mark(action=Act.EXPORT)
    records = _own_records(request)
    user = cast(User, request.user)
    found = part_of(looks_of_others(_ids(records), besides=user), after=None, most=MOST_IN_A_FILE)
    zone = records[0].clinic.zone
    rows = [_cells(told, zone) for day in days_of(found.entries, zone) for told in day.told]
    return csv_file("who-looked-at-my-record", HEADS, rows)


def _own_records(request: HttpRequest) -> list[Patient]:
    """Return the records that the account opens. Raises Http404 where there is none."""
    user = cast(User, request.user)
    records = list(
        Patient.objects.filter(user=user).select_related("clinic__time_zone").order_by("pk")
    )
    if not records:
        raise Http404
    looks.note_patients(record.pk for record in records)
    return records


def _ids(records: list[Patient]) -> list[UUID]:
    return [pk for record in records for pk in ids_of(record)]


def _cells(told: Told, zone: ZoneInfo) -> list[object]:
    first, last = (when.astimezone(zone) for when in (told.last, told.first))
    return [
        date_format(first, "Y-m-d"),
        time_format(first, "H:i"),
        time_format(last, "H:i"),
        told.who,
        told.role,
        told.clinic,
        told.what,
        told.why,
        told.times,
    ]
