"""Patients whom the record system does not know for certain: who they are there, or nobody yet."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from emr import queries
from emr.candidate_words import Found, found_in
from emr.forms import LinkForm
from emr.models import PatientMatch
from emr.outbox import linking
from emr.views.desk_frame import BAD_REQUEST, CONFLICT, show, show_work
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.desk_words import birth, when_words


@dataclass(frozen=True, slots=True)
class Row:
    """One patient of the list in words; `found`: how many there may be the same person."""

    match: PatientMatch
    born: str
    opened: str
    found: str
    outcome: str


@page(audience=Audience.DESK, permission="manage_patients", phi=True)
def patients(request: StaffRequest) -> HttpResponse:
    """Show the patients to be found there, the oldest first, or those who were."""
    found = queries.matches_of(request.user, request.clinics)
    return show_work(
        request, "patients.html", found, here="patients", closed=_("Settled"), row=_row
    )


def _row(match: PatientMatch) -> Row:
    zone = match.connection.clinic.zone
    settled = ""
    if match.closed_at:
        settled = f"{match.get_result_display()}, {when_words(match.closed_at, zone)}"
    return Row(
        match=match,
        born=birth(match.patient, today=timezone.now().astimezone(zone).date()),
        opened=when_words(match.opened_at, zone),
        found=_how_many(len(found_in(match))),
        outcome=settled,
    )


def _how_many(count: int) -> str:
    if not count:
        return _("Nobody there fits")
    words = ngettext("%(count)d may fit", "%(count)d may fit", count)
    return words % {"count": count}


def _match(request: StaffRequest, pk: UUID) -> PatientMatch:
    return get_object_or_404(queries.matches_of(request.user, request.clinics), pk=pk)


@page(audience=Audience.DESK, permission="manage_patients", phi=True)
def patient(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show a patient beside each who may be the same person there."""
    return _compared(request, _match(request, pk))


def _compared(
    request: StaffRequest, match: PatientMatch, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "match": match,
        "row": _row(match),
        "candidates": found_in(match),
        "is_open": match.closed_at is None,
        "may_create": match.connection.creates_patients,
        "problem": problem,
    }
    return show(request, "patient.html", context, here="patients", status=status)


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def patient_link(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask once more, then say who a patient is there; `remote_id` names one of the candidates."""
    match = _match(request, pk)
    if match.closed_at is not None:
        return _settled(request, match)
    form = LinkForm(request.POST if request.method == "POST" else request.GET)
    chosen = _chosen(match, form)
    if chosen is None:
        problem = _("Choose one of those below.")
        return _compared(request, match, problem=problem, status=BAD_REQUEST)
    if request.method == "GET":
        return _ask_link(request, match, chosen)
    return _link(request, match, chosen)


def _link(request: StaffRequest, match: PatientMatch, chosen: Found) -> HttpResponse:
    try:
        linking.link(match, remote_id=chosen.remote_id, by=request.user, now=timezone.now())
    except linking.AlreadyDecided:
        return _settled(request, match)
    except linking.LinkedOtherwise:
        problem = _(
            "Another patient here is linked to that record already. If both are one person, "
            "join their records first: they are under “Compare records” now."
        )
        return _compared(request, match, problem=problem, status=CONFLICT)
    name = match.patient.full_name
    return _done(request, _("%(name)s is linked. What waits for it is sent.") % {"name": name})


def _chosen(match: PatientMatch, form: LinkForm) -> Found | None:
    """Return the candidate that a form names; None of one that was not shown or is not in use."""
    if not form.is_valid():
        return None
    asked = form.cleaned_data["remote_id"]
    return next(
        (one for one in found_in(match) if one.remote_id == asked and not one.problem), None
    )


def _ask_link(request: StaffRequest, match: PatientMatch, chosen: Found) -> HttpResponse:
    words = {
        "ours": match.patient.full_name,
        "theirs": chosen.name,
        "number": chosen.numbers,
        "system": match.connection.name,
    }
    context = {
        "title": _("Are they the same person?"),
        "text": _(
            "%(ours)s here is %(theirs)s (%(number)s) in %(system)s. All visits of the patient "
            "are written to that record from now on."
        )
        % words,
        "action": _("Yes, link them"),
        "form": LinkForm(initial={"remote_id": chosen.remote_id}),
        "post_to": reverse("emr:patient_link", args=[match.pk]),
        "cancel_href": reverse("emr:patient", args=[match.pk]),
        "calm": True,
    }
    return show(request, "ask.html", context, here="patients")


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def patient_make(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask, then have the patient's record made there."""
    match = _match(request, pk)
    if match.closed_at is not None:
        return _settled(request, match)
    if not match.connection.creates_patients:
        raise Http404
    name = match.patient.full_name
    if request.method == "GET":
        words = {"name": name, "system": match.connection.name}
        text = _("A new record of %(name)s is made in %(system)s.") % words
        return _ask(request, match, _("Make a new record?"), text, _("Make the record"))
    try:
        linking.create(match, by=request.user, now=timezone.now())
    except linking.AlreadyDecided:
        return _settled(request, match)
    return _done(request, _("A record of %(name)s is being made there.") % {"name": name})


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def patient_leave(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask, then leave a patient alone: nothing about them goes there."""
    match = _match(request, pk)
    if match.closed_at is not None:
        return _settled(request, match)
    name = match.patient.full_name
    if request.method == "GET":
        words = {"name": name, "system": match.connection.name}
        text = _("Nothing about %(name)s is sent to %(system)s. You can enter it there.") % words
        return _ask(request, match, _("Leave this patient?"), text, _("Leave"), calm=False)
    try:
        linking.leave(match, by=request.user, now=timezone.now())
    except linking.AlreadyDecided:
        return _settled(request, match)
    return _done(request, _("%(name)s is left alone.") % {"name": name})


def _ask(
    request: StaffRequest,
    match: PatientMatch,
    title: str,
    text: str,
    action: str,
    *,
    calm: bool = True,
) -> HttpResponse:
    back = reverse("emr:patient", args=[match.pk])
    context = {"title": title, "text": text, "action": action, "cancel_href": back, "calm": calm}
    return show(request, "ask.html", context, here="patients")


def _settled(request: StaffRequest, match: PatientMatch) -> HttpResponse:
    messages.info(request, _("Somebody has settled it already."))
    return redirect("emr:patient", match.pk)


def _done(request: StaffRequest, words: str) -> HttpResponse:
    queries.forget()
    messages.success(request, words)
    return redirect("emr:patients")
