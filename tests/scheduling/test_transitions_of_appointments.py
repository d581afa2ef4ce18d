from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from patients.models import Patient
from providers import hours
from providers.models import Provider, ProviderCalendar, TimeOff, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import (
    IllegalTransition,
    InThePast,
    PatientBusy,
    ProviderAway,
    SlotTaken,
    Stale,
    TooEarly,
    TooLateToChange,
    UndoExpired,
)
from scheduling.models import Appointment, SlotHold
from scheduling.transitions import Act
from tests.factories import AppointmentFactory, at, hold_of, next_monday
from tests.refusals import commit_checks

pytestmark = pytest.mark.django_db
NINE = at(next_monday(), "09:00")
BEFORE = NINE - timedelta(days=1)
MINUTE = timedelta(minutes=1)
PATIENT = Actor.patient()


@pytest.fixture(autouse=True)
def _would_commit() -> Iterator[None]:
    yield
    commit_checks()


@pytest.fixture
def visit(provider: Provider, visit_type: VisitType, patient: Patient) -> Appointment:
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, patient=patient, start=NINE
    )


def cancelled(visit: Appointment, by: Actor, now: datetime | None = None) -> Appointment:
    return booking.cancel(
        appointment=visit, reason="PATIENT_REQUEST", by=by, now=now or timezone.now()
    )


def stored(visit: Appointment) -> Appointment:
    return Appointment.objects.get(pk=visit.pk)


def kinds(visit: Appointment) -> list[str]:
    return [event.kind for event in visit.events.all()]


def test_a_visit_goes_its_way_from_booked_to_completed(visit: Appointment, desk: Actor) -> None:
    visit = booking.confirm(appointment=visit, by=PATIENT, now=BEFORE)
    visit = booking.check_in(appointment=visit, by=desk, now=NINE - 5 * MINUTE)
    visit = booking.complete(appointment=visit, by=desk, now=NINE + 30 * MINUTE)
    kept = stored(visit)
    assert (kept.status, kept.arrived_at) == ("COMPLETED", NINE - 5 * MINUTE)
    assert kept.version == visit.version == 3
    assert kinds(visit) == ["BOOK", "CONFIRM", "CHECK_IN", "COMPLETE"]


def test_an_act_leaves_the_visit_that_was_passed_in_alone(visit: Appointment, desk: Actor) -> None:
    changed = booking.confirm(appointment=visit, by=desk, now=BEFORE)
    assert (visit.status, visit.version) == ("SCHEDULED", 0)
    assert (changed.status, changed.version) == ("CONFIRMED", 1)


def test_confirming_twice_is_confirming_once(visit: Appointment) -> None:
    once = booking.confirm(appointment=visit, by=PATIENT, now=BEFORE)
    twice = booking.confirm(appointment=once, by=PATIENT, now=BEFORE)
    assert twice.version == once.version
    assert kinds(visit) == ["BOOK", "CONFIRM"]


def test_a_patient_is_shown_to_their_room(visit: Appointment, desk: Actor) -> None:
    booking.transition(appointment=visit, act=Act.ROOM, by=desk, now=NINE)
    assert stored(visit).roomed_at == NINE


def test_who_read_too_early_is_told_so(visit: Appointment, desk: Actor) -> None:
    booking.confirm(appointment=visit, by=PATIENT, now=BEFORE)
    with pytest.raises(Stale):
        cancelled(visit, desk)
    with pytest.raises(Stale):
        booking.reschedule(appointment=visit, start=NINE + 60 * MINUTE, by=desk, now=BEFORE)


def test_a_cancelled_visit_is_neither_moved_nor_confirmed(visit: Appointment, desk: Actor) -> None:
    gone = cancelled(visit, desk)
    with pytest.raises(IllegalTransition):
        booking.reschedule(appointment=gone, start=NINE + 60 * MINUTE, by=desk, now=BEFORE)
    with pytest.raises(IllegalTransition):
        booking.confirm(appointment=gone, by=desk, now=BEFORE)


