from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from patients.models import CareRelationship, Patient
from providers import hours
from providers.models import ClinicClosure, Provider, TimeOff, VisitType, Weekday
from scheduling import booking
from scheduling.actors import Actor
from scheduling.changes import Change
from scheduling.errors import (
    ClinicClosed,
    HoldExpired,
    InThePast,
    OutsideHours,
    PatientBusy,
    ProviderAway,
    ProviderInactive,
    SchedulingError,
    SlotTaken,
    TooFar,
    TooSoon,
    TypeNotAllowed,
)
from scheduling.lanes import HIGHEST_LANE
from scheduling.models import Appointment, AppointmentEvent, SlotHold
from tests.factories import (
    AppointmentFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
    someone_at_the_desk,
)
from tests.refusals import commit_checks
from tests.scheduling.handlers import listening

pytestmark = pytest.mark.django_db
MONDAY = next_monday()
NINE = at(MONDAY, "09:00")
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ONLINE = Actor.patient()


@pytest.fixture
def book(provider: Provider, visit_type: VisitType) -> Callable[..., Appointment]:
    """Book a visit with the one provider, at nine on Monday unless told otherwise."""

    def at_desk(**changed: Any) -> Appointment:
        values: dict[str, Any] = {"provider": provider, "visit_type": visit_type, "start": NINE}
        return AppointmentFactory.create(**(values | changed))

    return at_desk


@pytest.fixture(autouse=True)
def _would_commit() -> Iterator[None]:
    yield
    commit_checks()


Book = Callable[..., Appointment]


def test_a_booked_visit_stands_as_it_was_asked_for(
    book: Book, provider: Provider, patient: Patient, desk: Actor
) -> None:
    visit = book(patient=patient, reason="Knee", by=desk)
    stored = Appointment.objects.get(pk=visit.pk)
    assert (stored.patient, stored.provider, stored.clinic) == (patient, provider, provider.clinic)
    assert (stored.scheduled_start, stored.scheduled_end) == (NINE, NINE + 30 * MINUTE)
    assert (stored.status, stored.reason_for_visit) == ("SCHEDULED", "Knee")
    assert (stored.version, stored.sequence, stored.overbook_lane) == (0, 0, 0)
    assert stored.reference == visit.reference


def test_a_booking_is_the_first_thing_in_its_history(book: Book, desk: Actor) -> None:
    visit = book(by=desk, override="URGENT")
    (event,) = visit.events.all()
    assert (event.kind, event.from_status, event.to_status) == ("BOOK", "", "SCHEDULED")
    assert (event.by_kind, event.by_user_id) == ("STAFF", desk.user_id)
    assert event.details == {"override": "URGENT"}


def test_buffers_are_the_providers_busy_time(book: Book) -> None:
    kind = VisitTypeFactory.create(buffer_before_minutes=5, buffer_after_minutes=10)
    stored = Appointment.objects.get(pk=book(visit_type=kind).pk)
    assert stored.busy.lower == NINE - 5 * MINUTE
    assert stored.busy.upper == NINE + 40 * MINUTE


def test_a_visit_without_a_length_takes_the_step_of_the_hours(book: Book) -> None:
    visit = book(visit_type=VisitTypeFactory.create(minutes=None))
    assert visit.scheduled_end - visit.scheduled_start == 30 * MINUTE


def test_the_second_at_one_time_is_refused_and_leaves_no_trace(book: Book) -> None:
    book()
    with pytest.raises(SlotTaken):
        book()
    assert Appointment.objects.count() == AppointmentEvent.objects.count() == 1


@pytest.mark.parametrize("minutes", [-29, 29])
def test_an_overlap_of_a_minute_is_refused(book: Book, minutes: int) -> None:
    book()
    with pytest.raises(SlotTaken):
        book(start=NINE + minutes * MINUTE)


@pytest.mark.parametrize("minutes", [-30, 30])
def test_visits_that_touch_are_both_booked(book: Book, minutes: int) -> None:
    book()
    assert book(start=NINE + minutes * MINUTE).pk


