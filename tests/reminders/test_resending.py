"""The desk has something said again: once for each wish, and only where that is welcome."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from patients.models import Patient
from providers.models import Provider, VisitType
from reminders.kinds import Channel, Kind, NoticeKind, State, Why
from reminders.models import ContactPreference, Notice, Suppression
from reminders.resending import JustSent, NotResent, kind_to_resend, resend, ways_to
from reminders.suppressions import suppress
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, CancelReason
from tests.factories import AppointmentFactory, PatientFactory, at, next_monday
from tests.reminders.asking import asked

pytestmark = pytest.mark.django_db
NINE = at(next_monday(1), "09:00")
MINUTE = timedelta(minutes=1)
ASKED_BY = 7


@pytest.fixture
def ada(provider: Provider) -> Patient:
    return PatientFactory.create(
        clinic=provider.clinic, phone="+12125550111", phone_is_textable=True
    )


@pytest.fixture
def visit(provider: Provider, visit_type: VisitType, ada: Patient) -> Appointment:
    """Booked long enough ago for its own notice to be history."""
    booked = AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE, patient=ada
    )
    Notice.objects.all().delete()
    return booked


def send(visit: Appointment, key: str = "k" * 32, **more: object) -> Notice | None:
    values: dict[str, object] = {"channel": Channel.EMAIL, "now": timezone.now()} | more
    return resend(appointment=visit, key=key, by_user=ASKED_BY, **values)  # type: ignore[arg-type]


def test_what_is_booked_is_told_again_by_one_way(visit: Appointment) -> None:
    sent = send(visit, channel=Channel.SMS)
    assert sent is not None
    kept = Notice.objects.get()
    assert (kept.kind, kept.channel, kept.appointment, kept.patient) == (
        "BOOKED",
        "SMS",
        visit,
        visit.patient,
    )
    assert kept.details == {"asked_by": ASKED_BY}
    assert kept.sequence == visit.sequence
    assert kept.not_after <= NINE


def test_one_wish_is_one_message(visit: Appointment) -> None:
    assert send(visit) is not None
    assert send(visit) is None
    assert Notice.objects.count() == 1


def test_minutes_after_another_it_asks_first(visit: Appointment) -> None:
    send(visit)
    with pytest.raises(JustSent):
        send(visit, "2" * 32)
    assert send(visit, "2" * 32, anyway=True) is not None
    assert send(visit, "3" * 32, channel=Channel.SMS) is not None


def test_ten_minutes_later_it_asks_no_more(visit: Appointment) -> None:
    now = timezone.now()
    send(visit, now=now)
    assert send(visit, "2" * 32, now=now + 11 * MINUTE) is not None


def test_a_reminder_that_has_just_gone_counts_as_well(visit: Appointment) -> None:
    now = timezone.now()
    asked(visit, Kind.REQUEST, State.DELIVERED, sent_at=now - 3 * MINUTE)
    with pytest.raises(JustSent) as just:
        send(visit, now=now)
    assert just.value.at == now - 3 * MINUTE


def test_a_number_that_said_stop_gets_nothing(visit: Appointment, ada: Patient) -> None:
    suppress(
        channel=Channel.SMS, recipient=ada.phone, cause=Suppression.Cause.STOP, now=timezone.now()
    )
    with pytest.raises(NotResent) as refused:
        send(visit, channel=Channel.SMS)
    assert refused.value.why is Why.SUPPRESSED
    assert not Notice.objects.exists()


def test_who_switched_e_mail_off_gets_none(visit: Appointment, ada: Patient) -> None:
    ContactPreference.objects.create(patient=ada, email=False)
    with pytest.raises(NotResent) as refused:
        send(visit)
    assert refused.value.why is Why.OPTED_OUT


def test_the_ways_say_why_one_cannot_be_used(visit: Appointment) -> None:
    Patient.objects.filter(pk=visit.patient_id).update(phone_is_textable=False)
    visit.refresh_from_db()
    ways = ways_to(visit)
    assert ways[Channel.SMS] is Why.NOT_TEXTABLE
    assert not isinstance(ways[Channel.EMAIL], Why)


def test_of_a_visit_that_has_begun_nothing_is_told(visit: Appointment) -> None:
    assert kind_to_resend(visit, now=NINE) is None
    with pytest.raises(NotResent):
        send(visit, now=NINE)


def test_what_is_told_is_what_stands_now(visit: Appointment, desk: Actor) -> None:
    now = timezone.now()
    assert kind_to_resend(visit, now=now) is NoticeKind.BOOKED
    gone = booking.cancel(appointment=visit, reason="OTHER", by=desk, now=now)
    assert kind_to_resend(gone, now=now) is None, "it can still be undone"
    final = booking.send_now(appointment=gone, by=desk, now=now)
    assert kind_to_resend(final, now=now) is NoticeKind.CANCELLED


def test_a_freed_visit_is_told_as_freed(visit: Appointment) -> None:
    freed = booking.cancel(
        appointment=visit,
        reason=CancelReason.UNCONFIRMED.value,
        by=Actor.system("reminders"),
        now=timezone.now(),
    )
    assert kind_to_resend(freed, now=timezone.now()) is NoticeKind.RELEASED
