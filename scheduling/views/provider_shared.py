"""Records that providers share with each other: giving, ending, and reading what was shared."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from patients import sharing
from patients.models import CareRelationship, Patient
from patients.privacy import audit
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.emergency_facts import contact_rows, shared_visits
from scheduling.forms.provider_share import ShareForm

INVALID = 422


@page(audience=Audience.PROVIDER, permission="share_records", methods=("GET", "POST"), phi=True)
def shares(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show with whom an own patient's record is shared, and share it with a colleague."""
    patient = _own_patient(request, pk)
    form = ShareForm(
        request.POST if request.method == "POST" else None,
        colleagues=sharing.colleagues(request.user),
    )
    if not form.is_bound:
        return _show(request, patient, form)
    if not form.is_valid():
        return _show(request, patient, form, status=INVALID)
    now = timezone.now()
    try:
        sharing.share(
            patient=patient,
            colleague=form.cleaned_data["colleague"],
            until=now + form.lasts,
            by=request.user,
            now=now,
        )
    except sharing.NoColleague:
        form.add_error("colleague", _("Choose a colleague."))
        return _show(request, patient, form, status=INVALID)
    messages.success(request, _("The record is shared."))
    return redirect("provider:shares", patient.pk)


def _own_patient(request: StaffRequest, pk: UUID) -> Patient:
    own = sharing.own_ties(request.user).values("patient")
    return get_object_or_404(Patient.objects.filter(pk__in=own).select_related("clinic"), pk=pk)


def _show(
    request: StaffRequest, patient: Patient, form: ShareForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "nav_current": "",
        "patient": patient,
        "form": form,
        "shares": list(sharing.shares_of(patient)),
    }
    return render(request, "provider/shares.html", context, status=status)


@page(audience=Audience.PROVIDER, permission="share_records", methods=("POST",), phi=True)
def end_share(request: StaffRequest, pk: UUID) -> HttpResponse:
    """End a share of an own patient's record."""
    own = sharing.own_ties(request.user).values("patient")
    live = CareRelationship.objects.live().filter(kind=sharing.SHARED, patient__in=own)
    tie = get_object_or_404(live.select_related("patient", "provider__user"), pk=pk)
    sharing.stop_sharing(tie=tie, by=request.user, now=timezone.now())
    messages.success(
        request, _("The record is not shared with %(name)s any more.") % {"name": tie.provider.name}
    )
    return redirect("provider:shares", tie.patient_id)


@page(audience=Audience.PROVIDER, permission="view_own_schedule", phi=True)
def shared(request: StaffRequest) -> HttpResponse:
    """List the patients whose records colleagues share with this provider now."""
    audit.mark(purpose="share")
    ties = CareRelationship.objects.shared_with(request.user)
    context = {
        "nav_current": "shared",
        "ties": list(ties.select_related("patient__clinic__time_zone").order_by("until")),
    }
    return render(request, "provider/shared.html", context)


@page(audience=Audience.PROVIDER, permission="view_own_schedule", phi=True)
def shared_record(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show a shared record: who, how to reach them, when their visits are. No notes."""
    audit.mark(purpose="share")
    tie = (
        CareRelationship.objects.shared_with(request.user)
        .select_related("patient__clinic__time_zone")
        .filter(patient=pk)
        .first()
    )
    if tie is None:
        raise Http404
    now = timezone.now()
    context = {
        "nav_current": "shared",
        "tie": tie,
        "patient": tie.patient,
        "contact": contact_rows(tie.patient, now=now),
        "visits": shared_visits(tie.patient, user=request.user, now=now),
    }
    return render(request, "provider/shared_record.html", context)
