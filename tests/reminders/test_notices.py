"""What is to be said once: codes, links and news of visits, and the messages that come of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ

from patients.models import OneTimeCode, Patient
from providers.models import Provider, VisitType
from reminders import tasks
from reminders.channels.memory import outbox
from reminders.kinds import Channel, NoticeKind, Standing
from reminders.models import Delivery, Notice
from reminders.notices import code_asked, is_own_act, link_asked, notice, of_visit
from scheduling import booking, links
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, at, next_monday, someone_at_the_desk

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime(2027, 6, 8, 16, tzinfo=UTC)  # a Tuesday, noon in New York
NIGHT = NOON + 12 * HOUR
THURSDAY_TWO = NOON + 2 * DAY + 2 * HOUR
Commit = Callable[..., AbstractContextManager[list[Callable[[], object]]]]
Book = Callable[..., Appointment]


@pytest.fixture
def book(
    provider: Provider,
    visit_type: VisitType,
    patient: Patient,
    django_capture_on_commit_callbacks: Commit,
) -> Book:
    """Book a visit at its own instant, and let the worker do its part."""

    def book(*, now: datetime = NOON, **more: Any) -> Appointment:
        values = {"provider": provider, "visit_type": visit_type, "patient": patient}
        with (
            time_machine.travel(now, tick=False),
            django_capture_on_commit_callbacks(execute=True),
        ):
            return AppointmentFactory.create(
                **({"start": THURSDAY_TWO, "now": now} | values | more)
            )

    return book


def test_a_booking_at_the_desk_brings_an_e_mail_with_a_link_that_works(
    book: Book, provider: Provider
) -> None:
    visit = book(reason="A rash")

    (message,) = mail.outbox
    assert message.to == [visit.patient.email]
    token = str(message.body).split("http://127.0.0.1:8000/v/")[1].split("/")[0]
    assert links.find(token, now=NOON).appointment == visit
    for fact in (visit.clinic.name, visit.patient.given_name, provider.name, visit.reference):
        assert fact in str(message.body)
    for secret in ("A rash", str(provider.specialty), visit.patient.family_name):
        assert secret not in f"{message.subject}{message.body}"


def test_a_patients_own_booking_is_told_at_night_too_and_the_desks_in_the_morning(
    book: Book,
) -> None:
    book(now=NIGHT, by=Actor.patient())
    assert len(mail.outbox) == 1
    book(now=NIGHT, start=THURSDAY_TWO + HOUR)
    assert len(mail.outbox) == 1
    waiting = Notice.objects.get(standing=Standing.PLANNED)
    assert waiting.due_at == NOON + 20 * HOUR  # eight o'clock
    with time_machine.travel(waiting.due_at + MINUTE, tick=False):
        tasks.remind()
    assert len(mail.outbox) == 2


def test_who_has_no_e_mail_is_told_by_text(book: Book, patient: Patient) -> None:
    patient.email, patient.phone, patient.phone_is_textable = "", "+12012340123", True
    patient.save()
    texts = len(outbox)
    visit = book()

    assert mail.outbox == []
    (text,) = outbox[texts:]
    assert text.message.to == "+12012340123"
    assert visit.clinic.sms_name in text.message.text


def test_who_has_neither_is_told_nothing_and_the_ledger_says_so(
    book: Book, patient: Patient
) -> None:
    patient.email, patient.phone = "", ""
    patient.save()
    book()

    assert mail.outbox == []
    assert {(row.channel, row.why) for row in Notice.objects.all()} == {
        ("EMAIL", "NO_EMAIL"),
        ("SMS", "NO_PHONE"),
    }
    assert not Delivery.objects.exists()


def test_a_visit_cancelled_before_it_was_told_of_is_not_told_of_as_booked(
    book: Book, django_capture_on_commit_callbacks: Commit
) -> None:
    visit = book(now=NIGHT)
    with (
        time_machine.travel(NIGHT + MINUTE, tick=False),
        django_capture_on_commit_callbacks(execute=True),
    ):
        booking.cancel(appointment=visit, reason="OTHER", by=Actor.patient(), now=NIGHT + MINUTE)
    with time_machine.travel(NOON + DAY, tick=False):
        tasks.remind()
    subjects = [str(message.subject) for message in mail.outbox]
    assert len(subjects) == 1
    assert "cancel" in subjects[0].lower()


def test_news_speak_the_patients_language(book: Book, patient: Patient) -> None:
    patient.language = "es-MX"
    patient.save()
    book()
    assert "jueves" in str(mail.outbox[0].body)


def test_the_desks_cancellation_is_told_when_it_is_final_and_not_if_it_was_undone(
    book: Book, django_capture_on_commit_callbacks: Commit
) -> None:
    first, second = book(), book(start=THURSDAY_TWO + HOUR)
    desk, sent = someone_at_the_desk(), len(mail.outbox)
    with (
        time_machine.travel(NOON + HOUR, tick=False),
        django_capture_on_commit_callbacks(execute=True),
    ):
        for visit in (first, second):
            booking.cancel(appointment=visit, reason="OTHER", by=desk, now=timezone.now())
    Appointment.objects.filter(pk=second.pk).update(undo_until=timezone.now() + 99 * 365 * DAY)
    with time_machine.travel(NOON + HOUR + 5 * MINUTE, tick=False):
        tasks.remind()
        assert len(mail.outbox) == sent
        second.refresh_from_db()
        booking.undo(appointment=second, by=desk, now=timezone.now())
    with time_machine.travel(NOON + HOUR + 11 * MINUTE, tick=False):
        tasks.remind()
    assert len(mail.outbox) == sent + 1
    told = Notice.objects.get(kind=NoticeKind.CANCELLED, standing=Standing.TAKEN)
    assert told.appointment == first


def test_a_notice_is_written_once_for_each_subject_and_channel(
    patient: Patient, now: datetime
) -> None:
    def tell(*channels: Channel) -> list[Notice]:
        return notice(
            kind=NoticeKind.REPLY,
            subject="text:1",
            channels=channels,
            clinic=patient.clinic,
            patient=patient,
            details={"text": "CONFIRMED"},
            due_at=now,
            not_after=now + HOUR,
        )

    assert [row.channel for row in tell(Channel.SMS)] == [Channel.SMS]
    assert [row.channel for row in tell(Channel.SMS, Channel.EMAIL)] == [Channel.EMAIL]
    assert Notice.objects.count() == 2


def test_the_worker_is_called_for_what_is_due_and_not_for_what_is_to_come(
    patient: Patient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Conf, "SYNC", False)
    for number, due_at in enumerate([now + HOUR, now]):
        notice(
            kind=NoticeKind.REPLY,
            subject=f"text:{number}",
            channels=[Channel.SMS],
            patient=patient,
            due_at=due_at,
            not_after=now + DAY,
        )
        assert OrmQ.objects.count() == number


def test_the_call_in_the_queue_is_one_that_the_queue_understands(
    patient: Patient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Conf, "SYNC", False)
    link_asked("22222222", ["00" * 32], channel="EMAIL", language="en")
    row = OrmQ.objects.get()
    assert (row.func(), row.key) == ("reminders.tasks.dispatch", Conf.CLUSTER_NAME)
    assert row.lock is not None and row.lock <= timezone.now()
    assert row.task["ack_failure"] is True


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_the_worker_finds_what_it_is_called_for() -> None:
    visit = AppointmentFactory.create(
        patient__phone="+12012340123", patient__phone_is_textable=True
    )
    links.ask_for_link(reference=visit.reference, contact="+12012340123", network="ab" * 32)
    assert [text.message.to for text in outbox] == ["+12012340123"]


@pytest.mark.parametrize(
    ("purpose", "kind"), [("SIGN_IN", "SIGN_IN_CODE"), ("BOOKING", "BOOKING_CODE")]
)
def test_a_code_may_be_sent_as_long_as_it_works(db: None, purpose: str, kind: str) -> None:
    code = OneTimeCode.objects.create(
        purpose=purpose,
        channel="SMS",
        contact="+12012340123",
        contact_index=b"x" * 32,
        browser_digest=b"y" * 32,
        expires_at=timezone.now() + 10 * MINUTE,
    )
    code_asked(code, language="es")
    row = Notice.objects.get()
    assert (row.kind, row.channel, row.language) == (kind, "SMS", "es")
    assert (row.code, row.not_after) == (code, code.expires_at)


def test_a_link_is_asked_for_anew_each_time(db: None) -> None:
    for _ in range(2):
        link_asked("22222222", ["00" * 32], channel="EMAIL", language="en")
    assert Notice.objects.filter(kind=NoticeKind.LINK).count() == 2


def test_only_what_patients_did_themselves_waits_for_no_morning() -> None:
    visit = Appointment(scheduled_start=at(next_monday(), "09:00"))
    own = of_visit(NoticeKind.MOVED, visit, by=Actor.patient(), due_at=NOON)
    theirs = of_visit(NoticeKind.MOVED, visit, by=Actor.staff(1), due_at=NOON)
    freed = of_visit(NoticeKind.RELEASED, visit, by=Actor.system("release"), due_at=NOON)
    assert [is_own_act(row) for row in (own, theirs, freed)] == [True, False, False]
    assert is_own_act(Notice(kind=NoticeKind.SIGN_IN_CODE, details={}))
    assert not is_own_act(Notice(kind=NoticeKind.OFFER, details={}))
