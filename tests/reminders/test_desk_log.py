"""The clinic's log of deliveries: narrowed, in pages, and without a word of any message."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from providers.models import Clinic, Provider, Role, VisitType
from reminders.delivery_log import ON_A_PAGE
from reminders.kinds import Channel, Kind, State, Why
from reminders.models import Delivery
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, at
from tests.reminders.asking import asked, delivery
from tests.scheduling.desk_cast import MONDAY, NINE, at_the_desk, shown

pytestmark = pytest.mark.django_db
LOG = "/desk/messages/"
HOUR = timedelta(hours=1)


@pytest.fixture
def nine(provider: Provider, visit_type: VisitType, clinic: Clinic) -> Appointment:
    patient = PatientFactory.create(clinic=clinic, name="Ada Moreno")
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE, patient=patient, reason="Sore knee"
    )


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


def sent(visit: Appointment, channel: Channel = Channel.SMS, hours: int = 0) -> Delivery:
    return delivery(visit, Kind.REMINDER, channel, State.SENT, at=NINE - (48 + hours) * HOUR)


def rows(client: Client, **asked_for: str) -> int:
    page = client.get(LOG, asked_for)
    assert page.status_code == 200
    return page.content.decode().count('<th scope="row"')


def test_an_empty_log_says_so(desk: Client) -> None:
    assert "No message" in shown(desk.get(LOG))


def test_a_delivery_says_to_whom_what_and_how_it_went(desk: Client, nine: Appointment) -> None:
    asked(nine, Kind.REQUEST)
    page = desk.get(LOG)
    text = shown(page)
    for words in ("Ada Moreno", "Asked to confirm", "E-mail", "Delivered"):
        assert words in text
    assert reverse("messages:visit", args=[nine.pk]) in page.content.decode()
    assert "Sore knee" not in text


def test_a_failure_says_why(desk: Client, nine: Appointment) -> None:
    row = sent(nine)
    row.state, row.why, row.error_code = "FAILED", Why.UNDELIVERED.value, "30005"
    row.save()
    assert "The carrier could not deliver it · Code 30005" in shown(desk.get(LOG))


def test_the_log_is_narrowed_by_state_way_and_day(desk: Client, nine: Appointment) -> None:
    sent(nine)
    sent(nine, Channel.EMAIL, hours=24)
    failed = sent(nine, hours=48)
    Delivery.objects.filter(pk=failed.pk).update(state="FAILED")
    assert rows(desk) == 3
    assert rows(desk, state="sent") == 2
    assert rows(desk, state="failed") == 1
    assert rows(desk, channel="EMAIL") == 1
    assert rows(desk, channel="EMAIL", state="failed") == 0
    assert rows(desk, day=str(MONDAY - timedelta(days=2))) == 1


def test_a_day_is_the_clinics_own(desk: Client, nine: Appointment) -> None:
    row = sent(nine)
    midnight = at(MONDAY, "00:00")
    Delivery.objects.filter(pk=row.pk).update(created_at=midnight)
    assert rows(desk, day=str(MONDAY)) == 1
    Delivery.objects.filter(pk=row.pk).update(created_at=midnight - timedelta(seconds=1))
    assert rows(desk, day=str(MONDAY)) == 0


def test_what_cannot_be_asked_is_told(desk: Client) -> None:
    for asked_for in ({"day": "yesterday"}, {"state": "LOST"}, {"channel": "PIGEON"}):
        assert desk.get(LOG, asked_for).status_code == 400


def test_pages_show_each_delivery_once_though_all_are_of_one_instant(
    desk: Client, nine: Appointment
) -> None:
    for _ in range(ON_A_PAGE + 5):
        sent(nine)
    first = desk.get(LOG).content.decode()
    assert first.count('<th scope="row"') == ON_A_PAGE
    later = first.split('rel="next" href="')[1].split('"')[0]
    sent(nine, hours=-1)
    second = desk.get(f"{LOG}{later}").content.decode()
    assert second.count('<th scope="row"') == 5
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second


@pytest.mark.parametrize("cursor", ["x", "1-", "-", "1-zz", "9" * 40 + "-" + "0" * 32])
def test_a_made_up_page_is_not_found(cursor: str, desk: Client) -> None:
    assert desk.get(LOG, {"before": cursor}).status_code == 404


def test_other_clinics_deliveries_are_not_shown(nine: Appointment, clinic: Clinic) -> None:
    sent(nine)
    assert rows(at_the_desk(ClinicFactory.create())) == 0
    assert at_the_desk(clinic, Role.PROVIDER).get(LOG).status_code in {403, 404}


def test_a_code_to_somebody_names_nobody(desk: Client, nine: Appointment) -> None:
    row = sent(nine)
    Delivery.objects.filter(pk=row.pk).update(patient=None, kinds=["SIGN_IN_CODE"])
    assert "Code to sign in" in shown(desk.get(LOG))
    assert "Ada" not in shown(desk.get(LOG))


def test_the_log_costs_the_same_for_one_and_for_many(desk: Client, nine: Appointment) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as questions:
            desk.get(LOG)
        return len(questions)

    sent(nine)
    cost()
    few = cost()
    for _ in range(10):
        sent(nine)
    assert cost() == few
