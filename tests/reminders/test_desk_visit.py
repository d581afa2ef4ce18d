"""The messages of a visit at the desk: what went, what is to come, and why the rest did not go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from providers.models import Clinic, Provider, Role, VisitType
from reminders.kinds import Channel, Kind, State, Why
from reminders.models import Notice, Reminder
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory
from tests.reminders.asking import asked, delivery
from tests.scheduling.desk_cast import HTMX, NINE, at_the_desk, key_in, shown

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def ada(clinic: Clinic) -> Patient:
    return PatientFactory.create(
        clinic=clinic, name="Ada Moreno", phone="+12125550111", phone_is_textable=True
    )


@pytest.fixture
def nine(provider: Provider, visit_type: VisitType, ada: Patient) -> Appointment:
    visit = AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE, patient=ada, reason="Sore knee"
    )
    Notice.objects.all().delete()
    Reminder.objects.all().delete()
    return visit


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


def page(client: Client, visit: Appointment, **more: Any) -> Any:
    return client.get(reverse("messages:visit", args=[visit.pk]), **more)


def resend(client: Client, visit: Appointment, **more: Any) -> Any:
    form = {"channel": "EMAIL", "key": key_in(page(client, visit)), **more}
    return client.post(reverse("messages:resend", args=[visit.pk]), form)


def test_the_visit_links_to_its_messages(desk: Client, nine: Appointment) -> None:
    panel = desk.get(reverse("desk:appointment", args=[nine.pk])).content.decode()
    assert f'href="{reverse("messages:visit", args=[nine.pk])}"' in panel


def test_without_messages_the_page_says_so(desk: Client, nine: Appointment) -> None:
    assert "Nothing was sent, and nothing was left out." in shown(page(desk, nine))


def test_each_message_says_what_how_when_and_how_it_went(desk: Client, nine: Appointment) -> None:
    asked(nine, Kind.REQUEST, State.DELIVERED)
    failed = asked(nine, Kind.FOLLOW_UP, State.FAILED).delivery
    assert failed is not None
    failed.why, failed.error_code, failed.attempts = Why.UNDELIVERED.value, "30003", 2
    failed.save()
    text = shown(page(desk, nine))
    for words in (
        "Asked to confirm Delivered",
        "E-mail · ",
        "9:00 am",
        "Asked to confirm again Failed",
        "The carrier could not deliver it · Code 30003 · 2 tries",
    ):
        assert words in text
    assert "Sore knee" not in text


def test_what_is_to_come_stands_apart(desk: Client, nine: Appointment) -> None:
    Reminder.objects.create(
        appointment=nine,
        sequence=0,
        kind="REMINDER",
        channel="SMS",
        due_at=NINE - 24 * HOUR,
        not_after=NINE,
    )
    text = shown(page(desk, nine))
    assert "Reminder Planned" in text.split("To come")[1].split("So far")[0]


def test_it_says_why_nothing_was_sent(desk: Client, nine: Appointment) -> None:
    asked(nine, Kind.REQUEST, None, why=Why.NO_EMAIL.value)
    asked(nine, Kind.FOLLOW_UP, None, why=Why.SUPPRESSED.value)
    text = shown(page(desk, nine)).split("Nothing was sent")[1].split("Send again")[0]
    assert "No e-mail address on file" in text
    assert "The number or address takes no messages from us" in text
    asked(nine, Kind.REQUEST, State.SENT)
    assert "Nothing was sent" not in shown(page(desk, nine))


def test_messages_of_an_earlier_time_say_so(desk: Client, nine: Appointment) -> None:
    asked(nine, Kind.REQUEST)
    booking.reschedule(
        appointment=nine, start=NINE + HOUR, by=Actor.system("test"), now=timezone.now()
    )
    assert "About an earlier time of this visit" in shown(page(desk, nine))


def test_the_way_that_was_taken_instead_is_named(desk: Client, nine: Appointment) -> None:
    row = asked(nine, Kind.REQUEST)
    row.delivery = delivery(nine, Kind.REQUEST, Channel.SMS, State.SENT, at=timezone.now())
    row.save()
    assert "Text message · " in shown(page(desk, nine))


def test_a_message_is_sent_again(desk: Client, nine: Appointment) -> None:
    assert resend(desk, nine).status_code == 302
    assert Notice.objects.get().kind == "BOOKED"
    assert "on its way to Ada" in shown(page(desk, nine))


def test_minutes_later_it_asks_before_it_sends_another(desk: Client, nine: Appointment) -> None:
    resend(desk, nine)
    asked_back = resend(desk, nine)
    assert asked_back.status_code == 409
    assert "Send another one?" in shown(asked_back)
    assert Notice.objects.count() == 1
    assert resend(desk, nine, anyway="on").status_code == 302
    assert Notice.objects.count() == 2


def test_who_cannot_be_reached_is_not_tried(desk: Client, nine: Appointment) -> None:
    Patient.objects.filter(pk=nine.patient_id).update(phone_is_textable=False)
    assert "Text message: The phone number cannot take texts" in shown(page(desk, nine))
    refused = resend(desk, nine, channel="SMS")
    assert refused.status_code == 409
    assert "Nothing was sent. The phone number cannot take texts." in shown(refused)


def test_nonsense_sends_nothing(desk: Client, nine: Appointment) -> None:
    assert resend(desk, nine, channel="PIGEON").status_code == 400
    assert resend(desk, nine, key="short").status_code == 400
    assert not Notice.objects.exists()


def test_of_a_visit_that_is_over_nothing_is_sent_again(clinic: Clinic, nine: Appointment) -> None:
    with time_machine.travel(NINE + HOUR, tick=False):
        assert "Send again" not in shown(page(at_the_desk(clinic), nine))


def test_it_opens_in_the_side_panel(desk: Client, nine: Appointment) -> None:
    fragment = page(desk, nine, headers=HTMX).content.decode()
    assert "<html" not in fragment
    assert "<h2 tabindex" in fragment


def test_strangers_find_nothing(clinic: Clinic, nine: Appointment) -> None:
    stranger = at_the_desk(ClinicFactory.create())
    assert page(stranger, nine).status_code == 404
    where = reverse("messages:resend", args=[nine.pk])
    assert stranger.post(where, {"channel": "EMAIL", "key": "k" * 32}).status_code == 404
    assert page(at_the_desk(clinic, Role.PROVIDER), nine).status_code in {403, 404}
    assert not Notice.objects.exists()


def test_the_page_costs_the_same_for_one_message_and_for_many(
    desk: Client, nine: Appointment
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as questions:
            page(desk, nine)
        return len(questions)

    asked(nine, Kind.REQUEST)
    cost()
    few = cost()
    for sequence in range(1, 8):
        row = asked(nine, Kind.FOLLOW_UP)
        row.sequence += sequence
        row.save()
    assert cost() == few
