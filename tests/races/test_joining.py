"""Records joined while others book for them, change them, or join them the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from patients.merging import CannotJoin, Choices
from patients.models import Patient, PatientMerge
from patients.registration import Details, DetailsChanged, stamp_of, update_details
from scheduling import booking
from scheduling.errors import Busy, PatientBusy, PatientJoined, Stale
from scheduling.merging import VisitsOverlap, join
from scheduling.models import Appointment
from tests.factories import PatientFactory, UserFactory
from tests.races.crew import Crew, Job
from tests.races.rounds import ROUNDS
from tests.races.stage import MINUTE, Stage

pytestmark = pytest.mark.race
REFUSALS = (CannotJoin, DetailsChanged, VisitsOverlap, PatientJoined, PatientBusy, Stale, Busy)


def two_records(stage: Stage) -> tuple[Patient, Patient]:
    one, other = PatientFactory.create_batch(2, clinic=stage.clinic)
    return one, other


def joining(keep: Patient, away: Patient, by: User) -> Job:
    choices = Choices(seen=(stamp_of(keep), stamp_of(away)))
    return partial(join, keep=keep, away=away, choices=choices, by=by, now=timezone.now())


def booking_for(stage: Stage, patient: Patient, *, provider: int = 0) -> Job:
    return partial(
        booking.book,
        patient=patient,
        provider=stage.providers[provider],
        clinic=stage.clinic,
        visit_type=stage.visit_type,
        start=stage.fresh_hour(),
        override="URGENT",
        by=stage.desk,
        now=timezone.now(),
    )


def refused(answers: Sequence[object]) -> list[type[object]]:
    """Return the kinds of refusals; any other error, a deadlock say, is raised here."""
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, REFUSALS):
            raise answer
    return [type(answer) for answer in answers if isinstance(answer, Exception)]


def stranded() -> int:
    """Return how many visits hang on a record that was joined into another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scheduling_appointment AS visit"
            " JOIN patients_patient AS person ON person.id = visit.patient_id"
            " WHERE person.merged_into_id IS NOT NULL"
        )
        return int(cursor.fetchone()[0])


def test_without_the_guard_a_booking_is_stranded_on_a_joined_record(stage: Stage) -> None:
    by = UserFactory.create()
    _guards("DISABLE")
    try:
        with Crew(2) as crew:
            for _ in range(100):
                keep, away = two_records(stage)
                crew.race([booking_for(stage, away), joining(keep, away, by)])
                if stranded():
                    break
        assert stranded()
    finally:
        _guards("ENABLE")


def _guards(act: str) -> None:
    """Of visits, and of what is said of them, which would catch what the first lets through."""
    guards = {"scheduling_appointment": "appointment", "reminders_notice": "notice"}
    with connection.cursor() as cursor:
        for table, name in guards.items():
            cursor.execute(f"ALTER TABLE {table} {act} TRIGGER {name}_patient_not_joined")


def test_a_booking_for_a_record_being_joined_goes_along_or_is_refused(stage: Stage) -> None:
    by = UserFactory.create()
    booked = 0
    with Crew(2) as crew:
        for _ in range(ROUNDS["join and booking", 2]):
            keep, away = two_records(stage)
            visit, merge = crew.race([booking_for(stage, away), joining(keep, away, by)])
            assert set(refused([visit, merge])) <= {PatientJoined}
            assert isinstance(merge, PatientMerge)
            if isinstance(visit, Appointment):
                booked += 1
                assert Appointment.objects.get(pk=visit.pk).patient_id == keep.pk
    assert stranded() == 0
    assert Appointment.objects.count() == booked


def test_visits_of_both_at_one_time_are_never_one_persons(stage: Stage) -> None:
    by = UserFactory.create()
    with Crew(2) as crew:
        for _ in range(ROUNDS["join and overlap", 2]):
            keep, away = two_records(stage)
            mine = booking_for(stage, keep)
            visit = mine()
            assert isinstance(visit, Appointment)
            theirs = booking_for(stage, away, provider=1)
            theirs.keywords["start"] = visit.scheduled_start  # type: ignore[attr-defined]
            answers = crew.race([theirs, joining(keep, away, by)])
            assert set(refused(answers)) <= {PatientJoined, VisitsOverlap, Busy}
            assert len(refused(answers)) == 1
    assert stranded() == 0


def test_two_who_join_crosswise_join_once(stage: Stage) -> None:
    by = UserFactory.create()
    with Crew(2) as crew:
        for _ in range(ROUNDS["join crosswise", 2]):
            one, other = two_records(stage)
            answers = crew.race([joining(one, other, by), joining(other, one, by)])
            assert refused(answers) == [CannotJoin]
            assert Patient.objects.filter(pk__in=[one.pk, other.pk], merged_into=None).count() == 1


def test_a_change_of_details_is_in_the_joined_record_or_is_refused(stage: Stage) -> None:
    by = UserFactory.create()
    with Crew(2) as crew:
        for _ in range(ROUNDS["join and details", 2]):
            keep, away = two_records(stage)
            told = replace(Details.of(away), city="Troy")
            change = partial(update_details, patient=away, details=told, seen=stamp_of(away))
            answers = crew.race([change, joining(keep, away, by)])
            assert refused(answers) == [DetailsChanged]
            row = Patient.objects.get(pk=away.pk)
            assert (row.city == "Troy") == (row.merged_into_id is None)


def test_a_visit_that_moves_while_records_are_joined_moves_or_is_read_again(stage: Stage) -> None:
    by = UserFactory.create()
    with Crew(2) as crew:
        for _ in range(ROUNDS["join and move", 2]):
            keep, away = two_records(stage)
            visit = booking_for(stage, away)()
            assert isinstance(visit, Appointment)
            move = partial(
                booking.reschedule,
                appointment=visit,
                start=visit.scheduled_start + 20 * MINUTE,
                override="URGENT",
                by=stage.desk,
                now=timezone.now() + timedelta(seconds=1),
            )
            moved, merge = crew.race([move, joining(keep, away, by)])
            assert set(refused([moved, merge])) <= {Stale}
            row = Appointment.objects.get(pk=visit.pk)
            assert row.patient_id == keep.pk
            assert (row.scheduled_start != visit.scheduled_start) == isinstance(moved, Appointment)
    assert stranded() == 0
