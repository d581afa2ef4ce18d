"""How far a link reaches: a new session key, an end with the address, and an end with silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from patients.registration import Details, stamp_of, update_details
from scheduling import links
from scheduling.links import LinkEnded
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, UserFactory
from tests.patients.privacy.staff_sign_in import later

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit() -> Appointment:
    visit: Appointment = AppointmentFactory.create(patient__email="ada@mail.example")
    return visit


def opened(client: Client, visit: Appointment, now: datetime) -> str:
    """Open a visit's link in a browser; return the visit's page."""
    client.get(reverse("portal:link", args=[links.issue(visit, now=now)]))
    return reverse("portal:manage", args=[visit.pk])


def test_a_link_gives_the_browser_a_new_session_key(
    client: Client, visit: Appointment, now: datetime
) -> None:
    client.get(reverse("portal:sign_in"))
    client.post(reverse("portal:sign_in"), {"contact": "x@mail.example"})
    before = client.session.session_key
    assert before
    page = opened(client, visit, now)

    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert client.get(page).status_code == 200
    assert "browser" in client.session


def test_a_key_that_somebody_planted_does_not_grow_with_the_link(
    client: Client, visit: Appointment, now: datetime
) -> None:
    thief = Client()
    thief.post(reverse("portal:sign_in"), {"contact": "x@mail.example"})
    client.cookies["sessionid"] = thief.cookies["sessionid"].value
    page = opened(client, visit, now)

    assert client.get(page).status_code == 200
    assert thief.get(page).status_code == 302


def test_the_same_link_twice_keeps_the_key(
    client: Client, visit: Appointment, now: datetime
) -> None:
    token = links.issue(visit, now=now)
    client.get(reverse("portal:link", args=[token]))
    key = client.session.session_key
    client.get(reverse("portal:link", args=[token]))
    assert client.session.session_key == key


def test_a_signed_in_patients_session_stays_on_their_list(
    client: Client, visit: Appointment, now: datetime
) -> None:
    account = UserFactory.create(username="p-ada", email="")
    visit.patient.user = account
    visit.patient.save()
    client.force_login(account)
    opened(client, AppointmentFactory.create(), now)
    assert b"This one" in client.get(reverse("portal:sessions")).content


def test_a_changed_address_ends_what_the_old_one_could_open(
    client: Client, visit: Appointment, now: datetime
) -> None:
    token = links.issue(visit, now=now)
    page, patient = opened(client, visit, now), visit.patient
    assert client.get(page).status_code == 200
    other = AppointmentFactory.create()
    theirs = links.issue(other, now=now)

    told = replace(Details.of(patient), email="ada@elsewhere.example")
    update_details(patient=patient, details=told, seen=stamp_of(patient))

    assert client.get(page).status_code == 302
    with pytest.raises(LinkEnded):
        links.find(token, now=datetime.now(now.tzinfo))
    links.find(theirs, now=now)


def test_another_town_ends_no_link(visit: Appointment, now: datetime) -> None:
    token, patient = links.issue(visit, now=now), visit.patient
    told = replace(Details.of(patient), city="Albany")
    update_details(patient=patient, details=told, seen=stamp_of(patient))
    links.find(token, now=now)


def test_a_browser_left_alone_reaches_nothing_by_its_links(
    client: Client, visit: Appointment, now: datetime
) -> None:
    page = opened(client, visit, now)
    with later(minutes=14):
        assert client.get(page).status_code == 200
    with later(minutes=28):
        assert client.get(page).status_code == 200
    with later(minutes=44):
        assert client.get(page).status_code == 302
        assert "visit_links" not in client.session
        opened(client, visit, now)
        assert client.get(page).status_code == 200
