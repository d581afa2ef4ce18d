"""The last look before two records become one: what the result will be, and what forbids it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.merging import CannotJoin, Choices
from patients.models import MatchCandidate, Patient
from patients.privacy.pages import Audience, StaffRequest, page
from patients.registration import DetailsChanged, stamp_of
from scheduling.desk_words import when_words
from scheduling.errors import Busy
from scheduling.forms.records import OTHER, JoinForm
from scheduling.merging import VisitsOverlap, join, overlapping
from scheduling.models import Appointment
from scheduling.record_words import outcome
from scheduling.refusal_words import in_words
from scheduling.views.records import joined, pairs_of


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def check(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show what joining the two will make of them; a POST does it."""
    found = get_object_or_404(pairs_of(request), pk=pk)
    form = JoinForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return redirect("records:pair", found.pk)
    if request.method == "POST":
        return _join(request, found, form)
    return joined(found) or _page(request, found, form)


def _sides(found: MatchCandidate, form: JoinForm) -> tuple[Patient, Patient]:
    """Return the record that stays and the other."""
    if form.cleaned_data["keep"] == OTHER:
        return found.other, found.one
    return found.one, found.other


def _join(request: StaffRequest, found: MatchCandidate, form: JoinForm) -> HttpResponse:
    """Join the two; sent twice, the form leads to what the first did."""
    keep, away = _sides(found, form)
    told = form.cleaned_data
    choices = Choices(from_away=told["take"], seen=(told["seen_keep"], told["seen_away"]))
    try:
        merge = join(keep=keep, away=away, choices=choices, by=request.user, now=timezone.now())
    except CannotJoin:
        fresh = get_object_or_404(pairs_of(request), pk=found.pk)
        return joined(fresh) or redirect("records:queue")
    except DetailsChanged:
        refusal = _("Somebody changed one of these records meanwhile. Look at them again.")
    except VisitsOverlap:
        refusal = _("The visits below are at the same time. Cancel or move one of each pair first.")
    except Busy as busy:
        refusal = in_words(busy)
    else:
        messages.success(request, _("The two records are one now."))
        return redirect("records:merge", merge.pk)
    fresh = get_object_or_404(pairs_of(request), pk=found.pk)
    return _page(request, fresh, form, refusal=refusal)


def _page(
    request: StaffRequest, found: MatchCandidate, form: JoinForm, *, refusal: str = ""
) -> HttpResponse:
    keep, away = _sides(found, form)
    take = form.cleaned_data["take"]
    context: dict[str, Any] = {
        "pair": found,
        "chosen": form.cleaned_data,
        "seen": (stamp_of(keep), stamp_of(away)),
        "rows": outcome(keep, away, take),
        "overlaps": _overlaps(keep, away),
        "closes_account": _closes_account(keep, away, take),
        "refusal": refusal,
        "nav_current": "records",
    }
    return render(request, "records/check.html", context, status=409 if refusal else 200)


def _overlaps(keep: Patient, away: Patient) -> list[list[dict[str, str]]]:
    """Return pairs of visits that one person cannot both have, each to be opened."""
    pairs = overlapping(keep.pk, away.pk)
    visits = Appointment.objects.filter(pk__in={pk for both in pairs for pk in both})
    known = {
        visit.pk: visit
        for visit in visits.select_related("clinic", "provider").defer("reason_for_visit")
    }
    return [[_visit(known[pk]) for pk in both] for both in pairs]


def _visit(visit: Appointment) -> dict[str, str]:
    when = when_words(visit.scheduled_start, visit.zone)
    href = reverse("desk:appointment", args=[visit.pk])
    return {"href": href, "words": f"{when}, {visit.provider.name}"}


def _closes_account(keep: Patient, away: Patient, take: Sequence[str]) -> bool:
    """Say whether a portal account will not open the joined record, as its address goes."""
    stays = away if "email" in take or not keep.email else keep
    goes = keep if stays is away else away
    return goes.user_id is not None and goes.email != stays.email
