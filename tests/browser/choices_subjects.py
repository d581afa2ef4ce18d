"""What patients choose about messages, and the doors of video visits, to photograph."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from patients.models.audit import Act
from patients.privacy import audit
from reminders import devices, preferences
from reminders.kinds import Channel
from reminders.models import ConsentChange, Suppression
from reminders.suppressions import suppress
from scheduling import links
from scheduling.models import Appointment
from scheduling.models.appointment import AppointmentQuerySet
from scheduling.transitions import Status
from tests.browser import visitors
from tests.browser.subjects import Subject
from tests.factories import PatientFactory, UserFactory
from tests.reminders.browser_keys import endpoint, keys

Source = ConsentChange.Source


def _family() -> tuple[Client, list[Patient]]:
    """A parent who looks after two records."""
    clinic = visitors.own_record().clinic
    account = UserFactory.create(username="p-family", email="")
    names = [("Marguerite", "Achterberg-Villanueva"), ("Theo", "Achterberg")]
    family = [
        PatientFactory.create(
            clinic=clinic, user=account, given_name=given, family_name=family, phone="+12125550147"
        )
        for given, family in names
    ]
    return _signed_in(account), family


def _signed_in(account: User) -> Client:
    client = visitors.browser()
    client.force_login(account)
    return client


def _choosing() -> list[Subject]:
    with audit.keeping_record(system="system:unattended", purpose="demo", action=Act.ACCESS):
        client, (parent, child) = _family()
        _say_much(parent)
    own = {"pk": str(visitors.own_record().pk)}
    return [
        Subject("portal:choices", "portal", client),
        Subject("portal:choices_of", "portal", visitors.demo_patient(), own),
        Subject("portal:choices_of", "portal", client, {"pk": str(parent.pk)}, label="stopped"),
        *_unsubscribing(parent, child),
    ]


def _say_much(patient: Patient) -> None:
    """Somebody who has changed their mind, has a device, and replied STOP."""
    now = timezone.now()
    told: Any = {"patient": patient, "by_user": patient.user}
    Patient.objects.filter(pk=patient.pk).update(phone_is_textable=True)
    browser: Any = {"endpoint": endpoint(), **keys(), "language": "en"}
    devices.subscribe(**browser, **told, now=now)
    for days, on in ((40, False), (3, True)):
        then = now - timedelta(days=days)
        switched: Any = {"channel": Channel.EMAIL, "on": on, "source": Source.LINK, "now": then}
        preferences.switch(**told, **switched)
    cause = Suppression.Cause.STOP
    suppress(channel=Channel.SMS, recipient=patient.phone, cause=cause, now=now)


def _unsubscribing(on: Patient, off: Patient) -> list[Subject]:
    client = visitors.browser()
    told: Any = {"channel": Channel.EMAIL, "on": False, "source": Source.LINK, "by_user": None}
    preferences.switch(patient=off, **told, now=timezone.now())
    tokens = {
        "": preferences.unsubscribe_token(on),
        "stopped": preferences.unsubscribe_token(off),
    }
    pages = [
        Subject("portal:unsubscribe", "portal", client, {"token": token}, label=label)
        for label, token in tokens.items()
    ]
    ended = {"token": "not-a-token-of-ours"}
    return [
        *pages,
        Subject("portal:unsubscribe", "portal", client, ended, label="unknown", status=404),
    ]


def _joining() -> list[Subject]:
    client, now = visitors.browser(), timezone.now()
    by_video = Appointment.objects.filter(appointment_type__is_telehealth=True)
    coming = by_video.filter(status=Status.SCHEDULED, scheduled_start__gt=now + timedelta(days=2))
    over = by_video.filter(status=Status.COMPLETED).order_by("-scheduled_end")
    no_video = Appointment.objects.filter(
        status=Status.SCHEDULED,
        scheduled_start__gt=now + timedelta(days=2),
        appointment_type__is_telehealth=False,
    )
    doors = {"": coming, "over": over, "no-video": no_video}
    pages = [
        Subject("portal:join", "portal", client, _let_in(client, rows), label=label)
        for label, rows in doors.items()
    ]
    own = coming.filter(provider__user__username__startswith="provider@").first()
    if own is None:
        raise visitors.DeadEnd("the demo's provider has no video visit to come")
    return [
        *pages,
        Subject("portal:manage", "portal", client, _let_in(client, coming), label="video"),
        Subject("provider:join", "provider", visitors.staff("provider"), {"pk": str(own.pk)}),
    ]


def _let_in(client: Client, rows: AppointmentQuerySet) -> dict[str, str]:
    """Open the first of these visits to a browser, by a link; return its page's arguments."""
    visit = rows.first()
    if visit is None:
        raise visitors.DeadEnd("the seeded clinic lacks a video visit of this state")
    client.get(reverse("portal:link", args=[links.issue(visit, now=timezone.now())]))
    return {"pk": str(visit.pk)}


WAYS = [_choosing, _joining]