def test_no_show_waits_for_a_quarter_of_an_hour(visit: Appointment, desk: Actor) -> None:
    with pytest.raises(TooEarly):
        booking.mark_no_show(appointment=visit, by=desk, now=NINE + 14 * MINUTE)
    missed = booking.mark_no_show(appointment=visit, by=desk, now=NINE + 15 * MINUTE)
    assert stored(missed).status == "NO_SHOW"


def test_a_visit_is_not_completed_before_it_began_unless_the_patient_is_here(
    visit: Appointment, desk: Actor
) -> None:
    early = NINE - 5 * MINUTE
    with pytest.raises(TooEarly):
        booking.complete(appointment=visit, by=desk, now=early)
    here = booking.check_in(appointment=visit, by=desk, now=early)
    assert booking.complete(appointment=here, by=desk, now=early).status == "COMPLETED"


# Cut-offs


def test_patients_change_a_visit_until_the_clinics_cut_off(visit: Appointment) -> None:
    cut_off = NINE - timedelta(hours=visit.clinic.patient_cutoff_hours)
    for override in ("", "URGENT"):
        with pytest.raises(TooLateToChange):
            booking.cancel(
                appointment=visit, reason="OTHER", override=override, by=PATIENT, now=cut_off
            )
    with pytest.raises(TooLateToChange):
        booking.reschedule(appointment=visit, start=NINE + 60 * MINUTE, by=PATIENT, now=cut_off)
    assert cancelled(visit, PATIENT, cut_off - MINUTE).status == "CANCELLED"


def test_patients_change_nothing_that_has_begun(visit: Appointment) -> None:
    with pytest.raises(InThePast):
        cancelled(visit, PATIENT, NINE)


def test_staff_change_it_later_and_their_reason_is_kept(visit: Appointment, desk: Actor) -> None:
    booking.cancel(
        appointment=visit, reason="OTHER", override="PATIENT_CALLED", by=desk, now=NINE - MINUTE
    )
    event = visit.events.last()
    assert event is not None
    assert event.details == {"reason": "OTHER", "override": "PATIENT_CALLED"}


# Cancelling and the ten minutes


def test_a_patients_cancellation_frees_the_time_at_once(visit: Appointment) -> None:
    gone = cancelled(visit, PATIENT)
    assert gone.undo_until is None
    assert not SlotHold.objects.exists()
    assert AppointmentFactory.create(provider=visit.provider, start=NINE).pk


def test_a_staff_cancellation_keeps_the_time_for_ten_minutes(
    visit: Appointment, desk: Actor
) -> None:
    now = timezone.now()
    gone = cancelled(visit, desk, now)
    assert gone.undo_until == now + 10 * MINUTE
    hold = SlotHold.objects.get()
    assert (hold.purpose, hold.expires_at, hold.appointment_id) == (
        "UNDO",
        gone.undo_until,
        visit.pk,
    )
    with pytest.raises(SlotTaken):
        AppointmentFactory.create(provider=visit.provider, start=NINE)


def test_cancelling_bumps_the_calendar_and_confirming_does_not(
    visit: Appointment, desk: Actor
) -> None:
    def version() -> int:
        return ProviderCalendar.objects.get(pk=visit.provider_id).version

    before = version()
    confirmed = booking.confirm(appointment=visit, by=desk, now=BEFORE)
    assert version() == before
    cancelled(confirmed, desk)
    assert version() == before + 1


def test_undoing_a_cancellation_brings_back_what_was(visit: Appointment, desk: Actor) -> None:
    confirmed = booking.confirm(appointment=visit, by=PATIENT, now=timezone.now())
    gone = cancelled(confirmed, desk)
    back = booking.undo(appointment=gone, by=desk, now=timezone.now())
    assert (stored(back).status, back.undo_until) == ("CONFIRMED", None)
    assert not SlotHold.objects.exists()
    assert kinds(visit) == ["BOOK", "CONFIRM", "CANCEL", "UNDO"]


Close = Callable[..., Appointment]


@pytest.mark.parametrize("close", [booking.complete, booking.mark_no_show])
def test_closing_a_visit_can_be_undone(visit: Appointment, desk: Actor, close: Close) -> None:
    now = timezone.now()
    past = AppointmentFactory.create(
        provider=visit.provider, start=at(next_monday(-2), "09:00"), by=desk
    )
    closed = close(appointment=past, by=desk, now=now)
    back = booking.undo(appointment=closed, by=desk, now=now)
    assert stored(back).status == "SCHEDULED"


