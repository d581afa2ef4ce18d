"""Who stands on the call list, and how a visit leaves it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from providers.fields import new_id
from reminders.calls import close_calls, log_attempt, open_call, settle_over
from reminders.kinds import CallReason
from reminders.models import CallAttempt, CallItem
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, at, next_monday

pytestmark = pytest.mark.django_db
NINE = at(next_monday(1), "09:00")
HOUR = timedelta(hours=1)


@pytest.fixture
def visit() -> Appointment:
    return AppointmentFactory.create(start=NINE)


def open_items(visit: Appointment) -> list[str]:
    waiting = CallItem.objects.filter(appointment=visit, closed_at=None)
    return sorted(waiting.values_list("reason", flat=True))


def unsure(visit: Appointment, now: datetime | None = None) -> CallItem | None:
    return open_call(appointment=visit, reason=CallReason.UNSURE, now=now or timezone.now())


def test_a_visit_stands_on_its_clinics_list_once_for_each_reason(visit: Appointment) -> None:
    first, again = unsure(visit), unsure(visit)
    assert first is not None
    assert first == again
    assert first.clinic == visit.clinic
    open_call(appointment=visit, reason=CallReason.OPTED_OUT, now=timezone.now())
    assert open_items(visit) == ["OPTED_OUT", "UNSURE"]


def test_the_database_holds_one_open_item_for_a_reason(visit: Appointment) -> None:
    unsure(visit)
    with pytest.raises(IntegrityError, match="call_open_once"), transaction.atomic():
        CallItem.objects.create(clinic=visit.clinic, appointment=visit, reason="UNSURE")


def test_a_closed_item_makes_room_for_another(visit: Appointment) -> None:
    first = unsure(visit)
    now = timezone.now()
    assert close_calls(appointment=visit, result=CallItem.Result.REACHED, now=now) == 1
    assert close_calls(appointment=visit, result=CallItem.Result.REACHED, now=now) == 0
    second = unsure(visit)
    assert second is not None
    assert second != first


def test_nobody_is_called_about_a_visit_that_has_begun(visit: Appointment) -> None:
    assert unsure(visit, NINE) is None
    assert unsure(visit, NINE - HOUR) is not None


def test_what_a_patient_cancelled_needs_no_call(visit: Appointment) -> None:
    booking.cancel(
        appointment=visit, reason="PATIENT_REQUEST", by=Actor.patient(), now=timezone.now()
    )
    for reason in CallReason:
        assert open_call(appointment=visit, reason=reason, now=timezone.now()) is None


def test_news_of_a_cancellation_that_did_not_arrive_are_told_by_telephone(
    visit: Appointment, desk: Actor
) -> None:
    booking.cancel(appointment=visit, reason="PROVIDER_AWAY", by=desk, now=timezone.now())
    now = timezone.now()
    assert open_call(appointment=visit, reason=CallReason.UNDELIVERABLE, now=now) is not None
    assert open_call(appointment=visit, reason=CallReason.UNCONFIRMED, now=now) is None


@pytest.mark.parametrize("act", ["confirm", "cancel", "move", "check_in"])
def test_what_settles_a_visit_takes_it_off_the_list(
    act: str, visit: Appointment, desk: Actor
) -> None:
    unsure(visit)
    now = timezone.now()
    if act == "cancel":
        booking.cancel(appointment=visit, reason="OTHER", by=desk, now=now)
    elif act == "move":
        booking.reschedule(appointment=visit, start=NINE + HOUR, by=desk, now=now)
    else:
        getattr(booking, act)(appointment=visit, by=desk, now=now)
    assert open_items(visit) == []
    results = {"confirm": "CONFIRMED", "cancel": "CHANGED", "move": "CHANGED"}
    assert CallItem.objects.get().result == results.get(act, "SETTLED")


def test_an_act_that_fails_leaves_the_call_open(visit: Appointment, desk: Actor) -> None:
    unsure(visit)
    handlers = [
        "reminders.calls.on_appointment_change",
        "tests.scheduling.handlers.fail",
    ]
    with override_settings(BOOKING_HANDLERS=handlers), pytest.raises(LookupError):
        booking.confirm(appointment=visit, by=desk, now=timezone.now())
    assert open_items(visit) == ["UNSURE"]


def test_calls_about_visits_that_have_begun_are_settled(visit: Appointment) -> None:
    unsure(visit)
    assert settle_over(now=NINE - HOUR) == 0
    assert settle_over(now=NINE) == 1
    assert CallItem.objects.get().result == CallItem.Result.SETTLED


def test_a_call_that_was_made_is_written_down_and_its_note_sealed(
    visit: Appointment, desk: Actor
) -> None:
    item = unsure(visit)
    assert item is not None
    assert desk.user_id is not None
    key = new_id()
    for _twice in range(2):
        log_attempt(
            pk=key,
            item=item,
            outcome=CallAttempt.Outcome.LEFT_MESSAGE,
            note="Spoke to the daughter",
            by_user=desk.user_id,
            now=timezone.now(),
        )
    kept = CallAttempt.objects.get()
    assert (kept.outcome, kept.note) == ("LEFT_MESSAGE", "Spoke to the daughter")
    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM reminders_callattempt")
        assert "daughter" not in str(cursor.fetchone())
