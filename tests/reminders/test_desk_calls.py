"""The call list: who is on it, what is said to them, and what comes of a call."""

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
from providers.fields import new_id
from providers.models import Clinic, Provider, Role, VisitType
from reminders import waiting
from reminders.calls import open_call
from reminders.kinds import CallReason
from reminders.models import CallAttempt, CallItem
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, CancelReason
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory
from tests.scheduling.desk_cast import NINE, at_the_desk, do, shown

pytestmark = pytest.mark.django_db
LIST = "/desk/calls/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    waiting.forget()


@pytest.fixture
def ada(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno", phone="+12125550111")


@pytest.fixture
def nine(provider: Provider, visit_type: VisitType, ada: Patient) -> Appointment:
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE, patient=ada, reason="Sore knee"
    )


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


def listed(visit: Appointment, reason: CallReason = CallReason.UNCONFIRMED) -> CallItem:
    item = open_call(appointment=visit, reason=reason, now=timezone.now())
    assert item is not None
    return item


def address(visit: Appointment) -> str:
    return reverse("messages:call", args=[visit.pk])


def answer(client: Client, visit: Appointment, outcome: str, **more: Any) -> Any:
    form = {"outcome": outcome, "version": visit.version, "attempt": new_id(), **more}
    return client.post(address(visit), form)


def test_an_empty_list_says_so(desk: Client) -> None:
    assert "Nobody to call" in shown(desk.get(LIST))


def test_the_list_names_whom_to_call_where_and_why(desk: Client, nine: Appointment) -> None:
    listed(nine)
    listed(nine, CallReason.UNSURE)
    page = desk.get(LIST)
    text = shown(page)
    for words in (
        "Ada Moreno",
        "(212) 555-0111",
        "9:00 am",
        "Dr. Amara Diallo",
        "Has not confirmed",
        "Nobody knows whether a message arrived",
        "Not called yet",
    ):
        assert words in text
    assert 'href="tel:+12125550111"' in page.content.decode()
    assert text.count("Ada Moreno") == 1
    assert "Sore knee" not in text


def test_the_menu_counts_the_visits_to_call_about(desk: Client, nine: Appointment) -> None:
    assert "Calls (" not in shown(desk.get(LIST))
    listed(nine)
    listed(nine, CallReason.UNSURE)
    waiting.forget()
    assert "Calls (1)" in shown(desk.get(reverse("desk:board")))


def test_the_list_is_narrowed_to_a_reason(
    desk: Client, nine: Appointment, provider: Provider, visit_type: VisitType
) -> None:
    listed(nine)
    other = PatientFactory.create(clinic=nine.clinic, name="Ben Okafor")
    ten = AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE + HOUR, patient=other
    )
    listed(ten, CallReason.INTERPRETER)
    text = shown(desk.get(LIST, {"reason": "INTERPRETER"}))
    assert "Ben Okafor" in text
    assert "Ada Moreno" not in text
    assert desk.get(LIST, {"reason": "NOISE"}).status_code == 404


def test_the_soonest_visit_comes_first(
    desk: Client, nine: Appointment, provider: Provider, visit_type: VisitType
) -> None:
    earlier = PatientFactory.create(clinic=nine.clinic, name="Ben Okafor")
    eight = AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE - HOUR, patient=earlier
    )
    listed(nine)
    listed(eight)
    text = shown(desk.get(LIST))
    assert text.index("Ben Okafor") < text.index("Ada Moreno")


def test_a_call_says_what_to_read_aloud_and_nothing_of_the_reason(
    desk: Client, nine: Appointment
) -> None:
    listed(nine)
    text = shown(desk.get(address(nine)))
    assert "“Hello, this is Riverside Clinic. May I speak with Ada?”" in text
    assert "Will you come?”" in text
    assert "“This is Riverside Clinic for Ada. Please call us back at (212) 555-0100" in text
    assert "February 29, 1984" in text
    assert "Sore knee" not in text


