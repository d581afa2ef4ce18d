"""A visit whose time was freed because nobody confirmed it gets it back, if it is still there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from patients.models import Patient
from providers import hours
from providers.models import Provider, ProviderCalendar, TimeOff, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.booking import is_released
from scheduling.errors import IllegalTransition, PatientBusy, ProviderAway, SlotTaken, Stale
from scheduling.models import Appointment, CancelReason
from scheduling.presenters import event_words
from tests.factories import AppointmentFactory, PatientFactory, at, hold_of, next_monday
from tests.refusals import commit_checks
from tests.scheduling.handlers import listening

pytestmark = pytest.mark.django_db
NINE = at(next_monday(1), "09:00")
DAY_BEFORE = NINE - timedelta(days=1)
REMINDERS = Actor.system("reminders")


@pytest.fixture(autouse=True)
def _would_commit() -> Iterator[None]:
    yield
    commit_checks()


@pytest.fixture
def visit(provider: Provider, visit_type: VisitType, patient: Patient) -> Appointment:
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, patient=patient, start=NINE
    )


def released(visit: Appointment) -> Appointment:
    return booking.cancel(
        appointment=visit,
        reason=CancelReason.UNCONFIRMED.value,
        by=REMINDERS,
        now=DAY_BEFORE,
    )


def test_a_released_visit_is_given_back_as_it_was(visit: Appointment, desk: Actor) -> None:
    stamp = ProviderCalendar.objects.get(provider=visit.provider).stamp
    freed = released(visit)
    assert is_released(freed)
    booking.restore(appointment=freed, by=desk, now=DAY_BEFORE)
    kept = Appointment.objects.get(pk=visit.pk)
    assert (kept.status, kept.scheduled_start, kept.sequence) == ("SCHEDULED", NINE, 0)
    assert not is_released(kept)
    kinds = [(event.kind, event.by_user_id) for event in visit.events.all()]
    assert kinds[1:] == [("CANCEL", None), ("RESTORE", desk.user_id)]
    assert ProviderCalendar.objects.get(provider=visit.provider).stamp != stamp


def test_the_history_says_both_in_words(visit: Appointment, desk: Actor) -> None:
    booking.restore(appointment=released(visit), by=desk, now=DAY_BEFORE)
    words = [event_words(event) for event in visit.events.all()]
    assert words == ["Booked", "Cancelled: Nobody confirmed it", "Given back to the patient"]


def test_who_listens_hears_of_the_release_and_of_giving_it_back(
    visit: Appointment, desk: Actor
) -> None:
    with listening() as heard:
        booking.restore(appointment=released(visit), by=desk, now=DAY_BEFORE)
        told = [(str(one.kind), one.reason, one.not_before) for one in heard]
    assert told == [("CANCEL", "UNCONFIRMED", None), ("RESTORE", "", None)]


def test_a_cancellation_by_anybody_else_tells_its_reason_too(
    visit: Appointment, desk: Actor
) -> None:
    with listening() as heard:
        booking.cancel(appointment=visit, reason="OTHER", by=desk, now=timezone.now())
        assert heard[0].reason == "OTHER"


def test_a_time_that_somebody_took_is_not_given_back(
    visit: Appointment, provider: Provider, visit_type: VisitType, desk: Actor
) -> None:
    freed = released(visit)
    other = PatientFactory.create(clinic=visit.clinic)
    AppointmentFactory.create(
        provider=provider, visit_type=visit_type, patient=other, start=NINE, now=DAY_BEFORE
    )
    with pytest.raises(SlotTaken):
        booking.restore(appointment=freed, by=desk, now=DAY_BEFORE)
    assert Appointment.objects.get(pk=visit.pk).status == "CANCELLED"


def test_a_time_that_is_kept_for_somebody_is_not_given_back(
    visit: Appointment, provider: Provider, visit_type: VisitType, desk: Actor
) -> None:
    freed = released(visit)
    hold_of(provider, visit_type, NINE)
    with pytest.raises(SlotTaken) as refused:
        booking.restore(appointment=freed, by=desk, now=timezone.now())
    assert refused.value.held


def test_a_time_for_which_the_provider_left_is_not_given_back(
    visit: Appointment, provider: Provider, desk: Actor
) -> None:
    freed = released(visit)
    hours.save_time_off(
        TimeOff(provider=provider, start_datetime=NINE, end_datetime=NINE + timedelta(hours=1))
    )
    with pytest.raises(ProviderAway):
        booking.restore(appointment=freed, by=desk, now=DAY_BEFORE)


def test_a_patient_who_is_elsewhere_by_now_does_not_get_it_back(
    visit: Appointment, visit_type: VisitType, desk: Actor
) -> None:
    freed = released(visit)
    AppointmentFactory.create(
        visit_type=visit_type, patient=visit.patient, start=NINE, now=DAY_BEFORE
    )
    with pytest.raises(PatientBusy):
        booking.restore(appointment=freed, by=desk, now=DAY_BEFORE)


def test_only_what_was_released_and_is_to_come_is_given_back(
    visit: Appointment, desk: Actor
) -> None:
    with pytest.raises(IllegalTransition):
        booking.restore(appointment=visit, by=desk, now=DAY_BEFORE)
    freed = released(visit)
    with pytest.raises(IllegalTransition):
        booking.restore(appointment=freed, by=desk, now=NINE)


def test_what_a_person_cancelled_is_undone_but_never_restored(
    visit: Appointment, desk: Actor
) -> None:
    gone = booking.cancel(appointment=visit, reason="PATIENT_REQUEST", by=desk, now=timezone.now())
    with pytest.raises(IllegalTransition):
        booking.restore(appointment=gone, by=desk, now=timezone.now())


def test_it_is_given_back_once(visit: Appointment, desk: Actor) -> None:
    freed = released(visit)
    booking.restore(appointment=freed, by=desk, now=DAY_BEFORE)
    with pytest.raises(Stale):
        booking.restore(appointment=freed, by=desk, now=DAY_BEFORE)
