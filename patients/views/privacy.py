"""Where privacy officers read the record of looks: by time, by patient, by member of staff.

Patients are called by the ends of their record's id here: who they are is another page's, which
asks for a reason.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from patients import looks
from patients.audit_forms import RecordForm
from patients.csv_files import csv_file
from patients.merging import ids_of
from patients.models import Patient
from patients.models.audit import Act
from patients.privacy import audit, reports
from patients.privacy.lines import Line, ending_of, lines_of
from patients.privacy.pages import Audience, StaffRequest, page
from patients.privacy.reports import BadCursor, Cursor, Entries, Part, part_of
from patients.privacy.seal_state import status
from patients.privacy.wording import role_words
from providers.models import Membership

INVALID = 422
officers_only = page(audience=Audience.PRIVACY, permission="view_audit", phi=True)


@officers_only
def start(request: StaffRequest) -> HttpResponse:
    """Show what happened at the officer's clinics, newest first, and how sealing stands."""
    form = RecordForm(request.GET)
    if not form.is_valid():
        context = {"form": form, **_frame(request, "record")}
        return render(request, "privacy/start.html", context, status=INVALID)
    now = timezone.now()
    wanted = form.wanted(request.clinic.zone, now=now)
    found = _part(request, reports.what_happened(request.clinics, wanted))
    context = {
        "form": RecordForm(initial=_initial(wanted)) if not request.GET else form,
        "sealing": status(now=now),
        "file_query": _query(_asked(request)),
        **_frame(request, "record"),
        **_listed(request, found),
    }
    return render(request, "privacy/start.html", context)


@officers_only
def start_file(request: StaffRequest) -> HttpResponse:
    """Hand out what `start` shows, all of it, as a file."""
    form = RecordForm(request.GET)
    if not form.is_valid():
        raise Http404
    wanted = form.wanted(request.clinic.zone, now=timezone.now())
    return _file("record", reports.what_happened(request.clinics, wanted))


@officers_only
def patient(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show who saw, changed or was refused a patient's record, under whichever id it was kept."""
    record = _record(request, pk)
    found = _part(request, reports.who_saw(ids_of(record)))
    context = {
        "record": record,
        "ending": ending_of(record.pk),
        **_frame(request, "patients"),
        **_listed(request, found),
    }
    return render(request, "privacy/patient.html", context)


@officers_only
def patient_file(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Hand out who saw a patient's record as a file."""
    record = _record(request, pk)
    return _file(f"looks-{ending_of(record.pk)}", reports.who_saw(ids_of(record)))


@officers_only
def staff(request: StaffRequest) -> HttpResponse:
    """List who works, or worked, at the officer's clinics."""
    roles = Membership.objects.filter(clinic__in=request.clinics).select_related("user", "clinic")
    people: dict[int, dict[str, Any]] = {}
    for held in roles.order_by("user__last_name", "user__first_name", "user__username", "role"):
        one = people.setdefault(held.user_id, {"user": held.user, "roles": []})
        one["roles"].append(f"{role_words(held.role)}, {held.clinic.name}")
    context = {"people": list(people.values()), **_frame(request, "staff")}
    return render(request, "privacy/staff.html", context)


@officers_only
def colleague(request: StaffRequest, pk: int) -> HttpResponse:
    """Show what a member of staff looked at and did at the officer's clinics."""
    user = _colleague(request, pk)
    found = _part(request, reports.what_was_done_by(user, clinics=request.clinics))
    context = {"person": user, **_frame(request, "staff"), **_listed(request, found)}
    return render(request, "privacy/colleague.html", context)


@officers_only
def colleague_file(request: StaffRequest, pk: int) -> HttpResponse:
    """Hand out what a member of staff did as a file."""
    user = _colleague(request, pk)
    return _file(f"staff-{user.pk}", reports.what_was_done_by(user, clinics=request.clinics))


@page(audience=Audience.PROVIDER, permission="view_own_schedule", phi=True)
def own_acts(request: StaffRequest) -> HttpResponse:
    """Show providers what the record has of themselves."""
    found = _part(request, reports.what_was_done_by(request.user))
    context = {
        "person": request.user,
        "is_own": True,
        **_frame(request, "own"),
        **_listed(request, found),
    }
    return render(request, "privacy/colleague.html", context)


def _record(request: StaffRequest, pk: UUID) -> Patient:
    """Return a patient of these clinics; what is shown of them is their rows. Raises Http404."""
    record = get_object_or_404(Patient, pk=pk, clinic__in=request.clinics)
    looks.note_patients([record.pk])
    return record


def _colleague(request: StaffRequest, pk: int) -> User:
    here = Membership.objects.filter(clinic__in=request.clinics).values("user")
    return get_object_or_404(User, pk=pk, pk__in=here)


def _part(request: StaffRequest, report: Entries) -> Part:
    """Return the rows that the address asks for. Raises Http404 of a place that is none."""
    try:
        return part_of(report, after=Cursor.parse(request.GET.get("after", "")))
    except BadCursor:
        raise Http404 from None


def _frame(request: StaffRequest, here: str) -> dict[str, Any]:
    return {"nav_current": here, "zone": request.clinic.zone}


def _listed(request: StaffRequest, found: Part) -> dict[str, Any]:
    """Return what the list of rows needs; records that it names one by one count as shown."""
    lines = lines_of(found.entries)
    looks.note_patients(line.only_patient for line in lines if line.only_patient)
    asked = _asked(request)
    later = _query({**asked, "after": str(found.next)}) if found.next else ""
    return {
        "lines": lines,
        "first_href": request.path + _query(asked) if "after" in request.GET else "",
        "later_href": request.path + later if later else "",
    }


def _asked(request: StaffRequest) -> dict[str, str]:
    """Return what the address asks for, wherever in the report it stands."""
    return {name: str(value) for name, value in request.GET.items() if name != "after"}


def _initial(wanted: reports.Wanted) -> dict[str, Any]:
    return {"since": wanted.since.date(), "until": wanted.until.date() - timedelta(days=1)}


def _query(values: dict[str, str]) -> str:
    return f"?{urlencode(values)}" if values else ""


HEADS = (
    "time (UTC)",
    "who",
    "role",
    "clinic",
    "act",
    "page",
    "purpose",
    "outcome",
    "records",
    "fields",
    "address",
    "request",
)


def _file(name: str, report: Entries) -> HttpResponse:
    """Return a report as a file, which is written down as an export of everybody it names."""
    audit.mark(action=Act.EXPORT)
    found = part_of(report, after=None, most=reports.MOST_IN_A_FILE)
    lines = lines_of(found.entries)
    looks.note_patients(patient for line in lines for patient in line.patients)
    rows = [_cells(line) for line in lines]
    if found.next is not None:
        rows.append([_("There are more rows than fit into one file: ask for fewer days.")])
    return csv_file(name, HEADS, rows)


def _cells(line: Line) -> list[object]:
    return [
        f"{line.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        line.who,
        line.role,
        line.clinic,
        line.act,
        line.page,
        line.purpose,
        line.outcome,
        " ".join(str(patient) for patient in line.patients),
        line.fields,
        line.address,
        line.request,
    ]
