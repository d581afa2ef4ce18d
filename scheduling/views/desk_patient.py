"""Registering a patient at the desk, and keeping their details right."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.duplicates import Alike, alike, facts_of
from patients.merging import survivor
from patients.models import Patient
from patients.privacy.pages import Audience, StaffRequest, page
from patients.registration import DetailsChanged, update_details, vouch_for
from scheduling.errors import SchedulingError
from scheduling.finding import with_visits
from scheduling.forms.find import FinderForm
from scheduling.forms.patient import PatientForm, typed_so_far
from scheduling.keys import RequestKey
from scheduling.record_words import reasons
from scheduling.refusal_words import in_words
from scheduling.registering import register_once
from scheduling.views.desk_find import found_row
from scheduling.views.desk_holds import held_for_caller

ANYWAY = "anyway"
WAITS_FOR_PATIENT = {"desk:book", "desk:waitlist_find"}


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def patient_new(request: StaffRequest) -> HttpResponse:
    """Ask for a new patient's details, with what the finder was given; then register."""
    if request.method != "POST" or "given_name" not in request.POST:
        return _form_page(request, PatientForm(initial=_first_guess(request)))
    form = PatientForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    known = alike(clinic=request.clinic, facts=facts_of(form.details()))
    if known and ANYWAY not in request.POST:
        return _form_page(request, form, status=409, known=known)
    try:
        patient = register_once(
            clinic=request.clinic,
            details=form.details(),
            key=RequestKey(str(request.user.pk), form.cleaned_data["key"] or _new_key()),
            now=timezone.now(),
        )
    except SchedulingError as refusal:
        form.add_error(None, in_words(refusal))
        return _form_page(request, form, status=409)
    messages.success(request, _("The patient is registered."))
    return redirect(_onwards(form.cleaned_data["next"], patient))


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def patient_edit(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Change what is on file; saving says that the clinic has looked at it."""
    visible = Patient.objects.visible_to(request.user).filter(clinic__in=request.clinics)
    patient = survivor(get_object_or_404(visible.select_related("merged_into"), pk=pk))
    form = PatientForm(request.POST if request.method == "POST" else None, patient=patient)
    if not form.is_bound:
        return _form_page(request, form, patient=patient)
    if not form.is_valid():
        return _form_page(request, form, patient=patient, status=422)
    try:
        told, seen = form.details(), form.cleaned_data["seen"]
        vouch_for(patient=update_details(patient=patient, details=told, seen=seen))
    except DetailsChanged:
        patient = survivor(get_object_or_404(visible.select_related("merged_into"), pk=pk))
        form.meet(patient)
        return _form_page(request, form, patient=patient, status=409)
    messages.success(request, _("The details are saved."))
    return redirect("desk:patient", patient.pk)


def _form_page(
    request: StaffRequest,
    form: PatientForm,
    *,
    patient: Patient | None = None,
    known: list[Alike] | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        "form": form,
        "patient": patient,
        "alike": _alike_rows(request, known or []),
        "anyway": ANYWAY,
        "hold": None if patient else held_for_caller(request, now=now),
    }
    return render(request, "desk/patient_form.html", context, status=status)


def _alike_rows(request: StaffRequest, known: list[Alike]) -> list[dict[str, Any]]:
    """Return those who may be the same person, with what agrees and what does not."""
    now = timezone.now()
    found = with_visits([one.patient for one in known], user=request.user, now=now)
    why = {one.patient.pk: reasons(r.code for r in one.score.reasons) for one in known}
    return [found_row(one, request, now) | {"why": why[one.patient.pk]} for one in found]


def _first_guess(request: StaffRequest) -> dict[str, Any]:
    """Return what is known before anybody typed into the form itself."""
    typed = FinderForm(request.POST)
    text = typed.cleaned_data["q"] if typed.is_valid() else ""
    today = timezone.now().astimezone(request.clinic.zone).date()
    onwards = request.POST.get("next") or request.GET.get("next", "")
    return {"key": _new_key(), "next": onwards, **typed_so_far(text, today=today)}


def _new_key() -> str:
    return secrets.token_urlsafe(24)


def _onwards(address: str, patient: Patient) -> str:
    """Return what waits for this patient, where `address` is a booking or the waitlist's.

    Else it is their own page.
    """
    path, _mark, query = address.partition("?")
    try:
        waits = resolve(path).view_name in WAITS_FOR_PATIENT
    except Resolver404:
        waits = False
    if not waits:
        return reverse("desk:patient", args=[patient.pk])
    joined = "&" if query else ""
    return f"{path}?{query}{joined}{urlencode({'patient': patient.pk})}"
