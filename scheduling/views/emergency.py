"""Opening one patient's record for a while: in an emergency, or for a privacy officer's look."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients import emergency
from patients.models import BreakGlassGrant, GrantKind, Patient
from patients.models.audit import Act
from patients.privacy import audit
from patients.privacy.pages import Audience, StaffRequest, page
from patients.privacy.sign_in import fresh
from patients.throttle import Limit, TooManyRequests
from scheduling.emergency_facts import contact_rows, find_patient, visits_of
from scheduling.forms.emergency import OpenForm

ASKED = Limit("emergency", times=10)
PAGES = {
    GrantKind.EMERGENCY: {"ask": "emergency:ask", "record": "emergency:record"},
    GrantKind.OVERSIGHT: {"ask": "emergency:look", "record": "emergency:looked_at"},
}
NO_MATCH, TOO_OFTEN = 422, 429


@page(audience=Audience.DESK, permission="break_glass", methods=("GET", "POST"), phi=True)
@fresh(minutes=5)
def ask(request: StaffRequest) -> HttpResponse:
    """Ask whose record is needed and why; open it."""
    return _ask(request, GrantKind.EMERGENCY)


@page(audience=Audience.PRIVACY, permission="look_with_reason", methods=("GET", "POST"), phi=True)
@fresh(minutes=5)
def ask_officer(request: StaffRequest) -> HttpResponse:
    """Ask a privacy officer whose record they have to look at and why; open it."""
    return _ask(request, GrantKind.OVERSIGHT)


def _ask(request: StaffRequest, kind: GrantKind) -> HttpResponse:
    audit.mark(action=Act.SEARCH, purpose=emergency.MARKS[kind])
    form = OpenForm(request.POST if request.method == "POST" else None, kind=kind)
    if not form.is_bound:
        return _form_page(request, kind, form)
    try:
        ASKED.spend(str(request.user.pk))
    except TooManyRequests as refusal:
        form.add_error(None, str(refusal))
        return _form_page(request, kind, form, status=TOO_OFTEN)
    if not form.is_valid():
        return _form_page(request, kind, form, status=NO_MATCH)
    told = form.cleaned_data
    patient = find_patient(told, clinics=request.clinics)
    if patient is None:
        nobody = _("Nobody was found. Check the reference, or the full name and date of birth.")
        form.add_error(None, nobody)
        return _form_page(request, kind, form, status=NO_MATCH)
    grant = emergency.open_record(
        patient=patient,
        kind=kind,
        purpose=told["purpose"],
        reason=told["reason"],
        by=request.user,
    )
    return redirect(PAGES[kind]["record"], grant.pk)


def _form_page(
    request: StaffRequest, kind: GrantKind, form: OpenForm, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "is_emergency": kind == GrantKind.EMERGENCY}
    return render(request, "emergency/ask.html", context, status=status)


@page(audience=Audience.DESK, permission="break_glass", phi=True)
def record(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show the record while it is open: who, how to reach them, visits; notes to providers."""
    return _record(request, pk, GrantKind.EMERGENCY)


@page(audience=Audience.PRIVACY, permission="look_with_reason", phi=True)
def looked_at(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show a privacy officer who the patient is and when their visits were, and nothing else."""
    return _record(request, pk, GrantKind.OVERSIGHT)


def _record(request: StaffRequest, pk: UUID, kind: GrantKind) -> HttpResponse:
    grant = _open_grant(request, pk, kind)
    patient = get_object_or_404(
        Patient.objects.visible_to(request.user).select_related("clinic__time_zone"),
        pk=grant.patient_id,
    )
    audit.mark(purpose=emergency.MARKS[kind], clinic=patient.clinic)
    now = timezone.now()
    context = {
        "grant": grant,
        "patient": patient,
        "contact": contact_rows(patient, now=now),
        "visits": visits_of(grant, user=request.user, now=now),
        "is_emergency": kind == GrantKind.EMERGENCY,
    }
    return render(request, "emergency/record.html", context)


def _open_grant(request: StaffRequest, pk: UUID, kind: GrantKind) -> BreakGlassGrant:
    return get_object_or_404(BreakGlassGrant.objects.opened_to(request.user, kind), pk=pk)


@page(audience=Audience.DESK, permission="break_glass", methods=("POST",), phi=True)
def end(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Close a record before its time."""
    return _end(request, pk, GrantKind.EMERGENCY)


@page(audience=Audience.PRIVACY, permission="look_with_reason", methods=("POST",), phi=True)
def end_look(request: StaffRequest, pk: UUID) -> HttpResponse:
    return _end(request, pk, GrantKind.OVERSIGHT)


def _end(request: StaffRequest, pk: UUID, kind: GrantKind) -> HttpResponse:
    emergency.end(grant=_open_grant(request, pk, kind), by=request.user)
    messages.success(request, _("The record is closed again."))
    return redirect(reverse("home"))
