"""From a cancelled visit to the text that offers its time: the jobs as the worker runs them."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from patients.models import Patient
from reminders import tasks
from reminders.channels import registry
from reminders.channels.base import Outgoing, Receipt, Refused
from reminders.channels.memory import outbox
from reminders.kinds import Channel
from scheduling import booking
from scheduling import tasks as scheduling_tasks
from scheduling.actors import Actor
from scheduling.models import Appointment, Opening, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import claims
from scheduling.waitlist.tokens import offer_url
from tests.factories.waitlist import entry_of
from tests.reminders.offering import told_of
from tests.reminders.scene import HOUR, MINUTE, TEN, Scene, scene

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["scene"]
NOON = TEN - 48 * HOUR + 2 * HOUR
Status = WaitlistOffer.Status


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("django_q.conf.Conf.SYNC", False)
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def waiting(scene: Scene) -> tuple[WaitlistEntry, WaitlistEntry]:
    """Two who wait, the second for longer than nobody; a third gave their time up just now."""
    visit: Appointment = scene.visit(TEN, confirmation_required=False)
    kind = visit.appointment_type
    first, second = (
        entry_of(scene.person(), provider=scene.provider, visit_type=kind) for _ in range(2)
    )
    WaitlistEntry.objects.filter(pk=first.pk).update(created_at=NOON - 48 * HOUR)
    booking.cancel(appointment=visit, reason="PATIENT", by=Actor.patient(), now=NOON)
    outbox.clear()
    return first, second


def minute() -> None:
    """Do what the worker does in a minute: offer, and tell."""
    scheduling_tasks.offer()
    tasks.remind()


def texts_to(patient: Patient) -> list[str]:
    return [one.message.text for one in outbox if one.message.to == patient.phone]


def offer_of(entry: WaitlistEntry) -> WaitlistOffer:
    return WaitlistOffer.objects.select_related("opening").get(entry=entry)


def test_freed_time_is_offered_by_text_to_who_waits_longest(
    waiting: tuple[WaitlistEntry, WaitlistEntry],
) -> None:
    first, second = waiting
    minute()
    offer = offer_of(first)
    assert (offer.status, offer.sent_at) == (Status.OFFERED, NOON)
    (text,) = (one for one in texts_to(first.patient) if "free:" in one)
    assert offer_url(offer) in text
    assert not any("/o/" in one for one in texts_to(second.patient))


def test_the_link_of_the_text_opens_the_offer_and_takes_nothing(
    waiting: tuple[WaitlistEntry, WaitlistEntry],
) -> None:
    minute()
    offer = offer_of(waiting[0])
    path = offer_url(offer).removeprefix(settings.SITE_URL)
    answer = Client().get(path, follow=True)
    assert answer.status_code == 200
    offer.refresh_from_db()
    assert offer.status == Status.OFFERED
    visit = claims.accept(offer=offer, by=Actor.patient(), now=NOON + MINUTE)
    assert visit.patient_id == waiting[0].patient_id


def test_whom_no_message_reaches_does_not_hold_up_the_next(
    waiting: tuple[WaitlistEntry, WaitlistEntry],
    monkeypatch: pytest.MonkeyPatch,
    _at_noon: Any,
) -> None:
    first, second = waiting
    way = registry.way(Channel.SMS)
    send = way.send

    def refuse(message: Outgoing) -> Receipt:
        if message.to == first.patient.phone:
            raise Refused("21211")
        return send(message)

    def come_back(_message: Outgoing) -> Receipt:
        raise Refused("550")

    monkeypatch.setattr(way, "send", refuse)
    monkeypatch.setattr(registry.way(Channel.EMAIL), "send", come_back)
    minute()
    assert told_of(offer_of(first)) == {"SMS": "TAKEN", "EMAIL": "PLANNED"}
    _at_noon.move_to(NOON + MINUTE)
    minute()
    assert offer_of(first).status == Status.GONE
    _at_noon.move_to(NOON + 2 * MINUTE)
    minute()
    offer = offer_of(second)
    assert offer.status == Status.OFFERED
    assert any(offer_url(offer) in one for one in texts_to(second.patient))
    assert offer.opening.state == Opening.State.OPEN
