"""A video visit has a room that nobody can guess, open from 15 minutes before to 30 after."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic, Provider, Role, VisitType
from scheduling import booking, links, video
from scheduling.actors import Actor
from scheduling.models import Appointment
from scheduling.video import Door
from tests.factories import (
    AppointmentFactory,
    MembershipFactory,
    ProviderFactory,
    UserFactory,
    VisitTypeFactory,
    at,
    next_monday,
)

pytestmark = pytest.mark.django_db
BASE = "https://meet.example/riverside/"
MONDAY = next_monday(1)
START, END = at(MONDAY, "10:00"), at(MONDAY, "10:30")
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
OPENS, CLOSES = START - 15 * MINUTE, END + 30 * MINUTE
BEFORE = START - 3 * timedelta(days=1)


@pytest.fixture
def by_video(db: None) -> VisitType:
    return VisitTypeFactory.create(code="TELEHEALTH", is_telehealth=True)


@pytest.fixture
def visit(provider: Provider, patient: Patient, by_video: VisitType) -> Appointment:
    """Half an hour by video, next week's Monday at 10:00, at a clinic that has rooms."""
    Clinic.objects.filter(pk=provider.clinic_id).update(telehealth_base_url=BASE)
    provider.clinic.refresh_from_db()
    return AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=by_video, start=START, now=BEFORE
    )


@pytest.fixture
def account(visit: Appointment) -> User:
    """The account that opens the patient's record."""
    account = UserFactory.create(username="p-1", email="")
    Patient.objects.filter(pk=visit.patient_id).update(user=account)
    return account


def staff(user: User | None, clinic: Clinic, role: Role) -> Client:
    MembershipFactory.create(user=user, clinic=clinic, role=role)
    client = Client()
    assert user is not None
    client.force_login(user)
    return client


def again(visit: Appointment) -> Appointment:
    return Appointment.objects.select_related(*links.RELATED).get(pk=visit.pk)