def test_nobody_is_booked_into_anothers_buffer(book: Book) -> None:
    book(visit_type=VisitTypeFactory.create(buffer_after_minutes=10))
    with pytest.raises(SlotTaken):
        book(start=NINE + 30 * MINUTE)


def test_a_patient_cannot_be_at_two_providers(book: Book, patient: Patient) -> None:
    book(patient=patient)
    colleague = ProviderFactory.create(clinic=patient.clinic, working=True)
    with pytest.raises(PatientBusy):
        book(patient=patient, provider=colleague, start=NINE + 15 * MINUTE)


def test_the_patients_own_buffer_is_none(book: Book, patient: Patient) -> None:
    book(patient=patient, visit_type=VisitTypeFactory.create(buffer_after_minutes=30))
    colleague = ProviderFactory.create(clinic=patient.clinic, working=True)
    assert book(patient=patient, provider=colleague, start=NINE + 30 * MINUTE).pk


REFUSED_STARTS = {
    "before opening": ("07:30", OutsideHours),
    "past closing": ("16:45", OutsideHours),
    "in the night": ("03:00", OutsideHours),
}


@pytest.mark.parametrize("case", REFUSED_STARTS)
def test_nobody_is_booked_outside_hours(book: Book, case: str) -> None:
    clock, refusal = REFUSED_STARTS[case]
    with pytest.raises(refusal):
        book(start=at(MONDAY, clock))


def test_staff_choose_any_minute_and_patients_keep_to_the_grid(book: Book) -> None:
    with pytest.raises(OutsideHours):
        book(start=NINE + 10 * MINUTE, by=ONLINE)
    assert book(start=NINE + 10 * MINUTE).pk


def test_notice_binds_everybody_but_staff_with_a_reason(book: Book) -> None:
    soon = NINE - 30 * MINUTE
    for by in (ONLINE, someone_at_the_desk()):
        with pytest.raises(TooSoon):
            book(now=soon, by=by)
    assert book(now=soon, override="URGENT").pk


def test_an_override_in_a_patients_hands_lifts_nothing(book: Book) -> None:
    with pytest.raises(TooSoon):
        book(now=NINE - 30 * MINUTE, by=ONLINE, override="URGENT")


def test_the_horizon_binds_everybody_but_staff_with_a_reason(book: Book) -> None:
    early = NINE - 181 * DAY
    with pytest.raises(TooFar):
        book(now=early)
    assert book(now=early, override="PATIENT_CALLED").pk


def test_the_past_is_closed_to_everybody(book: Book) -> None:
    with pytest.raises(InThePast):
        book(now=NINE + MINUTE, override="URGENT")


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_are_refused_and_no_error(book: Book, year: int) -> None:
    with pytest.raises(SchedulingError):
        book(start=datetime(year, 1, 1, tzinfo=UTC), now=NINE)
    with pytest.raises(SchedulingError):
        book(start=datetime(year, 12, 31, 23, 59, tzinfo=UTC), now=NINE)


def test_a_type_for_staff_only_is_not_booked_online(book: Book) -> None:
    kind = VisitTypeFactory.create(bookable_online=False)
    with pytest.raises(TypeNotAllowed):
        book(visit_type=kind, by=ONLINE)
    assert book(visit_type=kind).pk


def test_hours_kept_for_other_types_are_refused(book: Book, provider: Provider) -> None:
    ProviderScheduleFactory.create(
        provider=provider, day_of_week=Weekday.SATURDAY, visit_types=[VisitTypeFactory.create()]
    )
    with pytest.raises(TypeNotAllowed):
        book(start=at(MONDAY + 5 * DAY, "09:00"))


def test_an_inactive_provider_takes_nobody(book: Book, provider: Provider) -> None:
    provider.is_active = False
    hours.save_provider(provider)
    with pytest.raises(ProviderInactive):
        book()


def test_an_inactive_clinic_takes_nobody(book: Book, provider: Provider) -> None:
    provider.clinic.is_active = False
    hours.save_clinic(provider.clinic)
    with pytest.raises(ProviderInactive):
        book()


def leave(provider: Provider, start: datetime, minutes: int) -> TimeOff:
    return hours.save_time_off(
        TimeOff(
            provider=provider,
            start_datetime=start,
            end_datetime=start + minutes * MINUTE,
            reason="CME",
        )
    )


