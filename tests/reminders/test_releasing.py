"""When silence frees a time, when it becomes a call, and that a person always goes before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from patients.models import AuditEntry, Patient
from providers.models import Provider, VisitType
from reminders import calls, policies
from reminders.kinds import CallReason, Channel, Kind, Meaning, State, Why
from reminders.models import CallItem, ContactPreference, InboundText, ReminderPolicy
from reminders.releasing import release_unconfirmed
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, PatientFactory, VisitTypeFactory, at, next_monday
from tests.reminders.asking import asked, asked_twice, delivery
from tests.scheduling.handlers import listening

pytestmark = pytest.mark.django_db
WEDNESDAY = next_monday(1) + timedelta(days=2)
TEN = at(WEDNESDAY, "10:00")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DUE = TEN - 24 * HOUR
BOOKED = TEN - 10 * 24 * HOUR


@pytest.fixture(autouse=True)
def _default_policies() -> Iterator[None]:
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def releasable(db: None) -> VisitType:
    return VisitTypeFactory.create(confirmation_required=True, auto_release_allowed=True)


@pytest.fixture
def visit(provider: Provider, releasable: VisitType, patient: Patient) -> Appointment:
    return booked(provider, releasable, patient)


def booked(provider: Provider, kind: VisitType, patient: Patient, start: Any = TEN) -> Appointment:
    with time_machine.travel(BOOKED, tick=False):
        return AppointmentFactory.create(
            provider=provider, visit_type=kind, patient=patient, start=start, now=BOOKED
        )


def status(visit: Appointment) -> str:
    return Appointment.objects.get(pk=visit.pk).status


def waiting(visit: Appointment) -> list[str]:
    rows = CallItem.objects.filter(appointment=visit, closed_at=None)
    return list(rows.values_list("reason", flat=True))


def text_of(visit: Appointment, *, patient: Patient | None, sender: str) -> InboundText:
    return InboundText.objects.create(
        vendor="twilio",
        vendor_id="SM1",
        clinic=visit.clinic,
        patient=patient,
        sender=sender,
        body="Running late?",
        meaning=Meaning.OTHER.value,
        needs_staff=True,
    )


def test_a_day_before_the_visit_silence_frees_its_time(visit: Appointment) -> None:
    asked_twice(visit)
    assert release_unconfirmed(DUE - MINUTE).released == 0
    assert status(visit) == "SCHEDULED"
    assert release_unconfirmed(DUE).released == 1
    freed = Appointment.objects.get(pk=visit.pk)
    assert (freed.status, freed.undo_until) == ("CANCELLED", None)
    event = visit.events.last()
    assert event is not None
    assert (event.kind, event.details, event.by_name) == (
        "CANCEL",
        {"reason": "UNCONFIRMED"},
        "reminders",
    )


def test_running_twice_frees_once(visit: Appointment) -> None:
    asked_twice(visit)
    assert [release_unconfirmed(DUE).released for _ in range(2)] == [1, 0]
    assert visit.events.count() == 2


def test_who_listens_is_told_that_it_was_a_release(visit: Appointment) -> None:
    asked_twice(visit)
    with listening() as heard:
        release_unconfirmed(DUE)
        told = [(one.kind, one.reason, one.not_before) for one in heard]
    assert told == [("CANCEL", "UNCONFIRMED", None)]


def test_the_freed_time_can_be_booked_at_once(
    visit: Appointment, releasable: VisitType, provider: Provider
) -> None:
    asked_twice(visit)
    release_unconfirmed(DUE)
    other = PatientFactory.create(clinic=visit.clinic)
    AppointmentFactory.create(
        provider=provider, visit_type=releasable, patient=other, start=TEN, now=DUE
    )


def test_a_confirmed_visit_stays(visit: Appointment) -> None:
    asked_twice(visit)
    booking.confirm(appointment=visit, by=Actor.patient(), now=DUE - HOUR)
    assert release_unconfirmed(DUE).released == 0
    assert status(visit) == "CONFIRMED"


def test_a_patient_who_is_here_already_is_not_sent_home(visit: Appointment, desk: Actor) -> None:
    asked_twice(visit)
    booking.check_in(appointment=visit, by=desk, now=DUE - HOUR)
    assert release_unconfirmed(DUE).released == 0


def test_a_visit_whose_type_asks_for_nothing_is_left_alone(
    visit: Appointment, releasable: VisitType
) -> None:
    asked_twice(visit)
    VisitType.objects.filter(pk=releasable.pk).update(confirmation_required=False)
    release_unconfirmed(DUE)
    assert (status(visit), waiting(visit)) == ("SCHEDULED", [])


def test_a_type_that_keeps_its_time_is_called_about_instead(
    visit: Appointment, releasable: VisitType
) -> None:
    asked_twice(visit)
    VisitType.objects.filter(pk=releasable.pk).update(auto_release_allowed=False)
    release_unconfirmed(DUE)
    assert (status(visit), waiting(visit)) == ("SCHEDULED", ["UNCONFIRMED"])


def test_a_clinic_that_switched_release_off_frees_nothing(visit: Appointment) -> None:
    asked_twice(visit)
    ReminderPolicy.objects.create(clinic=visit.clinic, release_hours=None)
    assert release_unconfirmed(DUE).released == 0
    assert waiting(visit) == []


def test_a_clinic_may_free_earlier(visit: Appointment) -> None:
    asked(visit, Kind.REQUEST, sent_at=TEN - 144 * HOUR)
    asked(visit, Kind.FOLLOW_UP, sent_at=TEN - 120 * HOUR)
    ReminderPolicy.objects.create(
        clinic=visit.clinic, request_hours=144, follow_up_hours=120, release_hours=96
    )
    assert release_unconfirmed(TEN - 96 * HOUR - MINUTE).released == 0
    assert release_unconfirmed(TEN - 96 * HOUR).released == 1


def test_undelivered_is_never_freed_but_called_about(visit: Appointment) -> None:
    asked(visit, Kind.REQUEST, State.FAILED)
    asked(visit, Kind.FOLLOW_UP, None, why=Why.NO_PHONE.value)
    release_unconfirmed(DUE)
    assert (status(visit), waiting(visit)) == ("SCHEDULED", ["UNDELIVERABLE"])


def test_a_mail_servers_word_counts_only_where_the_clinic_says_so(visit: Appointment) -> None:
    mail = asked(visit, Kind.REQUEST, State.SENT).delivery
    asked(visit, Kind.FOLLOW_UP, State.SENT)
    assert mail is not None
    mail.vendor = "mail"
    mail.save()
    policy = ReminderPolicy.objects.create(clinic=visit.clinic)
    release_unconfirmed(DUE)
    assert waiting(visit) == ["UNCONFIRMED"]
    CallItem.objects.all().delete()
    policy.sent_counts_as_delivered = True
    policy.save()
    policies.forget()
    assert release_unconfirmed(DUE).released == 1


def test_questions_about_an_earlier_time_of_the_visit_do_not_count(
    visit: Appointment, desk: Actor
) -> None:
    asked_twice(visit)
    moved = booking.reschedule(appointment=visit, start=TEN + HOUR, by=desk, now=TEN - 40 * HOUR)
    release_unconfirmed(DUE + 2 * HOUR)
    assert status(moved) == "SCHEDULED"


def test_who_needs_an_interpreter_is_called_and_not_released(visit: Appointment) -> None:
    asked_twice(visit)
    Patient.objects.filter(pk=visit.patient_id).update(needs_interpreter=True)
    release_unconfirmed(DUE)
    assert (status(visit), waiting(visit)) == ("SCHEDULED", ["INTERPRETER"])


def test_an_unknown_send_holds_the_release(visit: Appointment) -> None:
    asked_twice(visit)
    asked(visit, Kind.FOLLOW_UP, State.UNKNOWN)
    assert release_unconfirmed(DUE).released == 0


def test_an_open_call_holds_the_release_and_no_second_one_is_opened(visit: Appointment) -> None:
    asked_twice(visit)
    calls.open_call(appointment=visit, reason=CallReason.OPTED_OUT, now=DUE - HOUR)
    assert release_unconfirmed(DUE).released == 0
    assert waiting(visit) == ["OPTED_OUT"]


@pytest.mark.parametrize("result", [CallItem.Result.REACHED, CallItem.Result.NOT_REACHED])
def test_what_a_person_has_dealt_with_stays_with_people(
    visit: Appointment, result: CallItem.Result
) -> None:
    asked_twice(visit)
    calls.open_call(appointment=visit, reason=CallReason.UNCONFIRMED, now=DUE - HOUR)
    calls.close_calls(appointment=visit, result=result, now=DUE - HOUR)
    assert release_unconfirmed(DUE).released == 0
    assert waiting(visit) == []


def test_an_unanswered_text_of_the_patient_holds_the_release(visit: Appointment) -> None:
    asked_twice(visit)
    text = text_of(visit, patient=visit.patient, sender=visit.patient.phone)
    assert release_unconfirmed(DUE).released == 0
    text.handled_at = DUE
    text.save()
    assert release_unconfirmed(DUE).released == 1


def test_an_unanswered_text_from_a_shared_number_holds_it_for_all_who_share_it(
    visit: Appointment, provider: Provider, releasable: VisitType
) -> None:
    other = PatientFactory.create(clinic=visit.clinic)
    for one in (visit, another := booked(provider, releasable, other, TEN + HOUR)):
        asked_twice(one)
    text_of(visit, patient=None, sender=visit.patient.phone)
    release_unconfirmed(DUE + HOUR)
    assert (status(visit), status(another)) == ("SCHEDULED", "CANCELLED")


def test_what_was_given_back_is_not_taken_again(visit: Appointment, desk: Actor) -> None:
    asked_twice(visit)
    release_unconfirmed(DUE)
    freed = Appointment.objects.get(pk=visit.pk)
    booking.restore(appointment=freed, by=desk, now=DUE + HOUR)
    assert release_unconfirmed(DUE + 2 * HOUR).released == 0
    assert status(visit) == "SCHEDULED"


def test_a_patient_is_not_told_at_night_that_their_time_is_gone(visit: Appointment) -> None:
    asked_twice(visit)
    night = at(WEDNESDAY - timedelta(days=1), "22:00")
    assert release_unconfirmed(night).released == 0
    assert release_unconfirmed(at(WEDNESDAY, "07:59")).released == 0
    assert status(visit) == "SCHEDULED"


def test_quiet_hours_are_the_patients_own(visit: Appointment) -> None:
    asked_twice(visit)
    ContactPreference.objects.create(
        patient=visit.patient, quiet_from=time(9), quiet_until=time(12)
    )
    assert release_unconfirmed(DUE + MINUTE).released == 0
    assert release_unconfirmed(at(WEDNESDAY - timedelta(days=1), "12:00")).released == 1


def test_two_hours_before_the_visit_it_is_too_late_to_free_it(visit: Appointment) -> None:
    asked_twice(visit)
    release_unconfirmed(TEN - 2 * HOUR)
    assert (status(visit), waiting(visit)) == ("SCHEDULED", ["UNCONFIRMED"])


def test_finding_costs_the_same_for_one_and_for_many(
    provider: Provider, releasable: VisitType
) -> None:
    def cost() -> int:
        policies.policy_of(provider.clinic_id, releasable.pk)
        with CaptureQueriesContext(
            connection,
        ) as run:
            release_unconfirmed(DUE - MINUTE)
        return len(run)

    def book(hour: int) -> None:
        patient = PatientFactory.create(clinic=provider.clinic)
        one = booked(provider, releasable, patient, TEN + hour * HOUR / 2 - HOUR)
        asked_twice(one)
        Patient.objects.filter(pk=patient.pk).update(needs_interpreter=True)

    book(0)
    few = cost()
    for hour in range(1, 10):
        book(hour)
    assert cost() == few


def test_a_release_opens_nothing_but_texts_and_says_so_in_the_record(
    visit: Appointment, provider: Provider, releasable: VisitType
) -> None:
    asked_twice(visit)
    other = PatientFactory.create(clinic=visit.clinic)
    text_of(asked_twice(booked(provider, releasable, other, TEN + HOUR)), patient=None, sender="+1")
    before = AuditEntry.objects.filter(system_actor="system:reminders", purpose="release").count()
    with override_settings(LOOKS_MUST_BE_RECORDED=True):
        assert release_unconfirmed(DUE + HOUR).released == 2
    rows = AuditEntry.objects.filter(system_actor="system:reminders", purpose="release")
    assert rows.count() == before + 1


def test_other_channels_count_as_well(visit: Appointment) -> None:
    """The follow-up of somebody without a mobile number goes by e-mail."""
    asked(visit, Kind.REQUEST)
    skipped = asked(visit, Kind.FOLLOW_UP, None, why=Why.NO_PHONE.value)
    sent: datetime = TEN - 47 * HOUR
    skipped.pk = None
    skipped.channel = Channel.EMAIL.value
    skipped.delivery = delivery(visit, Kind.FOLLOW_UP, Channel.EMAIL, State.SENT, at=sent)
    skipped.standing, skipped.why = "TAKEN", ""
    skipped._state.adding = True
    skipped.save(force_insert=True)
    assert release_unconfirmed(DUE).released == 1
