"""The desk's queue of records that may be one person's: compare, and join or tell apart."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.deciding import tell_apart
from patients.models import MatchCandidate, Patient, PatientMerge
from patients.models.matching import MatchCandidateQuerySet
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.forms.records import ONE, OTHER, CompareForm
from scheduling.models import Appointment
from scheduling.record_words import BANDS, comparison, reasons
from scheduling.templatetags.days import fulldate
from scheduling.transitions import Status

ON_A_PAGE = 25
RELATED = ("insurance_plan", "primary_care_provider", "clinic__time_zone")


def pairs_of(request: StaffRequest) -> MatchCandidateQuerySet:
    """Return the pairs of the clinics where this member of staff keeps the records."""
    pairs: MatchCandidateQuerySet = MatchCandidate.objects.visible_to(request.user).filter(
        clinic__in=request.clinics
    )
    return pairs.select_related(*(f"{side}__{name}" for side in (ONE, OTHER) for name in RELATED))


@page(audience=Audience.DESK, permission="manage_patients", phi=True)
def queue(request: StaffRequest) -> HttpResponse:
    """Show the pairs that wait for somebody's look, the likeliest first."""
    waiting = pairs_of(request).waiting().order_by("-chance", "created_at", "pk")
    shown = Paginator(waiting, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"rows": [_row(pair) for pair in shown], **ways(shown), "nav_current": "records"}
    return render(request, "records/queue.html", context)


def ways(shown: Page[Any]) -> dict[str, str]:
    """Return where the pages before and after this one are."""
    return {
        "earlier_href": f"?page={shown.number - 1}" if shown.has_previous() else "",
        "later_href": f"?page={shown.number + 1}" if shown.has_next() else "",
    }


def _row(pair: MatchCandidate) -> dict[str, Any]:
    return {
        "href": reverse("records:pair", args=[pair.pk]),
        "names": [_who(pair.one), _who(pair.other)],
        "why": reasons(pair.reasons),
        "band": BANDS.get(pair.band, ""),
        "is_certain": pair.band == "CERTAIN",
    }


def _who(record: Patient) -> str:
    born = fulldate(record.dob) if record.dob else _("date of birth not known")
    return f"{record.full_name}, {born}"


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def pair(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show two records side by side; a POST carries what was chosen on to the check page."""
    found = get_object_or_404(pairs_of(request), pk=pk)
    if (onwards := joined(found)) is not None:
        return onwards
    lines = comparison(found.one, found.other)
    parts = [line.part for line in lines if line.is_to_choose]
    form = CompareForm(request.POST if request.method == "POST" else None, parts=parts)
    if form.is_valid():
        query = urlencode({"keep": form.cleaned_data["keep"], "take": form.take()}, doseq=True)
        return redirect(f"{reverse('records:check', args=[found.pk])}?{query}")
    keep = _likely_to_stay(found)
    context = {
        "pair": found,
        "lines": [(line, _choice(form, line.part) or keep) for line in lines],
        "records": _records(found),
        "keep": _choice(form, "keep") or keep,
        "form": form,
        "why": reasons(found.reasons),
        "nav_current": "records",
    }
    return render(request, "records/pair.html", context, status=422 if form.is_bound else 200)


def joined(found: MatchCandidate) -> HttpResponse | None:
    """Lead on to what became of a pair that is no pair of two records any more."""
    for record in (found.one, found.other):
        if record.merged_into_id is not None:
            merge = PatientMerge.objects.standing().filter(away=record).first()
            if merge is not None:
                return redirect("records:merge", merge.pk)
    return None


def _choice(form: CompareForm, name: str) -> str:
    chosen = form[name].value() if form.is_bound and name in form.fields else ""
    return chosen if chosen in {ONE, OTHER} else ""


def _likely_to_stay(found: MatchCandidate) -> str:
    """Return the one that the clinic has looked at, else that with an account, else the older."""
    one, other = (
        (record.is_provisional, record.user_id is None, record.created_at)
        for record in (found.one, found.other)
    )
    return ONE if one <= other else OTHER


def _records(found: MatchCandidate) -> list[dict[str, Any]]:
    """Return what stands above the comparison: when each was made, and how many visits it has."""
    now = timezone.now()
    counts = {
        row["patient"]: {"coming": row["coming"], "past": row["past"]}
        for row in Appointment.objects.filter(patient__in=[found.one_id, found.other_id])
        .exclude(status=Status.CANCELLED)
        .order_by()
        .values("patient")
        .annotate(
            coming=Count("pk", filter=Q(scheduled_end__gt=now)),
            past=Count("pk", filter=Q(scheduled_end__lte=now)),
        )
    }
    nothing = {"coming": 0, "past": 0}
    return [
        {
            "value": value,
            "letter": letter,
            "record": record,
            "since": fulldate(record.created_at.astimezone(record.clinic.zone).date()),
            **counts.get(record.pk, nothing),
        }
        for value, letter, record in ((ONE, "A", found.one), (OTHER, "B", found.other))
    ]


@page(audience=Audience.DESK, permission="manage_patients", methods=("POST",), phi=True)
def apart(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Note that two records are two people's, so that nobody is asked again."""
    found = get_object_or_404(pairs_of(request), pk=pk)
    if tell_apart(pair=found, by=request.user, now=timezone.now()):
        messages.success(request, _("Noted: different people. You will not be asked again."))
    return redirect("records:queue")