def test_time_off_forbids_the_visit_and_no_other(book: Book, provider: Provider) -> None:
    leave(provider, NINE + 29 * MINUTE, 31)
    with pytest.raises(ProviderAway):
        book()
    assert book(start=NINE + 60 * MINUTE).pk


def test_a_buffer_may_reach_into_time_off(book: Book, provider: Provider) -> None:
    leave(provider, NINE + 30 * MINUTE, 60)
    assert book(visit_type=VisitTypeFactory.create(buffer_after_minutes=10)).pk


def test_a_closure_forbids_everybody_at_the_clinic(book: Book, provider: Provider) -> None:
    closure = ClinicClosure(
        clinic=provider.clinic, start_datetime=NINE, end_datetime=NINE + DAY, label="Labor Day"
    )
    hours.save_closure(closure)
    with pytest.raises(ClinicClosed):
        book()


def test_booking_makes_the_patient_the_providers_own(
    book: Book, provider: Provider, patient: Patient
) -> None:
    book(patient=patient)
    tie = CareRelationship.objects.get(patient=patient, provider=provider)
    assert tie.kind == "VISIT"
    assert tie.until is not None
    assert tie.until > NINE + 360 * DAY


def night_shift(provider: Provider) -> None:
    ProviderScheduleFactory.create(
        provider=provider,
        day_of_week=Weekday.SUNDAY,
        start_time=time(0),
        end_time=time(6),
        valid_from=date(2026, 1, 1),
    )


def test_an_hour_across_the_spring_gap_is_an_hour(book: Book, provider: Provider) -> None:
    night_shift(provider)
    start = at(date(2026, 3, 8), "01:30")
    visit = book(start=start, visit_type=VisitTypeFactory.create(minutes=60), now=start - DAY)
    assert visit.scheduled_end == start + 60 * MINUTE
    assert f"{visit.local_end:%H:%M}" == "03:30"


def test_the_hour_that_comes_twice_in_autumn_is_booked_twice(
    book: Book, provider: Provider
) -> None:
    night_shift(provider)
    first = at(date(2026, 11, 1), "01:30")
    second = first + 60 * MINUTE
    visits = [book(start=start, now=first - DAY) for start in (first, second)]
    assert {f"{visit.local_start:%H:%M}" for visit in visits} == {"01:30"}


# Holds


def test_anothers_live_hold_keeps_the_time(
    book: Book, provider: Provider, visit_type: VisitType
) -> None:
    hold_of(provider, visit_type, NINE)
    with pytest.raises(SlotTaken) as caught:
        book(start=NINE + 15 * MINUTE)
    assert caught.value.held


def test_ones_own_hold_is_used_up(book: Book, provider: Provider, visit_type: VisitType) -> None:
    hold = hold_of(provider, visit_type, NINE)
    assert book(hold=hold, by=ONLINE).pk
    assert not SlotHold.objects.exists()


def test_a_hold_that_is_gone_books_nothing(
    book: Book, provider: Provider, visit_type: VisitType
) -> None:
    hold = hold_of(provider, visit_type, NINE)
    SlotHold.objects.update(expires_at=hold.expires_at - 11 * MINUTE)
    with pytest.raises(HoldExpired):
        book(hold=hold, by=ONLINE)
    assert not Appointment.objects.exists()
    assert book().pk


# Overbooking


def test_overbooked_visits_take_the_lowest_free_lanes(book: Book) -> None:
    book()
    lanes = [book(overbook=True) for _ in range(3)]
    assert [visit.overbook_lane for visit in lanes] == [1, 2, 3]
    booking.cancel(appointment=lanes[1], reason="OTHER", by=ONLINE, now=NINE - DAY)
    assert book(overbook=True).overbook_lane == 2


def test_there_are_twenty_lanes_beside_the_ordinary_one(book: Book) -> None:
    for _ in range(HIGHEST_LANE):
        book(overbook=True)
    with pytest.raises(SlotTaken):
        book(overbook=True)


