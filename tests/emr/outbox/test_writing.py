"""What a change of a visit writes for the record systems, and what it costs the booking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from emr.arriving import arriving
from emr.kinds import State, What, Why
from emr.models import EMRConnection, OutboundMessage
from emr.outbox import writing
from patients.models import Patient
from patients.registration import Details, register
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.errors import SlotTaken
from scheduling.models import Appointment
from tests.emr.outbox.scene import begun, cancel
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    ProviderFactory,
    at,
    next_monday,
    someone_at_the_desk,
)
from tests.factories.emr import EMRConnectionFactory

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def joined(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(clinic=clinic)


@pytest.fixture
def visit(joined: EMRConnection, provider: Provider) -> Appointment:
    return AppointmentFactory.create(provider=provider)


def rows(**columns: Any) -> list[OutboundMessage]:
    return list(OutboundMessage.objects.filter(**columns).order_by("version", "rank", "id"))


def fresh(visit: Appointment) -> Appointment:
    return Appointment.objects.select_related("clinic", "provider").get(pk=visit.pk)


def about_emr(statements: CaptureQueriesContext) -> list[str]:
    return [each["sql"] for each in statements.captured_queries if "emr_" in each["sql"]]


def test_each_change_writes_a_row_in_the_order_of_the_versions(visit: Appointment) -> None:
    moved = booking.reschedule(
        appointment=fresh(visit),
        start=visit.scheduled_start + HOUR,
        by=someone_at_the_desk(),
        now=timezone.now(),
    )
    booking.confirm(appointment=moved, by=someone_at_the_desk(), now=timezone.now())
    assert [(row.act, row.version) for row in rows()] == [("BOOK", 0), ("MOVE", 1), ("CONFIRM", 2)]
    first = rows()[0]
    assert (first.what, first.state, first.patient) == (What.VISIT, State.QUEUED, visit.patient)
    assert len({row.marker for row in rows()}) == 3
    assert all(len(row.marker) == 16 for row in rows())
    assert first.pk.version == 7


@pytest.mark.parametrize("columns", [{"is_active": False}, {"sends_visits": False}])
def test_a_connection_that_is_told_of_nothing_gets_no_row(
    joined: EMRConnection, provider: Provider, columns: dict[str, Any]
) -> None:
    EMRConnection.objects.update(**columns)
    AppointmentFactory.create(provider=provider)
    assert rows() == []


def test_only_the_clinics_own_systems_are_told_and_not_the_one_that_told_us(
    joined: EMRConnection, provider: Provider
) -> None:
    other = EMRConnectionFactory.create(clinic=joined.clinic)
    EMRConnectionFactory.create()
    with arriving(joined.pk):
        AppointmentFactory.create(provider=provider)
    assert [row.connection for row in rows()] == [other]


def test_a_visit_that_moves_to_another_clinic_is_told_of_at_both(
    joined: EMRConnection, visit: Appointment
) -> None:
    elsewhere = ClinicFactory.create()
    colleague = ProviderFactory.create(clinic=elsewhere, working=True)
    there = EMRConnectionFactory.create(clinic=elsewhere)
    booking.reschedule(
        appointment=fresh(visit),
        start=visit.scheduled_start,
        provider=colleague,
        clinic=elsewhere,
        by=someone_at_the_desk(),
        now=timezone.now(),
    )
    assert {row.connection for row in rows(act="MOVE")} == {joined, there}


def test_what_staff_cancel_leaves_when_it_cannot_be_undone_any_more(visit: Appointment) -> None:
    done = cancel(visit)
    [row] = rows(act="CANCEL")
    assert row.not_before == done.undo_until
    assert row.not_before > timezone.now() + 9 * MINUTE


def test_send_now_lets_it_leave_at_once(visit: Appointment) -> None:
    booking.send_now(appointment=cancel(visit), by=someone_at_the_desk(), now=timezone.now())
    [row] = rows(act="CANCEL")
    assert row.not_before <= timezone.now()
    assert [one.act for one in rows()] == ["BOOK", "CANCEL"]


def test_an_undone_act_needs_no_row_of_its_own_while_the_acts_own_still_waits(
    visit: Appointment,
) -> None:
    booking.undo(appointment=cancel(visit), by=someone_at_the_desk(), now=timezone.now())
    [row] = rows(act="CANCEL")
    assert row.not_before <= timezone.now()
    assert rows(act="UNDO") == []


def test_an_undone_act_that_is_on_its_way_gets_a_row_that_takes_it_back(
    visit: Appointment,
) -> None:
    done = cancel(visit)
    OutboundMessage.objects.filter(act="BOOK").update(state=State.DONE.value)
    OutboundMessage.objects.filter(act="CANCEL").update(state=State.SENDING.value)
    booking.undo(appointment=done, by=someone_at_the_desk(), now=timezone.now())
    assert [row.act for row in rows()] == ["BOOK", "CANCEL", "UNDO"]


def test_a_completed_visit_has_one_note_however_often_it_is_completed(visit: Appointment) -> None:
    late = begun(visit)
    for _time in range(2):
        done = booking.complete(appointment=late, by=someone_at_the_desk(), now=timezone.now())
        late = booking.undo(appointment=done, by=someone_at_the_desk(), now=timezone.now())
    last = booking.complete(appointment=late, by=someone_at_the_desk(), now=timezone.now())
    [note] = rows(what=What.NOTE.value)
    assert (note.rank, note.version, note.not_before) == (1, last.version, last.undo_until)


def test_a_note_that_was_skipped_comes_again(visit: Appointment) -> None:
    done = booking.complete(appointment=begun(visit), by=someone_at_the_desk(), now=timezone.now())
    OutboundMessage.objects.filter(what="NOTE").update(state=State.SKIPPED.value)
    back = booking.undo(appointment=done, by=someone_at_the_desk(), now=timezone.now())
    booking.complete(appointment=back, by=someone_at_the_desk(), now=timezone.now())
    assert [row.state for row in rows(what="NOTE")] == [State.SKIPPED, State.QUEUED]


def test_a_change_that_fails_leaves_no_row(visit: Appointment, provider: Provider) -> None:
    before = rows()
    with pytest.raises(SlotTaken):
        AppointmentFactory.create(provider=provider, start=visit.scheduled_start)
    assert rows() == before


@pytest.mark.parametrize("systems", [0, 1, 2])
def test_the_bookings_path_pays_one_statement_with_and_without_record_systems(
    clinic: Clinic, provider: Provider, patient: Patient, visit_type: VisitType, systems: int
) -> None:
    """The systems listen on a port where nobody is: the booking speaks with none of them."""
    EMRConnectionFactory.create_batch(systems, clinic=clinic)
    with CaptureQueriesContext(database) as statements:
        AppointmentFactory.create(provider=provider, patient=patient, visit_type=visit_type)
    assert len(about_emr(statements)) == 1
    assert len(rows()) == systems


def test_a_dead_record_system_costs_a_booking_not_one_statement_more(
    clinic: Clinic, provider: Provider, patient: Patient, visit_type: VisitType
) -> None:
    by, monday = someone_at_the_desk(), next_monday()
    counts: list[int] = []
    for systems, clock in [(0, "08:00"), (0, "09:00"), (1, "10:00")]:  # the first fills a cache
        EMRConnectionFactory.create_batch(systems, clinic=clinic)
        with CaptureQueriesContext(database) as statements:
            AppointmentFactory.create(
                provider=provider,
                patient=patient,
                visit_type=visit_type,
                start=at(monday, clock),
                by=by,
            )
        counts.append(len(statements))
    assert counts[1] == counts[2]


def test_the_worker_is_called_once_the_change_has_committed(
    joined: EMRConnection, provider: Provider, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as queued:
        visit = AppointmentFactory.create(provider=provider)
    assert calls_of(queued) == [(writing.PUSH, str(joined.pk))]
    with django_capture_on_commit_callbacks() as queued:
        cancel(visit)
    assert calls_of(queued) == []  # it waits for ten minutes: the minute's own job finds it


def calls_of(queued: Sequence[Any]) -> list[tuple[str, ...]]:
    named = [call for call in queued if getattr(call, "args", ("",))[0] == writing.PUSH]
    return [call.args for call in named]


def test_whoever_is_registered_is_looked_for_once(joined: EMRConnection, clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=Details(given_name="Ada", family_name="Moreno"))
    writing.ask_for_patient(patient, connection=joined, now=timezone.now())
    [row] = rows()
    assert (row.what, row.act, row.patient, row.connection) == ("PATIENT", "FIND", patient, joined)


def test_a_registration_pays_one_statement(clinic: Clinic) -> None:
    with CaptureQueriesContext(database) as statements:
        register(clinic=clinic, details=Details(given_name="Ada", family_name="Moreno"))
    assert len(about_emr(statements)) == 1


def test_waking_wakes_what_waits_for_this(joined: EMRConnection, visit: Appointment) -> None:
    OutboundMessage.objects.update(state=State.WAITING.value, why=Why.CONFLICT.value)
    now = timezone.now()
    assert writing.wake(connection=joined, patient=visit.patient, now=now) == 0
    assert writing.wake(connection=joined, appointment=visit, now=now) == 1
    [row] = rows()
    assert (row.state, row.why) == (State.QUEUED, Why.NONE)


def test_telling_again_writes_a_row_for_the_visit_as_it_is(
    joined: EMRConnection, visit: Appointment
) -> None:
    writing.tell_again(visit, joined, now=timezone.now())
    assert {(row.act, row.version) for row in rows()} == {("BOOK", 0), ("AGAIN", 0)}
