"""No change of free time commits without bumping the calendar, whoever makes it and however."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from providers.calendars import bump
from providers.models import (
    ClinicClosure,
    Provider,
    ProviderCalendar,
    ProviderSchedule,
    TimeOff,
    TimeZone,
    VisitType,
)
from scheduling.models import Appointment, SlotHold
from tests.factories import (
    AppointmentFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)
from tests.refusals import commit_checks, forget_bumps, refused_by, run

HOUR = timedelta(hours=1)
GUARD = "provider_calendar_bumped"


def read(provider: Provider) -> tuple[int, int]:
    row = ProviderCalendar.objects.get(pk=provider.pk)
    return row.version, row.stamp


@pytest.mark.django_db
def test_a_bump_counts_up_and_draws_a_new_stamp(provider: Provider) -> None:
    version, stamp = read(provider)
    bump([provider.pk])
    assert read(provider)[0] == version + 1
    assert read(provider)[1] != stamp


@pytest.mark.django_db
def test_many_are_bumped_at_once_and_nobody_else() -> None:
    first, second, third = ProviderFactory.create_batch(3)
    bump([third.pk, first.pk, first.pk])
    assert [read(p)[0] for p in (first, second, third)] == [1, 0, 1]


@pytest.mark.django_db
def test_bumping_nobody_asks_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        bump([])


@pytest.mark.django_db
def test_a_bump_names_the_transaction_that_made_it(provider: Provider) -> None:
    bump([provider.pk])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        assert ProviderCalendar.objects.get(pk=provider.pk).bumped_by == int(cursor.fetchone()[0])


def booked() -> Appointment:
    return AppointmentFactory.create()


def away(provider: Provider) -> TimeOff:
    start = at(next_monday(30), "09:00")
    return TimeOff.objects.create(
        provider=provider, start_datetime=start, end_datetime=start + HOUR, reason="CME"
    )


def held() -> SlotHold:
    provider = ProviderFactory.create(working=True)
    return hold_of(provider, VisitTypeFactory.create(), at(next_monday(1), "09:00"))


def insert_appointment() -> None:
    visit = booked()
    run(f"{ALIKE} AND id = %s", [visit.pk])


ALIKE = """
INSERT INTO scheduling_appointment (id, reference, patient_id, provider_id, clinic_id,
    appointment_type_id, scheduled_start, scheduled_end, busy, overbook_lane, status,
    reason_for_visit, booked_via, version, sequence)