def test_overbooking_ignores_holds_but_not_hours(
    book: Book, provider: Provider, visit_type: VisitType
) -> None:
    hold_of(provider, visit_type, NINE)
    assert book(overbook=True).overbook_lane == 1
    with pytest.raises(OutsideHours):
        book(overbook=True, start=at(MONDAY, "06:00"))


def test_an_overbooked_patient_is_still_one_person(book: Book, patient: Patient) -> None:
    book(patient=patient)
    with pytest.raises(PatientBusy):
        book(patient=patient, overbook=True)


def test_an_overbooked_visit_takes_up_the_ordinary_lane_too(book: Book) -> None:
    book(overbook=True)
    with pytest.raises(SlotTaken):
        book()


# Series


def series(
    provider: Provider, visit_type: VisitType, patient: Patient, weeks: range, **changed: Any
) -> list[Appointment]:
    values: dict[str, Any] = {
        "patient": patient,
        "provider": provider,
        "clinic": provider.clinic,
        "visit_type": visit_type,
        "starts": [at(next_monday(week), "09:00") for week in weeks],
        "by": ONLINE,
        "now": NINE - DAY,
    }
    return booking.book_series(**(values | changed))


def test_a_series_is_booked_as_one(
    provider: Provider, visit_type: VisitType, patient: Patient
) -> None:
    visits = series(provider, visit_type, patient, range(4))
    assert len({visit.series for visit in visits}) == 1
    assert visits[0].series is not None
    assert [v.scheduled_start for v in visits] == sorted(v.scheduled_start for v in visits)
    assert AppointmentEvent.objects.count() == 4


def test_a_series_with_one_visit_taken_books_none(
    book: Book, provider: Provider, visit_type: VisitType, patient: Patient
) -> None:
    book(start=at(next_monday(2), "09:00"))
    with pytest.raises(SlotTaken):
        series(provider, visit_type, patient, range(4))
    assert Appointment.objects.count() == 1


def test_a_series_names_the_patients_own_visit_as_what_it_is(
    book: Book, provider: Provider, visit_type: VisitType, patient: Patient
) -> None:
    colleague = ProviderFactory.create(clinic=provider.clinic, working=True)
    book(patient=patient, provider=colleague, start=at(next_monday(1), "09:00"))
    with pytest.raises(PatientBusy):
        series(provider, visit_type, patient, range(2))


def test_a_series_across_time_off_books_none(
    provider: Provider, visit_type: VisitType, patient: Patient
) -> None:
    leave(provider, at(next_monday(1), "00:00"), 60 * 24)
    with pytest.raises(ProviderAway):
        series(provider, visit_type, patient, range(3))
    assert not Appointment.objects.exists()


def test_a_series_keeps_nine_oclock_when_the_clocks_change(
    provider: Provider, visit_type: VisitType, patient: Patient
) -> None:
    days = [date(2026, 10, 26), date(2026, 11, 2)]
    starts = [at(day, "09:00") for day in days]
    visits = series(provider, visit_type, patient, range(0), starts=starts, now=starts[0] - DAY)
    assert [f"{visit.local_start:%H:%M}" for visit in visits] == ["09:00", "09:00"]
    assert visits[1].scheduled_start - visits[0].scheduled_start == 7 * DAY + 60 * MINUTE


# Whoever must hear of it


@pytest.fixture
def heard() -> Iterator[list[Change]]:
    with listening() as changes:
        yield changes


def test_every_handler_hears_of_a_booking(book: Book, heard: list[Change], desk: Actor) -> None:
    visit = book(by=desk)
    (change,) = heard
    assert (change.kind, change.appointment.pk, change.by) == ("BOOK", visit.pk, desk)
    assert change.before is None


def test_a_handler_that_fails_undoes_the_booking(
    book: Book, provider: Provider, settings: Settings
) -> None:
    settings.BOOKING_HANDLERS = ["tests.scheduling.handlers.fail"]
    with pytest.raises(LookupError):
        book()
    assert not Appointment.objects.exists()
    settings.BOOKING_HANDLERS = []
    assert book().pk


# Moves


def move(visit: Appointment, start: datetime, **changed: Any) -> Appointment:
    values: dict[str, Any] = {"by": someone_at_the_desk(), "now": NINE - DAY}
    return booking.reschedule(appointment=visit, start=start, **(values | changed))


