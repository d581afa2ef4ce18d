from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail

from patients.crypto import token_digest
from patients.throttle import TooManyRequests
from reminders.channels.memory import outbox
from reminders.models import Notice
from scheduling import booking, links
from scheduling.actors import Actor
from scheduling.links import LinkEnded
from scheduling.models import Appointment, ManageLink
from tests.factories import AppointmentFactory, MembershipFactory, UserFactory, at, next_monday

DAY = timedelta(days=1)
NOBODY = AnonymousUser()
Commit = Callable[..., AbstractContextManager[list[Callable[[], object]]]]


@pytest.fixture
def visit(db: None) -> Appointment:
    return AppointmentFactory.create()


@pytest.fixture
def session(db: None) -> SessionStore:
    return SessionStore()


def test_a_token_opens_its_own_visit(visit: Appointment, now: datetime) -> None:
    token = links.issue(visit, now=now)

    assert links.find(token, now=now).appointment == visit


def test_only_a_digest_of_the_token_is_kept(visit: Appointment, now: datetime) -> None:
    token = links.issue(visit, now=now)

    kept = bytes(ManageLink.objects.get().token_digest)
    assert kept == token_digest(token)
    assert token.encode() not in kept
    assert len(token) == 22


@pytest.mark.parametrize("token", ["", "nothing", "\x00", "x" * 5000, "é"])
def test_other_tokens_open_nothing(visit: Appointment, now: datetime, token: str) -> None:
    links.issue(visit, now=now)

    with pytest.raises(LinkEnded):
        links.find(token, now=now)


def test_a_link_ends_a_day_after_the_visit(visit: Appointment, now: datetime) -> None:
    token = links.issue(visit, now=now)
    end = visit.scheduled_end + DAY

    links.find(token, now=end - timedelta(seconds=1))
    with pytest.raises(LinkEnded):
        links.find(token, now=end)


def test_a_link_follows_its_visit_to_a_later_day(visit: Appointment, now: datetime) -> None:
    token = links.issue(visit, now=now)

    moved = booking.reschedule(
        appointment=visit,
        start=visit.scheduled_start + 7 * DAY,
        by=Actor.staff(UserFactory.create().pk),
        now=now,
    )

    links.find(token, now=moved.scheduled_end + 0.9 * DAY)


def test_a_browser_reaches_what_it_was_admitted_to_and_nothing_else(
    visit: Appointment, session: SessionStore, now: datetime
) -> None:
    AppointmentFactory.create()
    links.admit(session, links.find(links.issue(visit, now=now), now=now))

    assert list(links.within_reach(session, NOBODY, now=now)) == [visit]
    assert list(links.within_reach(SessionStore(), NOBODY, now=now)) == []


def test_a_browser_is_shut_out_when_the_link_ends(
    visit: Appointment, session: SessionStore, now: datetime
) -> None:
    links.grant(session, visit, now=now)
    assert links.within_reach(session, NOBODY, now=now).exists()

    ManageLink.objects.update(expires_at=now)
    assert not links.within_reach(session, NOBODY, now=now).exists()


def test_patients_reach_their_own_visits_and_staff_none(
    visit: Appointment, session: SessionStore, now: datetime
) -> None:
    owner, stranger = UserFactory.create(), UserFactory.create()
    desk = MembershipFactory.create(clinic=visit.clinic).user
    visit.patient.user = owner
    visit.patient.save()

    reached = [list(links.within_reach(session, user, now=now)) for user in (owner, stranger, desk)]
    assert reached == [[visit], [], []]


def test_a_session_keeps_the_last_twenty_links(
    visit: Appointment, session: SessionStore, now: datetime
) -> None:
    for _ in range(22):
        links.grant(session, visit, now=now)

    assert len(session[links.SESSION_KEY]) == 20


@pytest.fixture
def lose(django_capture_on_commit_callbacks: Commit) -> Callable[..., list[Callable[[], object]]]:
    def lose(reference: str, contact: str) -> list[Callable[[], object]]:
        with django_capture_on_commit_callbacks(execute=True) as due:
            links.ask_for_link(reference=reference, contact=contact, network="ab" * 32)
        return due

    return lose


def test_reference_and_address_together_bring_a_new_link(
    visit: Appointment, lose: Callable[..., object], now: datetime
) -> None:
    lose(visit.reference, visit.patient.email)

    assert mail.outbox[0].to == [visit.patient.email]
    assert "/v/" in mail.outbox[0].body


def test_reference_or_address_alone_bring_nothing_and_look_the_same(
    visit: Appointment, lose: Callable[..., list[Callable[[], object]]]
) -> None:
    other = AppointmentFactory.create()

    queued = [
        lose(visit.reference, other.patient.email),
        lose(visit.reference, "nobody@mail.example"),
        lose("22222222", visit.patient.email),
    ]

    assert [len(due) for due in queued] == [1, 1, 1]
    assert mail.outbox == []


def test_a_number_on_file_brings_a_new_link_by_text(
    visit: Appointment, lose: Callable[..., object], now: datetime
) -> None:
    visit.patient.phone, visit.patient.phone_is_textable = "+12012340123", True
    visit.patient.save()
    texts = len(outbox)
    lose(visit.reference, "+12012340123")
    lose(visit.reference, "+12012340124")

    (text,) = outbox[texts:]
    assert text.message.to == "+12012340123"
    token = text.message.text.split("/v/")[1].split("/")[0]
    assert links.find(token, now=now).appointment == visit


def test_no_contact_stands_in_what_the_worker_is_given(
    visit: Appointment, lose: Callable[..., list[Callable[[], object]]]
) -> None:
    (due,) = lose(visit.reference, visit.patient.email)

    asked = Notice.objects.filter(kind="LINK").values()
    assert visit.patient.email not in f"{due}{asked}"
    assert asked[0]["details"]["reference"] == visit.reference


def test_a_visit_long_past_brings_no_new_link(lose: Callable[..., object], db: None) -> None:
    past = AppointmentFactory.create(start=at(next_monday(-3), "09:00"))

    lose(past.reference, past.patient.email)

    assert mail.outbox == []


def test_asking_for_links_is_throttled_by_contact(
    visit: Appointment, lose: Callable[..., object]
) -> None:
    for _ in range(5):
        lose("22222222", "nobody@mail.example")

    with pytest.raises(TooManyRequests):
        lose("22222222", "nobody@mail.example")
    lose(visit.reference, visit.patient.email)
