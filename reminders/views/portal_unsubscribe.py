"""Where the link at the end of an e-mail leads: no more e-mails, and yes again after all.

The token in the address is the right to do it. One click of a mail program's own button (RFC 8058)
comes without a cookie or a CSRF token, and does this one thing and nothing else.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from patients import looks
from patients.models import Patient
from patients.privacy.pages import Audience, PageRequest, page
from reminders import preferences
from reminders.kinds import Channel
from reminders.models import ConsentChange

ONE_CLICK = ("List-Unsubscribe", "One-Click")


@csrf_exempt
@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def unsubscribe(request: PageRequest, token: str) -> HttpResponse:
    """Show whether e-mails are sent; a mail program's one click stops them.

    Any other POST is refused (403): the page's own buttons go to `unsubscribe_choose`.
    """
    name, value = ONE_CLICK
    if request.method == "POST" and request.POST.get(name) != value:
        raise PermissionDenied
    try:
        patient = _patient(request, token)
    except preferences.LinkInvalid:
        return _unknown(request)
    if request.method == "POST":
        _switch(patient, on=False)
        return HttpResponse("", content_type="text/plain; charset=utf-8")
    context = {"token": token, "is_on": preferences.preference_of(patient).email}
    response = render(request, "portal/unsubscribe.html", context)
    response["Referrer-Policy"] = "same-origin"
    return response


@page(audience=Audience.PUBLIC, methods=("POST",), phi=True)
def unsubscribe_choose(request: PageRequest, token: str) -> HttpResponse:
    """Stop e-mails, or send them again after all."""
    try:
        patient = _patient(request, token)
    except preferences.LinkInvalid:
        return _unknown(request)
    _switch(patient, on=request.POST.get("email") == "on")
    return redirect("portal:unsubscribe", token=token)


def _patient(request: PageRequest, token: str) -> Patient:
    """Return whom the token is about. Raises LinkInvalid."""
    patient = preferences.patient_of(token)
    looks.note_patients([patient.pk])
    request.clinic = patient.clinic
    return patient


def _switch(patient: Patient, *, on: bool) -> None:
    preferences.switch(
        patient=patient,
        channel=Channel.EMAIL,
        on=on,
        source=ConsentChange.Source.LINK,
        by_user=None,
        now=timezone.now(),
    )


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/unsubscribe_unknown.html", status=404)