def test_a_move_keeps_the_row_and_raises_its_sequence(book: Book) -> None:
    visit = book()
    visit = booking.confirm(appointment=visit, by=ONLINE, now=NINE - DAY)
    moved = move(visit, NINE + 60 * MINUTE)
    stored = Appointment.objects.get()
    assert stored.pk == moved.pk == visit.pk
    assert (stored.scheduled_start, stored.sequence) == (NINE + 60 * MINUTE, 1)
    assert stored.status == "SCHEDULED"
    assert stored.version == moved.version == 2


def test_the_visit_passed_in_is_left_as_it_was_read(book: Book) -> None:
    visit = book()
    move(visit, NINE + 60 * MINUTE)
    assert (visit.scheduled_start, visit.version) == (NINE, 0)


def test_a_move_tells_where_it_came_from(book: Book, provider: Provider) -> None:
    visit = move(book(), NINE + 60 * MINUTE, override="PATIENT_CALLED")
    event = visit.events.last()
    assert event is not None
    assert event.kind == "MOVE"
    assert event.details == {
        "from_start": NINE.isoformat(),
        "from_provider": str(provider.pk),
        "override": "PATIENT_CALLED",
    }


def test_a_move_by_less_than_the_visits_length_does_not_collide_with_itself(book: Book) -> None:
    assert move(book(), NINE + 15 * MINUTE).scheduled_start == NINE + 15 * MINUTE


def test_a_move_onto_another_visit_is_refused_and_changes_nothing(book: Book) -> None:
    visit = book()
    book(start=NINE + 60 * MINUTE)
    with pytest.raises(SlotTaken):
        move(visit, NINE + 60 * MINUTE)
    assert Appointment.objects.get(pk=visit.pk).scheduled_start == NINE


def test_a_move_into_time_off_is_refused(book: Book, provider: Provider) -> None:
    visit = book()
    leave(provider, NINE + 60 * MINUTE, 60)
    with pytest.raises(ProviderAway):
        move(visit, NINE + 60 * MINUTE)


def test_a_move_to_another_provider_bumps_both_calendars(book: Book, provider: Provider) -> None:
    visit = book()
    colleague = ProviderFactory.create(clinic=provider.clinic, working=True)
    before = [p.calendar.version for p in (provider, colleague)]
    moved = move(visit, NINE, provider=colleague)
    assert moved.provider == colleague
    after = [Provider.objects.get(pk=p.pk).calendar.version for p in (provider, colleague)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1]


def test_a_move_to_a_provider_whom_the_patient_sees_then_is_refused(
    book: Book, provider: Provider, patient: Patient
) -> None:
    visit = book(patient=patient)
    colleague = ProviderFactory.create(clinic=provider.clinic, working=True)
    book(patient=patient, provider=colleague, start=NINE + 60 * MINUTE)
    with pytest.raises(PatientBusy):
        move(visit, NINE + 60 * MINUTE)


def test_a_move_can_change_the_visits_length(book: Book) -> None:
    moved = move(book(), NINE, visit_type=VisitTypeFactory.create(minutes=45))
    assert Appointment.objects.get(pk=moved.pk).scheduled_end == NINE + 45 * MINUTE


def test_a_move_can_overbook_and_come_back(book: Book) -> None:
    visit = book()
    book(start=NINE + 60 * MINUTE)
    beside = move(visit, NINE + 60 * MINUTE, overbook=True)
    assert beside.overbook_lane == 1
    assert move(beside, NINE + 75 * MINUTE, overbook=True).overbook_lane == 1
    latest = Appointment.objects.get(pk=visit.pk)
    assert move(latest, NINE).overbook_lane == 0


def test_a_move_uses_up_the_hold_that_kept_its_time(
    book: Book, provider: Provider, visit_type: VisitType
) -> None:
    visit = book()
    hold = hold_of(provider, visit_type, NINE + 60 * MINUTE)
    with pytest.raises(SlotTaken):
        move(visit, NINE + 60 * MINUTE)
    assert move(visit, NINE + 60 * MINUTE, hold=hold).pk
    assert not SlotHold.objects.exists()
