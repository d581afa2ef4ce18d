"""Looking for other records of a patient at hand, and comparing with one of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from patients.duplicates import Alike, alike, facts_of, numbers_of
from patients.matching import compare
from patients.models import Patient
from patients.privacy.pages import Audience, StaffRequest, page
from patients.suggesting import pair_of
from scheduling.finding import find_patients, with_visits
from scheduling.forms.find import FinderForm
from scheduling.record_words import reasons
from scheduling.views.desk_find import found_row


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def of(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show records like a patient's; a POST searches for others, or goes on to compare one."""
    known = Patient.objects.visible_to(request.user).filter(clinic__in=request.clinics)
    known = known.filter(merged_into=None).select_related("clinic")
    patient = get_object_or_404(known, pk=pk)
    if request.POST.get("other"):
        try:
            other = get_object_or_404(
                known.filter(clinic=patient.clinic).exclude(pk=pk), pk=request.POST["other"]
            )
        except ValidationError:
            return _page(request, patient, status=422)
        return redirect("records:pair", _pair(patient, other).pk)
    return _page(request, patient)


def _pair(patient: Patient, other: Patient) -> Any:
    score = compare(*(facts_of(record, numbers_of(record)) for record in (patient, other)))
    return pair_of(patient, Alike(other, score))[0]


def _page(request: StaffRequest, patient: Patient, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    likely = alike(
        clinic=patient.clinic, facts=facts_of(patient, numbers_of(patient)), besides=patient.pk
    )
    rows = with_visits([one.patient for one in likely], user=request.user, now=now)
    why = {one.patient.pk: reasons(r.code for r in one.score.reasons) for one in likely}
    form = FinderForm(request.POST or None)
    typed = form.cleaned_data["q"] if form.is_valid() else ""
    context: dict[str, Any] = {
        "patient": patient,
        "alike": [
            found_row(row, request, now) | {"pk": row.patient.pk, "why": why[row.patient.pk]}
            for row in rows
        ],
        "typed": typed,
        "others": _others(request, patient, typed) if typed else None,
        "nav_current": "records",
    }
    return render(request, "records/of.html", context, status=status)


def _others(request: StaffRequest, patient: Patient, text: str) -> list[dict[str, Any]]:
    now = timezone.now()
    answer = find_patients(text, clinics=[patient.clinic], user=request.user, now=now)
    return [
        found_row(row, request, now) | {"pk": row.patient.pk}
        for row in answer.found
        if row.patient.pk != patient.pk and row.patient.clinic_id == patient.clinic_id
    ]