def test_will_come_confirms_the_visit_and_empties_the_list(desk: Client, nine: Appointment) -> None:
    listed(nine)
    listed(nine, CallReason.UNSURE)
    assert answer(desk, nine, "CONFIRMED").status_code == 302
    nine.refresh_from_db()
    assert nine.status == "CONFIRMED"
    assert {item.result for item in CallItem.objects.all()} == {"CONFIRMED"}
    assert CallAttempt.objects.get().outcome == "CONFIRMED"
    text = shown(desk.get(LIST))
    assert "Ada Moreno will come." in text
    assert "Nobody to call" in text


def test_will_come_closes_the_call_about_a_visit_that_was_confirmed_before(
    desk: Client, nine: Appointment
) -> None:
    confirmed = booking.confirm(appointment=nine, by=Actor.patient(), now=timezone.now())
    listed(confirmed, CallReason.UNDELIVERABLE)
    answer(desk, confirmed, "CONFIRMED")
    assert not CallItem.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize(
    ("outcome", "onwards"), [("WANTS_CHANGE", "desk:move"), ("CANCELS", "desk:cancel")]
)
def test_who_wants_something_else_is_led_on_and_stays_until_that_is_done(
    outcome: str, onwards: str, desk: Client, nine: Appointment
) -> None:
    listed(nine)
    went = answer(desk, nine, outcome)
    assert went["Location"] == reverse(onwards, args=[nine.pk])
    assert desk.get(went["Location"]).status_code == 200
    assert CallItem.objects.filter(closed_at=None).count() == 1


@pytest.mark.parametrize("outcome", ["LEFT_MESSAGE", "NO_ANSWER", "WRONG_NUMBER"])
def test_a_call_that_reached_nobody_is_noted_and_the_visit_stays(
    outcome: str, desk: Client, nine: Appointment
) -> None:
    listed(nine)
    answer(desk, nine, outcome, note="Try after noon")
    assert CallItem.objects.get().closed_at is None
    words = str(CallAttempt.Outcome(outcome).label)
    assert words in shown(desk.get(LIST))
    sheet = shown(desk.get(address(nine)))
    assert words in sheet.split("Earlier calls")[1]
    assert "Try after noon" in sheet


def test_a_form_that_is_sent_twice_is_one_call(desk: Client, nine: Appointment) -> None:
    listed(nine)
    key = new_id()
    for _twice in range(2):
        answer(desk, nine, "NO_ANSWER", attempt=key)
    assert CallAttempt.objects.count() == 1


def test_who_answers_for_a_visit_that_changed_sees_it_as_it_is(
    desk: Client, nine: Appointment
) -> None:
    listed(nine)
    booking.reschedule(
        appointment=nine, start=NINE + HOUR, by=Actor.system("test"), now=timezone.now()
    )
    listed(Appointment.objects.get())
    refused = answer(desk, nine, "CONFIRMED")
    assert refused.status_code == 409
    assert "Somebody changed this appointment meanwhile" in shown(refused)
    assert not CallAttempt.objects.exists()


def test_an_answer_after_the_visit_left_the_list_is_refused(
    desk: Client, nine: Appointment
) -> None:
    refused = answer(desk, nine, "NO_ANSWER")
    assert refused.status_code == 409
    assert "not on the list any more" in shown(refused)


def test_nonsense_is_no_outcome(desk: Client, nine: Appointment) -> None:
    listed(nine)
    assert answer(desk, nine, "MAYBE").status_code == 422
    assert answer(desk, nine, "NO_ANSWER", note="x" * 301).status_code == 422
    assert answer(desk, nine, "NO_ANSWER", attempt="1").status_code == 422


@pytest.mark.parametrize(("spoke", "result"), [(True, "REACHED"), (False, "NOT_REACHED")])
def test_a_visit_is_taken_off_the_list_by_hand(
    spoke: bool, result: str, desk: Client, nine: Appointment
) -> None:
    listed(nine)
    answer(desk, nine, "WANTS_CHANGE" if spoke else "NO_ANSWER")
    desk.post(reverse("messages:call_done", args=[nine.pk]))
    assert CallItem.objects.get().result == result
    desk.post(reverse("messages:call_done", args=[nine.pk]))
    assert "Nobody to call" in shown(desk.get(LIST))


