from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from patients.models import Patient
from providers import hours
from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import KeyReused, SlotTaken
from scheduling.keys import RequestKey
from scheduling.models import Appointment, IdempotencyKey
from tests.factories import AppointmentFactory, PatientFactory, at, hold_of, next_monday

pytestmark = pytest.mark.django_db
NINE = at(next_monday(), "09:00")
BEFORE = NINE - timedelta(days=1)
MINUTE = timedelta(minutes=1)
KEY = RequestKey(actor="browser", key="form-1")

Send = Callable[..., Appointment]


@pytest.fixture
def send(provider: Provider, visit_type: VisitType, patient: Patient) -> Send:
    """Send one and the same form, with its key."""

    def form(**changed: Any) -> Appointment:
        values: dict[str, Any] = {
            "patient": patient,
            "provider": provider,
            "clinic": provider.clinic,
            "visit_type": visit_type,
            "start": NINE,
            "key": KEY,
            "by": Actor.patient(),
            "now": BEFORE,
        }
        return booking.book(**(values | changed))

    return form


def test_the_same_form_sent_twice_books_once_and_answers_the_same(send: Send) -> None:
    assert send().pk == send().pk
    assert Appointment.objects.count() == 1


def test_the_second_answer_is_the_visit_as_it_is_now(send: Send) -> None:
    visit = send()
    booking.confirm(appointment=visit, by=Actor.patient(), now=BEFORE)
    assert send().status == "CONFIRMED"


def test_the_answer_outlives_the_refusal_that_a_new_request_would_get(
    send: Send, provider: Provider
) -> None:
    visit = send()
    assert send(now=NINE + MINUTE).pk == visit.pk
    provider.is_active = False
    hours.save_provider(provider)
    assert send().pk == visit.pk


def test_another_form_with_the_same_key_is_refused(send: Send) -> None:
    send()
    with pytest.raises(KeyReused):
        send(start=NINE + 30 * MINUTE)
    with pytest.raises(KeyReused):
        send(patient=PatientFactory.create())


def test_the_same_key_of_another_browser_is_another_key(send: Send) -> None:
    send()
    with pytest.raises(SlotTaken):
        send(key=RequestKey("other", KEY.key), patient=PatientFactory.create())


def test_a_refused_request_may_be_sent_again(send: Send, provider: Provider) -> None:
    taken = AppointmentFactory.create(provider=provider, start=NINE)
    with pytest.raises(SlotTaken):
        send()
    booking.cancel(appointment=taken, reason="OTHER", by=Actor.patient(), now=BEFORE)
    assert send().pk != taken.pk


def test_a_key_is_forgotten_after_a_day(send: Send) -> None:
    visit = send()
    IdempotencyKey.objects.update(expires_at=F("expires_at") - timedelta(days=30))
    booking.cancel(appointment=visit, reason="OTHER", by=Actor.patient(), now=BEFORE)
    assert send().pk != visit.pk
    assert IdempotencyKey.objects.count() == 1


def test_a_repeated_form_needs_its_hold_only_once(
    send: Send, provider: Provider, visit_type: VisitType
) -> None:
    hold = hold_of(provider, visit_type, NINE)
    assert send(hold=hold).pk == send(hold=hold).pk


def test_a_repeated_overbooking_is_one_visit(send: Send, desk: Actor) -> None:
    again = partial(send, overbook=True, by=desk)
    assert again().pk == again().pk
    with pytest.raises(KeyReused):
        send(by=desk)


def test_a_repeated_series_is_one_series(
    provider: Provider, visit_type: VisitType, patient: Patient
) -> None:
    def send() -> list[Appointment]:
        return booking.book_series(
            patient=patient,
            provider=provider,
            clinic=provider.clinic,
            visit_type=visit_type,
            starts=[at(next_monday(week), "09:00") for week in (1, 0)],
            key=KEY,
            by=Actor.patient(),
            now=BEFORE,
        )

    assert [visit.pk for visit in send()] == [visit.pk for visit in send()]
    assert Appointment.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_form_from_eight_threads_at_once_books_once(send: Send) -> None:
    together = Barrier(8)

    def at_once(_n: int) -> Any:
        together.wait()
        try:
            return send().pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(at_once, range(8)))
    assert answers == set(Appointment.objects.values_list("pk", flat=True))
    assert len(answers) == 1
