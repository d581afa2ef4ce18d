"""Where a patient's browser is set up for notifications, and the script that shows them."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from patients.models import Patient
from patients.privacy.pages import Audience, PageRequest, page
from reminders import devices
from reminders.channels import registry
from reminders.forms.portal import DeviceForm
from reminders.kinds import Channel
from reminders.views.portal_preferences import own_records


@page(audience=Audience.PATIENT, methods=("POST",), phi=True)
def device(request: PageRequest, pk: UUID) -> HttpResponse:
    """Take, end or know one browser's subscription: 204, or 422 where that cannot be done."""
    patient = get_object_or_404(own_records(request), pk=pk)
    request.clinic = patient.clinic
    form = DeviceForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    return HttpResponse(status=204 if _done(request, patient, **form.cleaned_data) else 422)


def _done(
    request: PageRequest, patient: Patient, *, act: str, endpoint: str, p256dh: str, auth: str
) -> bool:
    """Do what the browser asks; return whether it could be done."""
    by_user, now = cast(User, request.user), timezone.now()
    if act == "ask":
        return devices.knows(patient, endpoint)
    if act == "off":
        devices.leave(patient=patient, endpoint=endpoint, by_user=by_user, now=now)
        return True
    if registry.is_off(Channel.PUSH):
        return False
    try:
        devices.subscribe(
            patient=patient,
            endpoint=endpoint,
            p256dh=p256dh,
            auth=auth,
            language=get_language() or settings.LANGUAGE_CODE,
            by_user=by_user,
            now=now,
        )
    except devices.UnknownDevice:
        return False
    return True


@page(audience=Audience.PUBLIC)
def worker(request: HttpRequest) -> HttpResponse:
    """Serve the service worker, in the language that its address names."""
    wanted = request.GET.get("lang", "")
    language = wanted if wanted in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(language):
        words = {"confirm": _("Confirm"), "untitled": _("A message from your clinic")}
        told = {"language": language, **words}
        response = render(
            request, "portal/sw.js", told, content_type="text/javascript; charset=utf-8"
        )
    response["Cache-Control"] = "no-cache"
    return response
