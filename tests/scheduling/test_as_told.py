"""Visits that stand in another system already: taken as told, unless the time itself is taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest

from patients.models import Patient
from providers.models import Clinic, ClinicClosure, Provider, TimeOff, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.claiming import Claim
from scheduling.errors import PatientBusy, SlotTaken
from scheduling.models import Appointment
from scheduling.placing import Terms
from tests.factories import PatientFactory, hold_of
from tests.factories.times import at, next_monday

Book = Callable[..., Appointment]
AS_TOLD = Terms(on_grid=False, notice_and_horizon=False, past_allowed=True, as_told=True)
SYSTEM = Actor.system("system:emr")
TEN = at(next_monday(1), "10:00")


def claim() -> Claim:
    return Claim(hold=None, settle=lambda _visit: None, terms=AS_TOLD)


@pytest.fixture
def book(
    patient: Patient, provider: Provider, clinic: Clinic, visit_type: VisitType, now: datetime
) -> Book:
    return partial(
        booking.book,
        patient=patient,
        provider=provider,
        clinic=clinic,
        visit_type=visit_type,
        claim=claim(),
        by=SYSTEM,
        now=now,
    )


def test_neither_hours_nor_grid_nor_the_past_forbid_it(book: Book, now: datetime) -> None:
    starts = [at(next_monday(1), "03:07"), now - timedelta(days=400), now + timedelta(days=900)]
    for start in starts:
        assert book(start=start).scheduled_start == start


def test_absences_and_a_closed_calendar_do_not_forbid_it(
    book: Book, provider: Provider, clinic: Clinic
) -> None:
    day = timedelta(days=1)
    TimeOff.objects.create(provider=provider, start_datetime=TEN - day, end_datetime=TEN + day)
    ClinicClosure.objects.create(
        clinic=clinic, start_datetime=TEN - day, end_datetime=TEN + day, label="Closed"
    )
    Provider.objects.filter(pk=provider.pk).update(is_active=False)
    assert book(start=TEN).scheduled_start == TEN


def test_it_ends_when_it_is_told_to(book: Book, now: datetime) -> None:
    visit = book(start=TEN, end=TEN + timedelta(minutes=73))
    assert visit.scheduled_end == TEN + timedelta(minutes=73)
    moved = booking.reschedule(
        appointment=visit,
        start=TEN,
        end=TEN + timedelta(minutes=5),
        claim=claim(),
        by=SYSTEM,
        now=now,
    )
    moved.refresh_from_db()
    assert (moved.scheduled_start, moved.scheduled_end) == (TEN, TEN + timedelta(minutes=5))


def test_a_type_without_a_length_needs_no_hours_when_the_end_is_told(
    book: Book, visit_type: VisitType
) -> None:
    VisitType.objects.filter(pk=visit_type.pk).update(minutes=None)
    visit_type.refresh_from_db()
    night = at(next_monday(1), "02:00")
    assert book(start=night, end=night + timedelta(minutes=20)).scheduled_start == night


def test_a_taken_time_forbids_it_but_not_beside(book: Book, clinic: Clinic) -> None:
    book(start=TEN, patient=PatientFactory.create(clinic=clinic))
    with pytest.raises(SlotTaken):
        book(start=TEN)
    assert book(start=TEN, overbook=True).overbook_lane == 1


def test_a_kept_time_forbids_it_but_not_beside(
    book: Book, provider: Provider, visit_type: VisitType, clinic: Clinic
) -> None:
    hold_of(provider=provider, clinic=clinic, visit_type=visit_type, start=TEN)
    with pytest.raises(SlotTaken):
        book(start=TEN)
    assert book(start=TEN, overbook=True).overbook_lane == 1


def test_the_patient_is_in_one_place_only(book: Book) -> None:
    book(start=TEN)
    with pytest.raises(PatientBusy):
        book(start=TEN + timedelta(minutes=10), overbook=True)


def test_what_settles_the_claim_is_undone_with_it(book: Book) -> None:
    def fail(_visit: Appointment) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        book(start=TEN, claim=Claim(hold=None, settle=fail, terms=AS_TOLD))
    assert not Appointment.objects.exists()
