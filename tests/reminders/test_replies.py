"""What patients text does what it says, once, where only one thing can be meant."""

from __future__ import annotations

from datetime import datetime
from threading import Barrier, Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from django.test import override_settings
from django.utils import timezone

from patients.looks import Look, looking
from providers.models import Provider
from reminders import replies, suppressions, tasks
from reminders.asked import visits_asked
from reminders.channels import registry
from reminders.channels.memory import outbox
from reminders.kinds import CallReason, Channel, Kind, Meaning, State
from reminders.models import CallItem, ConsentChange, Delivery, InboundText, Notice, Suppression
from scheduling import booking
from scheduling.actors import Actor, ActorKind
from scheduling.errors import Stale
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, at, next_monday
from tests.reminders.texting import (
    NUMBER,
    OTHER_NUMBER,
    answers,
    asked_visit,
    later,
    status,
    text,
    texted,
    visit_of,
)

pytestmark = pytest.mark.django_db
CONFIRMED, SCHEDULED = "CONFIRMED", "SCHEDULED"


def suppressed(number: str = NUMBER) -> bool:
    return suppressions.is_suppressed(channel=Channel.SMS, recipient=number)


def consents() -> list[tuple[bool, str]]:
    return list(ConsentChange.objects.order_by("id").values_list("given", "source"))


def test_yes_confirms_the_one_visit_that_was_asked_about() -> None:
    visit = asked_visit()
    row = text("Yes!")
    assert status(visit) == CONFIRMED
    event = visit.events.get(kind="CONFIRM")
    assert (event.by_kind, event.by_user) == (ActorKind.PATIENT, None)
    assert answers() == [("CONFIRMED", visit)]
    assert (row.meaning, row.needs_staff) == (Meaning.CONFIRM, False)
    assert (row.patient, row.appointment, row.clinic) == (visit.patient, visit, visit.clinic)


@pytest.mark.parametrize("kind", [Kind.REQUEST, Kind.FOLLOW_UP, Kind.REMINDER])
@pytest.mark.parametrize("state", [State.SENDING, State.SENT, State.DELIVERED, State.UNKNOWN])
def test_every_text_that_asks_and_may_have_come_can_be_answered(kind: Kind, state: State) -> None:
    visit = visit_of()
    texted(visit, kind, state)
    text("1")
    assert status(visit) == CONFIRMED


@pytest.mark.parametrize(
    "asked",
    [
        {"state": State.FAILED},
        {"state": State.QUEUED},
        {"kind": Kind.JOIN},
        {"to": OTHER_NUMBER},
        {"channel": Channel.EMAIL},
    ],
    ids=["failed", "not yet sent", "did not ask", "went to another number", "an e-mail"],
)
def test_yes_to_nothing_confirms_nothing_and_is_read_by_staff(asked: dict[str, Any]) -> None:
    visit = visit_of()
    texted(visit, **asked)
    row = text("YES")
    assert status(visit) == SCHEDULED
    assert row.needs_staff
    assert [words for words, _visit in answers()] == ["UNCLEAR"]


def test_yes_from_a_number_that_is_no_longer_on_file_confirms_nothing() -> None:
    visit = asked_visit()
    visit.patient.phone = OTHER_NUMBER
    visit.patient.save(update_fields=["phone"])
    row = text("YES")
    assert status(visit) == SCHEDULED
    assert (row.patient, row.appointment, row.needs_staff) == (None, None, True)
    assert row.clinic == visit.clinic  # who last wrote there
    assert answers() == []


def test_yes_to_the_time_before_a_move_confirms_nothing(provider: Provider) -> None:
    visit = asked_visit(provider=provider, start=at(next_monday(2), "10:00"))
    moved = booking.reschedule(
        appointment=visit,
        provider=provider,
        clinic=visit.clinic,
        start=at(next_monday(6), "10:00"),
        by=Actor.patient(),
        now=timezone.now(),
    )
    assert text("YES").needs_staff
    assert status(visit) == SCHEDULED
    texted(moved)
    text("YES")
    assert status(visit) == CONFIRMED


