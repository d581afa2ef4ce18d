"""Where signed-in patients choose how, when and about what the clinic writes to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from patients import looks
from patients.contacts import show_phone
from patients.models import Patient
from patients.privacy.pages import Audience, PageRequest, page
from reminders import devices, preferences
from reminders.channels import registry
from reminders.forms.portal import ChoicesForm
from reminders.kinds import Channel
from reminders.models import ConsentChange
from reminders.suppressions import is_suppressed
from scheduling.visit_facts import day_of
from scheduling.waitlist.entries import live_of

MOST_CHANGES = 20
Source = ConsentChange.Source
CHANNEL_WORDS: dict[str, Promise] = {
    Channel.EMAIL: gettext_lazy("E-mails"),
    Channel.SMS: gettext_lazy("Text messages"),
    Channel.PUSH: gettext_lazy("Notifications"),
}
SOURCE_WORDS: dict[str, Promise] = {
    Source.PORTAL: gettext_lazy("You, on this page"),
    Source.DESK: gettext_lazy("You told the front desk"),
    Source.REPLY: gettext_lazy("You answered a text"),
    Source.LINK: gettext_lazy("By the link in an e-mail"),
    Source.VENDOR: gettext_lazy("Reported by the phone company"),
}


@page(audience=Audience.PATIENT, phi=True)
def choices(request: HttpRequest) -> HttpResponse:
    """List the records that the account opens; of a single one, go straight to its page."""
    records = list(own_records(request).order_by("pk"))
    if len(records) == 1:
        return redirect("portal:choices_of", pk=records[0].pk)
    looks.note_patients(record.pk for record in records)
    return render(request, "portal/choices.html", {"records": records})


@page(audience=Audience.PATIENT, methods=("GET", "POST"), phi=True)
def choices_of(request: PageRequest, pk: UUID) -> HttpResponse:
    """Show what was chosen for one record, and keep what is chosen now."""
    patient = get_object_or_404(own_records(request), pk=pk)
    request.clinic = patient.clinic
    if request.method != "POST":
        return _show(request, patient, _form(request, patient))
    if request.POST.get("act") == "stop":
        _stop(request, patient)
        return redirect("portal:choices_of", pk=pk)
    form = _form(request, patient)
    if not form.is_valid():
        return _show(request, patient, form, status=422)
    by_user = cast(User, request.user)
    preferences.choose(
        patient=patient,
        **form.chosen(),
        source=Source.PORTAL,
        by_user=by_user,
        now=timezone.now(),
    )
    messages.success(request, _("Your choices are saved."))
    return redirect("portal:choices_of", pk=pk)


def own_records(request: HttpRequest) -> QuerySet[Patient]:
    """Return the records of this account that were not joined into another."""
    own = Patient.objects.filter(user=request.user.pk, merged_into=None)
    return own.select_related("clinic__time_zone")


def _form(request: HttpRequest, patient: Patient) -> ChoicesForm:
    return ChoicesForm(
        request.POST if request.method == "POST" else None,
        patient=patient,
        preference=preferences.preference_of(patient),
        has_texts=not registry.is_off(Channel.SMS),
        has_devices=devices.live(patient).exists(),
    )


def _stop(request: HttpRequest, patient: Patient) -> None:
    """Switch every channel off, and leave the rest as it was chosen."""
    preferences.stop_all(
        patient=patient,
        source=Source.PORTAL,
        by_user=cast(User, request.user),
        now=timezone.now(),
    )
    messages.success(request, _("We will send you no more messages about visits."))


def _show(
    request: HttpRequest, patient: Patient, form: ChoicesForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "patient": patient,
        "form": form,
        "several": own_records(request).count() > 1,
        "email_stopped": _is_stopped(Channel.EMAIL, patient.email),
        "sms_stopped": _is_stopped(Channel.SMS, patient.phone),
        "texts_from": show_phone(settings.TWILIO_FROM),
        "push_key": "" if registry.is_off(Channel.PUSH) else devices.application_key(),
        "language": get_language(),
        "waits": live_of(patient).exists(),
        "changes": _changes(patient),
    }
    return render(request, "portal/choices_of.html", context, status=status)


def _is_stopped(channel: Channel, recipient: str) -> bool:
    return bool(recipient) and is_suppressed(channel=channel, recipient=recipient)


@dataclass(frozen=True, slots=True)
class Said:
    """One line of who said yes or no to what, and when."""

    when: str
    channel: str
    given: bool
    source: str


def _changes(patient: Patient) -> list[Said]:
    rows = ConsentChange.objects.filter(patient=patient.pk)[:MOST_CHANGES]
    return [
        Said(
            when=_day(row.at, patient),
            channel=str(CHANNEL_WORDS[row.channel]),
            given=row.given,
            source=str(SOURCE_WORDS[row.source]),
        )
        for row in rows
    ]


def _day(at: datetime, patient: Patient) -> str:
    return day_of(at.astimezone(patient.clinic.zone))