SELECT gen_random_uuid(), 'ALIKE', patient_id, provider_id, clinic_id, appointment_type_id,
    scheduled_start + '300 days', scheduled_end + '300 days',
    tstzrange(lower(busy) + '300 days', upper(busy) + '300 days'),
    0, 'SCHEDULED', '', 'DESK', 0, 0 FROM scheduling_appointment WHERE true"""


def change(sql: str, make: Callable[[], object]) -> Callable[[], Callable[[], None]]:
    """Return an arrangement: `make` a row, then the raw change to be refused, as a callable."""

    def arrange() -> Callable[[], None]:
        row = make()
        return lambda: run(sql, [getattr(row, "pk", None)])

    return arrange


def provider_of_hours() -> ProviderSchedule:
    return ProviderScheduleFactory.create()


def hours_for_one_type() -> ProviderSchedule:
    return ProviderScheduleFactory.create(visit_types=[VisitTypeFactory.create()])


def closed() -> ClinicClosure:
    provider = ProviderFactory.create(working=True)
    start = at(next_monday(30), "09:00")
    return ClinicClosure.objects.create(
        clinic=provider.clinic, start_datetime=start, end_datetime=start + HOUR, label="Holiday"
    )


def clinic_with_provider() -> object:
    TimeZone.objects.get_or_create(name="America/Chicago")
    return ProviderFactory.create(working=True).clinic


CHANGES: dict[str, Callable[[], Callable[[], None]]] = {
    "appointment inserted": change(f"{ALIKE} AND id = %s", booked),
    "appointment moved": change(
        "UPDATE scheduling_appointment SET scheduled_end = scheduled_end - '1 min'::interval,"
        " busy = tstzrange(lower(busy), upper(busy) - '1 min'::interval) WHERE id = %s",
        booked,
    ),
    "appointment cancelled": change(
        "UPDATE scheduling_appointment SET status = 'CANCELLED' WHERE id = %s", booked
    ),
    "hold inserted": change(
        "INSERT INTO scheduling_slothold SELECT (jsonb_populate_record(held,"
        " jsonb_build_object('id', gen_random_uuid()))).* FROM scheduling_slothold AS held"
        " WHERE id = %s",
        held,
    ),
    "hold made longer": change(
        "UPDATE scheduling_slothold SET expires_at = expires_at + '1 min'::interval WHERE id = %s",
        held,
    ),
    "live hold deleted": change("DELETE FROM scheduling_slothold WHERE id = %s", held),
    "time off moved": change(
        "UPDATE providers_timeoff SET end_datetime = end_datetime + '1 min'::interval"
        " WHERE id = %s",
        lambda: away(ProviderFactory.create()),
    ),
    "time off deleted": change(
        "DELETE FROM providers_timeoff WHERE id = %s", lambda: away(ProviderFactory.create())
    ),
    "hours shortened": change(
        "UPDATE providers_providerschedule SET end_time = '16:00' WHERE id = %s", provider_of_hours
    ),
    "hours deleted": change(
        "DELETE FROM providers_providerschedule WHERE id = %s", provider_of_hours
    ),
    "allowed type removed": change(
        "DELETE FROM providers_providerschedule_visit_types WHERE providerschedule_id = %s",
        hours_for_one_type,
    ),
    "allowed type added": change(
        "INSERT INTO providers_providerschedule_visit_types (providerschedule_id, visittype_id)"
        " SELECT hours.id, kind.id FROM providers_providerschedule AS hours,"
        " providers_visittype AS kind WHERE hours.id = %s",
        lambda: (VisitTypeFactory.create(), provider_of_hours())[1],
    ),
    "closure moved": change(
        "UPDATE providers_clinicclosure SET end_datetime = end_datetime + '1 min'::interval"
        " WHERE id = %s",
        closed,
    ),
    "closure deleted": change("DELETE FROM providers_clinicclosure WHERE id = %s", closed),
    "clinic in another zone": change(
        "UPDATE providers_clinic SET time_zone_id = 'America/Chicago' WHERE id = %s",
        clinic_with_provider,
    ),
    "clinic no longer active": change(
        "UPDATE providers_clinic SET is_active = false WHERE id = %s", clinic_with_provider
    ),
    "provider no longer active": change(
        "UPDATE providers_provider SET is_active = false WHERE id = %s", ProviderFactory.create
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", CHANGES)
def test_without_a_bump_the_database_refuses(name: str) -> None:
    alter = arranged(name)
    with refused_by(GUARD):
        alter()


@pytest.mark.django_db
@pytest.mark.parametrize("name", CHANGES)
def test_with_a_bump_the_database_agrees_to(name: str) -> None:
    arranged(name)()
    bump_everybody()
    commit_checks()


def arranged(name: str) -> Callable[[], None]:
    alter = CHANGES[name]()
    bump_everybody()
    commit_checks()
    forget_bumps()
    return alter


def bump_everybody() -> None:
    bump(Provider.objects.values_list("pk", flat=True))


@pytest.mark.django_db
def test_both_calendars_are_guarded_when_time_off_changes_hands() -> None:
    mine, theirs = ProviderFactory.create_batch(2)
    time_off = away(mine)
    bump_everybody()
    commit_checks()
    forget_bumps()
    with refused_by(GUARD):
        TimeOff.objects.filter(pk=time_off.pk).update(provider=theirs)
        bump([theirs.pk])
    with refused_by(GUARD):
        TimeOff.objects.filter(pk=time_off.pk).update(provider=theirs)
        bump([mine.pk])


@pytest.mark.django_db
def test_an_expired_hold_may_be_deleted_without_a_bump() -> None:
    hold = held()
    SlotHold.objects.update(expires_at=timezone.now() - HOUR)
    commit_checks()
    forget_bumps()
    assert SlotHold.objects.filter(pk=hold.pk).delete()[0] == 1
    commit_checks()


@pytest.mark.django_db
def test_a_change_that_frees_no_time_needs_no_bump() -> None:
    visit = booked()
    commit_checks()
    forget_bumps()
    Appointment.objects.update(status="CONFIRMED", booked_via="DESK")
    VisitType.objects.update(label="Check-up")
    Provider.objects.filter(pk=visit.provider_id).update(name="Dr. New Name")
    commit_checks()


@pytest.mark.django_db
def test_a_cancelled_appointment_may_be_deleted_without_a_bump() -> None:
    visit = booked()
    Appointment.objects.update(status="CANCELLED")
    commit_checks()
    forget_bumps()
    run("ALTER TABLE scheduling_appointmentevent DISABLE TRIGGER appointment_event_append_only")
    Appointment.objects.filter(pk=visit.pk).delete()
    commit_checks()


@pytest.mark.django_db(transaction=True)
def test_a_real_commit_is_refused_and_leaves_nothing() -> None:
    provider = ProviderFactory.create()
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        away(provider)
    assert caught.value.__cause__.diag.constraint_name == GUARD  # type: ignore[union-attr]
    assert not TimeOff.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_yesterdays_bump_does_not_serve_todays_transaction() -> None:
    provider = ProviderFactory.create()
    with transaction.atomic():
        bump([provider.pk])
    with pytest.raises(IntegrityError), transaction.atomic():
        away(provider)


@pytest.mark.django_db(transaction=True)
def test_a_bump_in_a_savepoint_that_was_rolled_back_does_not_serve() -> None:
    provider = ProviderFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        away(provider)
        point = transaction.savepoint()
        bump([provider.pk])
        transaction.savepoint_rollback(point)
