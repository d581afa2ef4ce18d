from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from patients.models import Patient
from providers.models import Provider, VisitType, Weekday
from scheduling.errors import OutsideHours, PatientBusy, SlotTaken
from scheduling.placing import Placement, Terms, look, place, recheck
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)

pytestmark = pytest.mark.django_db
NINE = at(next_monday(), "09:00")
BEFORE = NINE - timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def wanted(provider: Provider, visit_type: VisitType) -> Placement:
    return place(provider=provider, clinic=provider.clinic, visit_type=visit_type, start=NINE)


def test_a_visit_takes_its_own_length(wanted: Placement) -> None:
    assert (wanted.start, wanted.end, wanted.lane) == (NINE, NINE + 30 * MINUTE, 0)
    assert (wanted.busy.start, wanted.busy.end) == (wanted.start, wanted.end)


def test_a_visit_without_a_length_takes_the_step_of_its_hours(provider: Provider) -> None:
    open_ended = VisitTypeFactory.create(minutes=None)
    ProviderScheduleFactory.create(
        provider=provider, day_of_week=Weekday.SATURDAY, slot_duration_minutes=45
    )
    saturday = next_monday() + timedelta(days=5)
    for start, minutes in ((NINE, 30), (at(saturday, "08:45"), 45), (at(saturday, "08:50"), 45)):
        found = place(provider=provider, clinic=provider.clinic, visit_type=open_ended, start=start)
        assert found.end - found.start == minutes * MINUTE


def test_a_visit_without_a_length_has_no_place_outside_hours(provider: Provider) -> None:
    open_ended = VisitTypeFactory.create(minutes=None)
    for clinic, clock in ((provider.clinic, "18:00"), (ClinicFactory.create(), "09:00")):
        with pytest.raises(OutsideHours):
            place(
                provider=provider,
                clinic=clinic,
                visit_type=open_ended,
                start=at(next_monday(), clock),
            )


def test_a_look_is_one_statement_and_silent_where_all_is_free(
    wanted: Placement, patient: Patient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        look(wanted, patient=patient.pk)


def test_a_look_tells_the_patients_own_visit_first(wanted: Placement, patient: Patient) -> None:
    visit = AppointmentFactory.create(provider=wanted.provider, patient=patient, start=NINE)
    with pytest.raises(PatientBusy):
        look(wanted, patient=patient.pk)
    with pytest.raises(SlotTaken):
        look(wanted, patient=None)
    look(wanted, patient=patient.pk, own=[visit.pk])


def test_a_recheck_is_one_statement(
    wanted: Placement, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        recheck([wanted], terms=Terms(), now=BEFORE)


def test_a_recheck_sees_other_lanes_unless_told_to_stand_beside_them(wanted: Placement) -> None:
    AppointmentFactory.create(provider=wanted.provider, start=NINE, overbook=True)
    with pytest.raises(SlotTaken):
        recheck([wanted], terms=Terms(), now=BEFORE)
    recheck([wanted], terms=Terms(beside_others=True), now=BEFORE)


def test_a_recheck_sees_live_holds_that_are_not_ones_own(wanted: Placement) -> None:
    hold = hold_of(wanted.provider, wanted.visit_type, NINE)
    with pytest.raises(SlotTaken) as caught:
        recheck([wanted], terms=Terms(), now=BEFORE)
    assert caught.value.held
    recheck([wanted], terms=Terms(), now=BEFORE, own_holds=[hold.pk])


def test_hours_at_another_clinic_are_no_hours_here(
    provider: Provider, visit_type: VisitType
) -> None:
    elsewhere = ClinicFactory.create()
    here = place(provider=provider, clinic=elsewhere, visit_type=visit_type, start=NINE)
    with pytest.raises(OutsideHours):
        recheck([here], terms=Terms(), now=BEFORE)
