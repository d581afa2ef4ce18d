"""A privacy officer says whose record they ask about; the report itself shows no name."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from patients.models.audit import Act
from patients.privacy import audit
from patients.privacy.pages import Audience, StaffRequest, page
from patients.throttle import Limit, TooManyRequests
from scheduling.emergency_facts import find_patient
from scheduling.forms.whose import WhoseForm

ASKED = Limit("whose-record", times=60)
NO_MATCH, TOO_OFTEN = 422, 429


@page(audience=Audience.PRIVACY, permission="view_audit", methods=("GET", "POST"), phi=True)
def whose(request: StaffRequest) -> HttpResponse:
    """Ask whose record it is about, and lead to who saw it."""
    form = WhoseForm(request.POST if request.method == "POST" else None)
    if not form.is_bound:
        return _form_page(request, form)
    audit.mark(action=Act.SEARCH)
    try:
        ASKED.spend(str(request.user.pk))
    except TooManyRequests as refusal:
        form.add_error(None, str(refusal))
        return _form_page(request, form, status=TOO_OFTEN)
    if not form.is_valid():
        return _form_page(request, form, status=NO_MATCH)
    patient = find_patient(form.cleaned_data, clinics=request.clinics)
    if patient is None:
        nobody = _("Nobody was found. Check the reference, or the full name and date of birth.")
        form.add_error(None, nobody)
        return _form_page(request, form, status=NO_MATCH)
    return redirect("privacy:patient", patient.pk)


def _form_page(request: StaffRequest, form: WhoseForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "nav_current": "patients"}
    return render(request, "privacy/whose.html", context, status=status)