def shown(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(unescape(text).split())


def join(account: User, visit: Appointment, moment: datetime, name: str = "portal:join") -> Any:
    """Sign in as the patient at a moment, and open a page of the visit."""
    with time_machine.travel(moment, tick=False):
        client = Client()
        client.force_login(account)
        return client.get(reverse(name, args=[visit.pk]))


def test_a_room_has_a_long_name_that_says_nothing(visit: Appointment) -> None:
    room = video.room_url(visit)
    assert room is not None
    name = room.removeprefix(BASE)
    assert re.fullmatch(r"[0-9a-f]{40}", name)  # 160 bits
    assert visit.reference not in room
    assert visit.pk.hex not in room


def test_a_room_is_the_same_whenever_it_is_asked_for(visit: Appointment) -> None:
    assert video.room_url(visit) == video.room_url(again(visit))


def test_each_visit_each_time_of_it_and_each_site_has_a_room_of_its_own(
    visit: Appointment, provider: Provider, by_video: VisitType, settings: Any
) -> None:
    other = AppointmentFactory.create(provider=provider, visit_type=by_video)
    rooms = {video.room_url(visit), video.room_url(other)}
    visit.sequence += 1
    rooms.add(video.room_url(visit))
    settings.SECRET_KEY = "another site's key, of more than fifty characters, as it must be"
    rooms.add(video.room_url(visit))
    assert len(rooms) == 4


@pytest.mark.parametrize("base", ["https://meet.example", "https://meet.example/"])
def test_the_address_of_the_clinic_may_end_with_a_slash(visit: Appointment, base: str) -> None:
    visit.clinic.telehealth_base_url = base
    room = video.room_url(visit)
    assert room is not None
    assert re.fullmatch(r"https://meet\.example/[0-9a-f]{40}", room)


@pytest.mark.parametrize(
    ("moment", "standing"),
    [
        (OPENS - SECOND, Door.EARLY),
        (OPENS, Door.OPEN),
        (START, Door.OPEN),
        (CLOSES - SECOND, Door.OPEN),
        (CLOSES, Door.OVER),
    ],
)
def test_the_room_opens_15_minutes_before_and_closes_30_after(
    visit: Appointment, moment: datetime, standing: Door
) -> None:
    assert video.door(visit, now=moment) is standing


@pytest.mark.parametrize("base", ["", "http://meet.example", "ftp://meet.example", "meet.example"])
def test_a_place_without_tls_is_no_place(visit: Appointment, base: str) -> None:
    visit.clinic.telehealth_base_url = base
    assert video.room_url(visit) is None
    assert video.door(visit, now=START) is Door.NO_ROOM


def test_a_visit_that_is_over_cancelled_or_not_by_video_has_no_open_door(
    visit: Appointment, visit_type: VisitType, desk: Actor
) -> None:
    visit.appointment_type = visit_type
    assert video.door(visit, now=START) is Door.NO_VIDEO
    visit = again(visit)
    visit.clinic.telehealth_base_url = ""
    assert video.door(visit, now=START) is Door.NO_ROOM
    done = booking.complete(appointment=again(visit), by=desk, now=START + MINUTE)
    assert video.door(done, now=START + 2 * MINUTE) is Door.OVER


@pytest.mark.parametrize("moment", [OPENS, START, CLOSES - SECOND])
def test_the_patient_is_led_into_the_room_while_it_is_open(
    visit: Appointment, account: User, moment: datetime
) -> None:
    answer = join(account, visit, moment)
    assert answer.status_code == 302
    assert answer["Location"] == video.room_url(visit)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"


def test_before_that_the_page_says_when_it_opens(visit: Appointment, account: User) -> None:
    answer = join(account, visit, OPENS - SECOND)
    assert answer.status_code == 200
    text = shown(answer)
    assert "Your video visit has not started yet" in text
    assert "The room opens at 9:45\xa0am" in text.replace("9:45 am", "9:45\xa0am")
    assert "meet.example" not in answer.content.decode()


def test_afterwards_the_page_says_that_it_is_over(visit: Appointment, account: User) -> None:
    answer = join(account, visit, CLOSES)
    assert "This video visit is over" in shown(answer)
    assert "meet.example" not in answer.content.decode()


def test_a_cancelled_visit_has_no_room(visit: Appointment, account: User, desk: Actor) -> None:
    booking.cancel(appointment=visit, reason="OTHER", by=desk, now=BEFORE)
    assert "There is no video visit to join" in shown(join(account, visit, START))


def test_a_clinic_without_rooms_asks_to_be_called(visit: Appointment, account: User) -> None:
    Clinic.objects.filter(pk=visit.clinic_id).update(telehealth_base_url="")
    assert "Call the clinic to join" in shown(join(account, visit, START))


def test_a_visit_at_the_clinic_is_no_video_visit(
    visit: Appointment, account: User, visit_type: VisitType
) -> None:
    Appointment.objects.filter(pk=visit.pk).update(appointment_type=visit_type)
    assert "This is not a video visit" in shown(join(account, visit, START))


def test_the_link_of_a_message_leads_to_the_room_and_leaves_the_address(
    visit: Appointment, settings: Any
) -> None:
    token = links.issue(visit, now=BEFORE)
    address = video.join_url(visit, token)
    assert address == f"{settings.SITE_URL}/v/{token}/join/"
    with time_machine.travel(START, tick=False):
        client = Client()
        taken = client.get(f"/v/{token}/join/")
        assert taken["Location"] == f"/visit/{visit.pk}/join/"
        assert taken["Referrer-Policy"] == "no-referrer"
        assert client.get(taken["Location"])["Location"] == video.room_url(visit)


def test_a_link_that_ended_opens_no_room(visit: Appointment) -> None:
    answer = Client().get("/v/a-token-that-ended/join/")
    assert answer.status_code == 404
    assert "This link does not work" in shown(answer)


def test_strangers_are_asked_to_sign_in_and_other_patients_find_nothing(
    visit: Appointment,
) -> None:
    address = reverse("portal:join", args=[visit.pk])
    assert Client().get(address)["Location"].startswith(reverse("portal:sign_in"))
    other = Client()
    other.force_login(UserFactory.create())
    assert other.get(address).status_code == 404


def test_the_visits_page_has_the_button_when_the_room_is_open(
    visit: Appointment, account: User
) -> None:
    early = join(account, visit, OPENS - SECOND, "portal:manage").content.decode()
    assert "You can join it here from" in early
    address = reverse("portal:join", args=[visit.pk])
    assert address not in early
    assert address in join(account, visit, OPENS, "portal:manage").content.decode()


def test_the_provider_meets_the_patient_in_the_same_room(
    visit: Appointment, provider: Provider, account: User
) -> None:
    with time_machine.travel(START, tick=False):
        client = staff(provider.user, provider.clinic, Role.PROVIDER)
        answer = client.get(reverse("provider:join", args=[visit.pk]))
    assert answer.status_code == 302
    assert answer["Location"] == join(account, visit, START)["Location"]
    assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("moment", "words"),
    [(OPENS - SECOND, "The room opens 15 minutes before"), (CLOSES, "The room is closed")],
)
def test_the_provider_is_told_when_the_room_opens_and_closes(
    visit: Appointment, provider: Provider, moment: datetime, words: str
) -> None:
    with time_machine.travel(moment, tick=False):
        client = staff(provider.user, provider.clinic, Role.PROVIDER)
        answer = client.get(reverse("provider:join", args=[visit.pk]))
    assert words in shown(answer)
    assert "meet.example" not in answer.content.decode()


def test_no_colleague_and_nobody_at_the_desk_is_led_into_the_room(
    visit: Appointment, clinic: Clinic
) -> None:
    address = reverse("provider:join", args=[visit.pk])
    with time_machine.travel(START, tick=False):
        colleague = ProviderFactory.create(clinic=clinic)
        assert staff(colleague.user, clinic, Role.PROVIDER).get(address).status_code == 404
        desk = staff(UserFactory.create(), clinic, Role.RECEPTIONIST)
        assert desk.get(address).status_code == 404
        nothing = reverse("provider:join", args=[uuid4()])
        assert staff(colleague.user, clinic, Role.RECEPTIONIST).get(nothing).status_code == 404