def test_yes_to_a_cancelled_visit_does_not_bring_it_back(now: datetime) -> None:
    visit = asked_visit()
    booking.cancel(appointment=visit, reason="PATIENT_REQUEST", by=Actor.patient(), now=now)
    assert text("YES").needs_staff
    assert status(visit) == "CANCELLED"


def test_yes_after_the_visit_began_confirms_nothing() -> None:
    visit = asked_visit()
    assert text("YES", now=later(visit)).needs_staff
    assert status(visit) == SCHEDULED


def test_yes_twice_is_answered_kindly(provider: Provider) -> None:
    visit = asked_visit(provider=provider)
    text("YES")
    assert not text("yes").needs_staff
    assert answers() == [("CONFIRMED", visit), ("ALREADY", visit)]
    assert visit.events.filter(kind="CONFIRM").count() == 1


def test_on_a_shared_number_yes_acts_when_one_request_is_open(provider: Provider) -> None:
    """A family of two: the other's visit was never asked about, or is confirmed already."""
    mine, theirs = asked_visit(provider=provider), visit_of(provider=provider)
    row = text("YES")
    assert (status(mine), status(theirs)) == (CONFIRMED, SCHEDULED)
    assert row.patient is None  # whose words they are, nobody knows
    assert row.appointment == mine
    texted(theirs)
    text("YES")
    assert status(theirs) == CONFIRMED


def test_on_a_shared_number_yes_to_two_requests_confirms_neither(provider: Provider) -> None:
    first = asked_visit(provider=provider, start=at(next_monday(2), "09:00"))
    second = asked_visit(provider=provider, start=at(next_monday(2), "10:00"))
    row = text("SI")
    assert (status(first), status(second)) == (SCHEDULED, SCHEDULED)
    assert answers() == [("SEVERAL", first)]
    assert not row.needs_staff


def test_two_visits_of_one_patient_are_as_two_patients(provider: Provider) -> None:
    first = asked_visit(provider=provider, start=at(next_monday(3), "09:00"))
    second = AppointmentFactory.create(
        provider=provider, patient=first.patient, start=at(next_monday(3), "11:00")
    )
    texted(second)
    text("1")
    assert (status(first), status(second)) == (SCHEDULED, SCHEDULED)
    assert answers() == [("SEVERAL", first)]


def test_a_visit_that_somebody_changed_that_moment_is_left_to_staff(
    monkeypatch: pytest.MonkeyPatch, desk: Actor, now: datetime
) -> None:
    """The desk cancels between the look and the act: the row decides, and staff read the text."""
    visit = asked_visit()
    look = visits_asked

    def then_cancel(number: str, **more: Any) -> Any:
        found = look(number, **more)
        booking.cancel(appointment=visit, reason="OTHER", by=desk, now=now)
        return found

    monkeypatch.setattr(replies, "visits_asked", then_cancel)
    row = text("YES")
    assert status(visit) == "CANCELLED"
    assert row.needs_staff
    assert answers() == []


