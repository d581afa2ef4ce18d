"""Finding a patient, and the patient's page. Searches are posted: names stay out of addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.contacts import show_phone
from patients.models import Patient
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.finding import Answer, Found, find_patients
from scheduling.forms.find import FinderForm
from scheduling.gap_words import entry_tag
from scheduling.models import Appointment, WaitlistEntry
from scheduling.presenters import clock, long_date, status_tag
from scheduling.templatetags.days import fulldate, monthday
from scheduling.transitions import Status
from scheduling.views.desk_holds import held_for_caller
from scheduling.visit_words import language_name
from scheduling.waitlist.words import entry_in_words

PAST_SHOWN = 20
LIVE_ENTRIES = [WaitlistEntry.Status.WAITING, WaitlistEntry.Status.PAUSED]


@page(audience=Audience.DESK, permission="view_patients", methods=("GET", "POST"), phi=True)
def finder(request: StaffRequest) -> HttpResponse:
    """Show the patients whom a text may mean: as a fragment while typing, else as a page."""
    form = FinderForm(request.POST or None)
    now = timezone.now()
    status = 200
    context: dict[str, Any] = {"new_href": reverse("desk:patient_new"), "typed": ""}
    if form.is_valid():
        text = form.cleaned_data["q"]
        answer = find_patients(text, clinics=request.clinics, user=request.user, now=now)
        context |= {"typed": text, **answer_context(answer, request, now)}
    elif form.is_bound:
        status = 422
        context |= {"results": [], "new_href": "", "hint": _("This is too long to be looked for.")}
        context["typed"] = form["q"].value().replace("\0", "")[:100]
    if request.htmx and not context["typed"]:
        return HttpResponse("")
    if request.htmx:
        return render(request, "components/finder_results.html", context, status=status)
    context |= {"matches": context.pop("results", None), "hold": held_for_caller(request, now=now)}
    return render(request, "desk/finder.html", context, status=status)


def answer_context(answer: Answer, request: StaffRequest, now: datetime) -> dict[str, Any]:
    """Return the finder's answer as its component words it."""
    if answer.is_too_short:
        return {"results": [], "new_href": "", "hint": _("Type at least 3 letters or digits.")}
    return {
        "results": [found_row(found, request, now) for found in answer.found],
        "has_more": answer.has_more,
    }


def found_row(found: Found, request: StaffRequest, now: datetime) -> dict[str, Any]:
    patient = found.patient
    elsewhere = next((c.name for c in request.clinics if c.pk == patient.clinic_id), "")
    return {
        "href": reverse("desk:patient", args=[patient.pk]),
        "name": patient.full_name,
        "dob": fulldate(patient.dob) if patient.dob else "",
        "phone_ending": patient.phone[-4:],
        "clinic": "" if patient.clinic_id == request.clinic.pk else elsewhere,
        "next_visit": day_of(found.next_visit, now) if found.next_visit else "",
        "last_visit": day_of(found.last_visit, now) if found.last_visit else "",
    }


def day_of(visit: Appointment, now: datetime) -> str:
    """Return a visit's day, with its year unless that is this year: "June 9"."""
    day = visit.local_start.date()
    this_year = now.astimezone(visit.zone).year
    return monthday(day) if day.year == this_year else fulldate(day)


@page(audience=Audience.DESK, permission="view_patients", phi=True)
def patient(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show who a patient is, how they are reached, and their visits."""
    found = get_object_or_404(
        Patient.objects.visible_to(request.user).select_related(
            "clinic", "insurance_plan", "primary_care_provider"
        ),
        pk=pk,
        clinic__in=request.clinics,
    )
    if found.merged_into_id is not None:
        return redirect("desk:patient", found.merged_into_id)
    now = timezone.now()
    visits = Appointment.objects.visible_to(request.user).filter(patient=found)
    visits = visits.select_related("provider", "appointment_type", "clinic")
    upcoming, past = _parted(visits, now)
    context = {
        "patient": found,
        "age": found.age_on(now.astimezone(found.clinic.zone).date()),
        "contact": _contact_rows(found),
        "upcoming": [_visit_row(visit, now) for visit in upcoming],
        "past": [_visit_row(visit, now) for visit in past[:PAST_SHOWN]],
        "has_older": len(past) > PAST_SHOWN,
        "waits": [_wait_row(entry) for entry in _waiting(request, found)],
        "hold": held_for_caller(request, now=now),
    }
    return render(request, "desk/patient.html", context)


def _parted(
    visits: QuerySet[Appointment], now: datetime
) -> tuple[list[Appointment], list[Appointment]]:
    """Return visits to come, the next first, and the last of the others, in one statement."""
    is_to_come = Q(scheduled_end__gt=now) & ~Q(status=Status.CANCELLED.value)
    last = visits.exclude(is_to_come).order_by("-scheduled_start")[: PAST_SHOWN + 1]
    found = sorted(
        visits.filter(is_to_come).order_by().union(last, all=True),
        key=lambda visit: visit.scheduled_start,
    )
    upcoming = [v for v in found if v.scheduled_end > now and v.status != Status.CANCELLED]
    return upcoming, [visit for visit in reversed(found) if visit not in upcoming]


def _waiting(request: StaffRequest, patient: Patient) -> list[WaitlistEntry]:
    """Return what the patient waits for, as far as this user may deal with it."""
    rows = WaitlistEntry.objects.visible_to(request.user).filter(
        patient=patient, clinic__in=request.clinics, status__in=LIVE_ENTRIES
    )
    named = rows.select_related("appointment_type", "provider", "specialty")
    return list(named.order_by("created_at", "pk"))


def _wait_row(entry: WaitlistEntry) -> dict[str, Any]:
    return {
        "title": f"{entry.appointment_type.label}, {entry.provider or entry.specialty}",
        "href": reverse("desk:waitlist_entry", args=[entry.pk]),
        "detail": entry_in_words(entry),
        "tags": [entry_tag(entry)],
    }


def _contact_rows(patient: Patient) -> list[dict[str, Any]]:
    place = " ".join(part for part in (patient.state, patient.postal_code) if part)
    city = ", ".join(part for part in (patient.city, place) if part)
    plan = patient.insurance_plan
    doctor = patient.primary_care_provider
    rows = [
        (_("Phone"), show_phone(patient.phone)),
        (_("E-mail"), patient.email),
        (_("Address"), "\n".join(part for part in (patient.address_line, city) if part)),
        (_("Language"), language_name(patient.language)),
        (_("Insurance"), f"{plan}\n{patient.insurance_member_id}".strip() if plan else ""),
        (_("Primary care"), doctor.name if doctor else ""),
    ]
    return [{"label": label, "value": value or "–"} for label, value in rows]


def _visit_row(visit: Appointment, now: datetime) -> dict[str, Any]:
    local = visit.local_start
    day = long_date(local) if abs((visit.scheduled_start - now).days) < 180 else fulldate(local)
    return {
        "title": f"{day}, {clock(local)}",
        "href": reverse("desk:appointment", args=[visit.pk]),
        "detail": f"{visit.appointment_type.label} · {visit.provider.name}",
        "tags": [status_tag(visit)],
    }