def test_after_ten_minutes_nothing_is_undone(visit: Appointment, desk: Actor) -> None:
    gone = cancelled(visit, desk, timezone.now() - 11 * MINUTE)
    with pytest.raises(UndoExpired):
        booking.undo(appointment=gone, by=desk, now=timezone.now())
    assert AppointmentFactory.create(provider=visit.provider, start=NINE).pk


def test_a_patients_own_cancellation_is_not_undone(visit: Appointment, desk: Actor) -> None:
    gone = cancelled(visit, PATIENT)
    with pytest.raises(UndoExpired):
        booking.undo(appointment=gone, by=desk, now=timezone.now())


def test_a_confirmation_is_not_undone(visit: Appointment, desk: Actor) -> None:
    confirmed = booking.confirm(appointment=visit, by=desk, now=BEFORE)
    with pytest.raises(UndoExpired):
        booking.undo(appointment=confirmed, by=desk, now=timezone.now())


def test_an_act_is_undone_once(visit: Appointment, desk: Actor) -> None:
    gone = cancelled(visit, desk)
    booking.undo(appointment=gone, by=desk, now=timezone.now())
    with pytest.raises(UndoExpired):
        booking.undo(appointment=gone, by=desk, now=timezone.now())


def test_undoing_into_time_off_is_refused(visit: Appointment, desk: Actor) -> None:
    gone = cancelled(visit, desk)
    hours.save_time_off(
        TimeOff(
            provider=visit.provider,
            start_datetime=NINE,
            end_datetime=NINE + 60 * MINUTE,
            reason="SICK",
        )
    )
    with pytest.raises(ProviderAway):
        booking.undo(appointment=gone, by=desk, now=timezone.now())
    assert SlotHold.objects.filter(purpose="UNDO").exists()


def test_a_visit_comes_back_beside_those_that_were_overbooked_on_it(
    visit: Appointment, desk: Actor
) -> None:
    beside = AppointmentFactory.create(provider=visit.provider, start=NINE, overbook=True)
    gone = cancelled(visit, desk)
    assert booking.undo(appointment=gone, by=desk, now=timezone.now()).status == "SCHEDULED"
    gone = cancelled(beside, desk)
    back = booking.undo(appointment=gone, by=desk, now=timezone.now())
    assert (back.status, back.overbook_lane) == ("SCHEDULED", 1)


def test_an_overbooked_visit_whose_lane_was_taken_stays_cancelled(
    visit: Appointment, desk: Actor
) -> None:
    gone = cancelled(
        AppointmentFactory.create(provider=visit.provider, start=NINE, overbook=True), desk
    )
    AppointmentFactory.create(provider=visit.provider, start=NINE, overbook=True)
    with pytest.raises(SlotTaken):
        booking.undo(appointment=gone, by=desk, now=timezone.now())


def test_a_patient_who_booked_elsewhere_meanwhile_is_not_brought_back(
    visit: Appointment, desk: Actor
) -> None:
    gone = cancelled(visit, desk)
    AppointmentFactory.create(patient=visit.patient, start=NINE)
    with pytest.raises(PatientBusy):
        booking.undo(appointment=gone, by=desk, now=timezone.now())


def test_sending_now_ends_the_wait_and_frees_the_time(visit: Appointment, desk: Actor) -> None:
    gone = cancelled(visit, desk)
    final = booking.send_now(appointment=gone, by=desk, now=timezone.now())
    assert final.undo_until is None
    with pytest.raises(UndoExpired):
        booking.undo(appointment=final, by=desk, now=timezone.now())
    with pytest.raises(UndoExpired):
        booking.send_now(appointment=final, by=desk, now=timezone.now())
    assert AppointmentFactory.create(provider=visit.provider, start=NINE).pk


def test_a_hold_of_somebody_else_waits_for_the_ten_minutes_too(
    visit: Appointment, desk: Actor, visit_type: VisitType
) -> None:
    cancelled(visit, desk)
    with pytest.raises(SlotTaken):
        hold_of(visit.provider, visit_type, NINE)