def test_what_fails_halfway_stays_for_staff(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away in the middle: the vendor is told, and the text waits in the inbox."""
    visit, sid = asked_visit(), f"SM{77:032x}"

    def gone(**_more: Any) -> Any:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(booking, "confirm", gone)
        with pytest.raises(ConnectionError):
            text("YES", sid=sid)
    assert InboundText.objects.waiting().get().appointment == visit
    assert text("YES", sid=sid).needs_staff
    assert InboundText.objects.count() == 1


def test_a_text_is_taken_once() -> None:
    visit, sid = asked_visit(), f"SM{7:032x}"
    first, again = text("YES", sid=sid), text("STOP", sid=sid)
    assert (first.pk, again.body) == (again.pk, "YES")
    assert InboundText.objects.count() == Notice.objects.filter(kind="REPLY").count() == 1
    assert status(visit) == CONFIRMED
    assert not suppressed()


@pytest.mark.django_db(transaction=True)
def test_a_text_that_comes_five_times_at_once_is_taken_once() -> None:
    visit, sid, barrier = asked_visit(), f"SM{8:032x}", Barrier(5)
    taken, failed = list[InboundText](), list[BaseException]()

    def one() -> None:
        barrier.wait()
        try:
            taken.append(text("YES", sid=sid))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({row.pk for row in taken}) == 1
    assert visit.events.filter(kind="CONFIRM").count() == 1
    assert answers() == [("CONFIRMED", visit)]
    assert not InboundText.objects.waiting().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "said", "has_link"),
    [("YES", "confirmed", False), ("2", "change", True), ("Hello?", "read", False)],
)
def test_an_answer_goes_to_the_number_that_asked(words: str, said: str, has_link: bool) -> None:
    """Through the ledger and a real way out, at any hour, to a number on file as no mobile."""
    visit = asked_visit()
    before = len(outbox)
    text(words)
    tasks.dispatch()
    (kept,) = [one for one in outbox[before:] if one.channel is Channel.SMS]
    assert kept.message.to == NUMBER
    assert said in kept.message.text.lower()
    assert ("/v/" in kept.message.text) == has_link
    sent = Delivery.objects.get(pk=kept.message.marker)
    assert (sent.patient, sent.is_automated, sent.kinds) == (visit.patient, False, ["REPLY"])


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_waits_is_not_sent_after_a_stop() -> None:
    asked_visit()
    with override_settings(CHANNELS={**settings.CHANNELS, "SMS": registry.OFF}):
        text("2")
    Notice.objects.filter(kind="REPLY").update(standing="PLANNED", why="", delivery=None)
    text("STOP")
    before = len(outbox)
    tasks.dispatch()
    assert outbox[before:] == []
    assert Notice.objects.get(kind="REPLY").why == "SUPPRESSED"


def test_another_fault_of_the_database_is_no_known_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_more: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(replies, "_stop_or_start", refuse)
    with pytest.raises(IntegrityError):
        text("STOP")


@pytest.mark.parametrize("word", ["2", "change", "Cambiar"])
def test_change_sends_the_link_to_the_visit(word: str) -> None:
    visit = asked_visit()
    assert not text(word).needs_staff
    assert answers() == [("LINK", visit)]
    assert status(visit) == SCHEDULED


def test_change_without_a_question_is_about_the_next_visit(provider: Provider) -> None:
    nearest = visit_of(provider=provider, start=at(next_monday(1), "09:00"))
    AppointmentFactory.create(
        provider=provider, patient=nearest.patient, start=at(next_monday(2), "09:00")
    )
    text("CHANGE")
    assert answers() == [("LINK", nearest)]


def test_change_from_a_family_without_a_question_is_read_by_staff(provider: Provider) -> None:
    visit_of(provider=provider)
    visit_of(provider=provider)
    assert text("CHANGE").needs_staff
    assert answers() == []


def test_change_from_a_stranger_is_read_by_staff() -> None:
    assert text("CHANGE", sender=OTHER_NUMBER).needs_staff
    assert answers() == []


@pytest.mark.parametrize("word", ["STOP", "stopall", "Unsubscribe", "CANCEL", "end.", "Quit"])
def test_stop_suppresses_the_number_and_is_not_answered(word: str) -> None:
    patient = PatientFactory.create(phone=NUMBER)
    row = text(word)
    assert suppressed()
    assert Suppression.objects.get().cause == Suppression.Cause.STOP
    assert consents() == [(False, "REPLY")]
    assert ConsentChange.objects.get().patient == patient
    assert answers() == []
    assert (row.meaning, row.needs_staff) == (Meaning.STOP, False)


def test_stop_is_everybodys_who_has_the_number_and_counts_once() -> None:
    people = {PatientFactory.create(phone=NUMBER).pk for _ in range(2)}
    text("STOP")
    text("STOP")
    assert {row.patient_id for row in ConsentChange.objects.all()} == people
    assert ConsentChange.objects.count() == 2


def test_stop_from_a_stranger_counts_as_well() -> None:
    text("STOP", sender=OTHER_NUMBER)
    assert suppressed(OTHER_NUMBER)
    assert not suppressed()


def test_only_start_lifts_a_stop_and_yes_never_does() -> None:
    asked_visit()
    text("STOP")
    for word in ("YES", "1", "SI", "CHANGE", "please start", "start?"):
        text(word)
        assert suppressed()
    text("Unstop")
    assert not suppressed()
    assert consents() == [(False, "REPLY"), (True, "REPLY")]


def test_yes_from_a_number_that_said_stop_confirms_and_is_not_answered() -> None:
    visit = asked_visit()
    text("STOP")
    text("YES")
    assert status(visit) == CONFIRMED
    assert answers() == []


def test_stop_after_a_request_has_the_desk_call(provider: Provider) -> None:
    """CANCEL is a carrier's word for stop: the patient may have meant the visit."""
    waiting, confirmed = asked_visit(provider=provider), asked_visit(provider=provider)
    only_reminded = visit_of(provider=provider)
    texted(only_reminded, Kind.REMINDER)
    booking.confirm(appointment=confirmed, by=Actor.patient(), now=waiting.created_at)
    text("CANCEL")
    assert status(waiting) == SCHEDULED
    assert [(row.appointment, row.reason) for row in CallItem.objects.all()] == [
        (waiting, CallReason.OPTED_OUT)
    ]


def test_the_carriers_own_word_for_stop_counts() -> None:
    text("ALTO", carrier_did="STOP")
    assert suppressed()
    text("SEGUIR", carrier_did="START")
    assert not suppressed()


def test_help_is_answered_by_the_carrier_and_read_by_staff() -> None:
    asked_visit()
    assert text("HELP", carrier_did="HELP").needs_staff
    assert answers() == []


def test_a_sentence_goes_to_the_staff_of_the_visits_clinic() -> None:
    visit = asked_visit()
    row = text("Can my son come along?")
    assert InboundText.objects.waiting().get() == row
    assert (row.body, row.sender) == ("Can my son come along?", NUMBER)
    assert (row.clinic, row.patient, row.appointment) == (visit.clinic, visit.patient, visit)
    assert answers() == [("UNCLEAR", visit)]


def test_a_sentence_is_answered_once_a_day() -> None:
    asked_visit()
    for words in ("Hello?", "Is it you?", "I have a question"):
        assert text(words).needs_staff
    assert [words for words, _visit in answers()] == ["UNCLEAR"]


def test_two_machines_do_not_talk_for_ever() -> None:
    asked_visit()
    for _ in range(12):
        text("CHANGE")
    assert len(answers()) == 5
    assert InboundText.objects.waiting().count() == 7  # what had no answer is read


def test_a_strangers_text_is_read_at_the_first_clinic_and_not_answered() -> None:
    ClinicFactory.create(is_active=False)
    first, _second = ClinicFactory.create(), ClinicFactory.create()
    row = text("Who is this?", sender=OTHER_NUMBER)
    assert (row.clinic, row.needs_staff) == (first, True)
    assert answers() == []


def test_a_number_of_a_patient_without_visits_is_their_clinics() -> None:
    ClinicFactory.create()
    patient = PatientFactory.create(phone=NUMBER)
    row = text("Hello")
    assert (row.clinic, row.patient) == (patient.clinic, patient)
    (notice,) = Notice.objects.filter(kind="REPLY")
    assert (notice.patient, notice.clinic) == (patient, patient.clinic)


def test_a_very_long_text_is_cut_and_an_empty_one_is_kept() -> None:
    assert len(text("x" * 5_000).body) == replies.LONGEST_BODY
    assert text("").meaning == Meaning.OTHER


def test_whose_number_it_is_stands_in_the_record() -> None:
    visit, look = asked_visit(), Look()
    with looking(look):
        text("YES")
    assert look.patients == {visit.patient_id}


def test_a_confirmation_that_lost_a_race_is_stale(desk: Actor, now: datetime) -> None:
    """The control of the race above: the verb itself refuses what was read before the change."""
    visit = asked_visit()
    read = type(visit).objects.get(pk=visit.pk)
    booking.cancel(appointment=visit, reason="OTHER", by=desk, now=now)
    with pytest.raises(Stale):
        booking.confirm(appointment=read, by=Actor.patient(), now=now)