def test_a_cancellation_that_did_not_arrive_is_told_in_other_words(
    desk: Client, nine: Appointment
) -> None:
    gone = booking.cancel(
        appointment=nine, reason="PROVIDER_AWAY", by=Actor.system("test"), now=timezone.now()
    )
    listed(gone, CallReason.UNDELIVERABLE)
    page = desk.get(address(gone))
    assert "does not take place" in shown(page)
    assert "Will come" not in shown(page)
    desk.post(reverse("messages:call_done", args=[gone.pk]))
    assert CallItem.objects.get().result == "REACHED"


def test_a_freed_visit_is_given_back_with_one_click(desk: Client, nine: Appointment) -> None:
    released = booking.cancel(
        appointment=nine,
        reason=CancelReason.UNCONFIRMED.value,
        by=Actor.system("reminders"),
        now=timezone.now(),
    )
    with time_machine.travel(NINE - 20 * HOUR, tick=False):
        receptionist = at_the_desk(nine.clinic)
        text = shown(receptionist.get(LIST))
        assert "Freed because nobody confirmed" in text
        assert "Ada Moreno" in text
        panel = shown(receptionist.get(reverse("desk:appointment", args=[nine.pk])))
        assert "Nobody confirmed this visit, so its time was freed" in panel
        assert do(receptionist, released, "restore").status_code == 302
        assert "Freed because nobody confirmed" not in shown(receptionist.get(LIST))
    nine.refresh_from_db()
    assert nine.status == "SCHEDULED"


def test_a_freed_visit_whose_time_is_taken_is_not_given_back(
    desk: Client, nine: Appointment, provider: Provider, visit_type: VisitType
) -> None:
    released = booking.cancel(
        appointment=nine,
        reason=CancelReason.UNCONFIRMED.value,
        by=Actor.system("reminders"),
        now=timezone.now(),
    )
    other = PatientFactory.create(clinic=nine.clinic, name="Ben Okafor")
    AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE, patient=other)
    refused = do(desk, released, "restore")
    assert refused.status_code == 409
    assert "no longer available" in shown(refused)


def test_what_was_cancelled_by_hand_is_not_offered_back(desk: Client, nine: Appointment) -> None:
    booking.cancel(appointment=nine, reason="OTHER", by=Actor.system("test"), now=timezone.now())
    assert "Give it back" not in shown(desk.get(reverse("desk:appointment", args=[nine.pk])))


def test_other_clinics_and_other_roles_see_nothing(clinic: Clinic, nine: Appointment) -> None:
    item = listed(nine)
    stranger = at_the_desk(ClinicFactory.create())
    assert "Ada" not in shown(stranger.get(LIST))
    assert stranger.get(address(nine)).status_code == 404
    assert answer(stranger, nine, "NO_ANSWER").status_code == 404
    assert stranger.post(reverse("messages:call_done", args=[nine.pk])).status_code == 404
    provider = at_the_desk(clinic, Role.PROVIDER)
    assert provider.get(LIST).status_code in {403, 404}
    item.refresh_from_db()
    assert item.closed_at is None


def test_the_list_costs_the_same_for_one_and_for_many(
    desk: Client, nine: Appointment, provider: Provider, visit_type: VisitType
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(LIST).status_code == 200
        return len(asked)

    def another(number: int) -> None:
        patient = PatientFactory.create(clinic=nine.clinic)
        visit = AppointmentFactory.create(
            provider=provider,
            visit_type=visit_type,
            start=NINE + number * HOUR / 2,
            patient=patient,
        )
        item = listed(visit)
        CallAttempt.objects.create(item=item, outcome="NO_ANSWER", by_user_id=user.pk)

    user = nine.clinic.memberships.first().user  # type: ignore[union-attr]
    another(1)
    cost()
    few = cost()
    for number in range(2, 12):
        another(number)
    assert cost() == few
