"""Messages to and from the record system: narrowed, explained, tried again, and dropped."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from emr.kinds import Arrival, State, Why
from emr.models import EMRConnection, InboundMessage, OutboundMessage
from emr.views import desk_messages
from patients.models import AuditEntry
from providers.models import Clinic
from scheduling.models import Appointment
from tests.emr.views.asking import cost
from tests.factories.emr import EMRConnectionFactory
from tests.factories.emr_work import arrival_of, message_of

MESSAGES = reverse("emr:messages")


def listed(client: Client, query: str = "") -> str:
    answer = client.get(MESSAGES + query)
    assert answer.status_code == 200
    return answer.content.decode().partition("<h1>")[2]


@pytest.fixture
def dead(visit: Appointment, connection: EMRConnection) -> OutboundMessage:
    return message_of(visit, connection)


@pytest.fixture
def lost(connection: EMRConnection) -> InboundMessage:
    return arrival_of(connection)


def test_the_list_begins_with_what_needs_somebody_and_says_why(
    desk: Client, dead: OutboundMessage, visit: Appointment, connection: EMRConnection
) -> None:
    message_of(visit, connection, act="MOVE", state=State.QUEUED.value, why="", codes=[])
    page = listed(desk)
    assert "The record system has no open slot there." in page
    assert "Visit booked" in page
    assert "Visit moved" not in page
    assert "Visit moved" in listed(desk, "?state=waiting")
    assert {"Visit moved", "Visit booked"} <= set(_whats(listed(desk, "?state=all")))


def _whats(page: str) -> list[str]:
    return [part.partition("</a>")[0] for part in page.split('/">')]


def test_messages_of_one_visit_or_one_system_are_picked_out(
    desk: Client, dead: OutboundMessage, clinic: Clinic, visit: Appointment
) -> None:
    other = EMRConnectionFactory.create(clinic=clinic, name="Lab")
    assert "Ada Moreno" in listed(desk, f"?visit={visit.pk}")
    assert "Ada Moreno" not in listed(desk, f"?visit={uuid4()}")
    assert "Ada Moreno" in listed(desk, f"?connection={dead.connection_id}")
    assert "Ada Moreno" not in listed(desk, f"?connection={other.pk}")


@pytest.mark.parametrize("query", ["?state=nonsense", "?connection=7", "?way=sideways"])
def test_a_filter_that_is_none_is_said_to_be_wrong(query: str, desk: Client) -> None:
    assert desk.get(MESSAGES + query).status_code == 400


def test_a_cursor_that_was_not_made_here_is_no_page(desk: Client) -> None:
    assert desk.get(f"{MESSAGES}?before=yesterday").status_code == 404


def test_pages_show_every_message_once(
    desk: Client, visit: Appointment, connection: EMRConnection
) -> None:
    made = {str(message_of(visit, connection, version=n).pk) for n in range(1, 121)}
    seen: list[str] = []
    address = MESSAGES
    while address:
        answer = desk.get(address)
        seen += [str(row.message.pk) for row in answer.context["rows"]]
        later = answer.context["later_href"]
        address = MESSAGES + later if later else ""
    assert len(seen) == len(set(seen)) == 120
    assert set(seen) == made


def test_one_message_says_what_helps_and_names_the_codes(
    desk: Client, dead: OutboundMessage
) -> None:
    page = desk.get(reverse("emr:message", args=[dead.pk])).content.decode()
    for words in ("Open a slot there and try again", "422, business-rule", "Ada Moreno"):
        assert words in page


def test_a_message_is_tried_again_and_the_record_says_by_whom(
    desk: Client, dead: OutboundMessage, receptionist: User
) -> None:
    again = reverse("emr:message_replay", args=[dead.pk])
    assert desk.post(again).status_code == 302
    dead.refresh_from_db()
    assert (dead.state, dead.why, dead.attempts) == (State.QUEUED, "", 0)
    changes = AuditEntry.objects.filter(object_pk=str(dead.pk), actor=receptionist)
    assert changes.exists()
    assert desk.post(again).status_code == 302, "twice is once"


def test_all_of_one_reason_are_tried_again_and_no_others(
    desk: Client, dead: OutboundMessage, visit: Appointment, connection: EMRConnection
) -> None:
    same = message_of(visit, connection, version=7)
    other = message_of(visit, connection, version=8, why=Why.NO_CODE.value)
    assert "2 messages" in listed(desk)
    told = {"connection": str(connection.pk), "why": Why.NO_SLOT.value}
    assert desk.post(reverse("emr:replay_all"), told).status_code == 302
    states = OutboundMessage.objects.in_bulk([dead.pk, same.pk, other.pk])
    assert states[dead.pk].state == states[same.pk].state == State.QUEUED
    assert states[other.pk].state == State.DEAD


def test_all_of_a_reason_at_another_clinic_are_no_ones_here(
    desk: Client, elsewhere: Appointment
) -> None:
    there = EMRConnection.objects.get(clinic=elsewhere.clinic)
    stranger = message_of(elsewhere, there)
    told = {"connection": str(there.pk), "why": Why.NO_SLOT.value}
    assert desk.post(reverse("emr:replay_all"), told).status_code == 404
    stranger.refresh_from_db()
    assert stranger.state == State.DEAD


def test_more_than_can_be_tried_at_once_are_tried_in_turns(
    desk: Client, visit: Appointment, connection: EMRConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_messages, "MOST_AT_ONCE", 2)
    for version in range(1, 4):
        message_of(visit, connection, version=version)
    desk.post(
        reverse("emr:replay_all"), {"connection": str(connection.pk), "why": Why.NO_SLOT.value}
    )
    assert OutboundMessage.objects.filter(state=State.DEAD.value).count() == 1


def test_a_message_is_dropped_only_after_a_question(desk: Client, dead: OutboundMessage) -> None:
    drop = reverse("emr:message_drop", args=[dead.pk])
    assert "Do not send it?" in desk.get(drop).content.decode()
    dead.refresh_from_db()
    assert dead.state == State.DEAD
    assert desk.post(drop).status_code == 302
    dead.refresh_from_db()
    assert (dead.state, dead.why) == (State.SKIPPED, Why.BY_HAND)
    assert desk.get(drop).status_code == 302, "there is nothing left to drop"


def test_what_was_not_understood_is_listed_and_read_again(
    desk: Client, lost: InboundMessage, jobs_wait: None
) -> None:
    assert "Visit" in listed(desk, "?way=received")
    assert (
        "nothing was changed here"
        in desk.get(reverse("emr:arrival", args=[lost.pk])).content.decode()
    )
    desk.post(reverse("emr:arrival_act", args=[lost.pk, "again"]))
    lost.refresh_from_db()
    assert (lost.state, lost.attempts, lost.codes) == (Arrival.RECEIVED, 0, [])


def test_what_was_not_understood_can_be_left_alone(desk: Client, lost: InboundMessage) -> None:
    leave = reverse("emr:arrival_act", args=[lost.pk, "leave"])
    desk.post(leave)
    lost.refresh_from_db()
    assert lost.state == Arrival.IGNORED
    assert desk.post(leave).status_code == 302
    assert desk.post(reverse("emr:arrival_act", args=[lost.pk, "burn"])).status_code == 404


@pytest.mark.parametrize("name", ["message", "message_replay", "message_drop"])
def test_another_clinics_message_is_not_there(
    name: str, desk: Client, elsewhere: Appointment
) -> None:
    there = EMRConnection.objects.get(clinic=elsewhere.clinic)
    stranger = message_of(elsewhere, there)
    address = reverse(f"emr:{name}", args=[stranger.pk])
    ask: Any = desk.post if name != "message" else desk.get
    assert ask(address).status_code == 404
    stranger.refresh_from_db()
    assert stranger.state == State.DEAD


def test_the_list_asks_as_much_for_twenty_as_for_two(
    desk: Client, visit: Appointment, connection: EMRConnection
) -> None:
    for version in (1, 2):
        message_of(visit, connection, version=version)
    few = cost(desk, MESSAGES)
    for version in range(3, 21):
        message_of(visit, connection, version=version)
    assert cost(desk, MESSAGES) == few
