from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from providers.models import Clinic, ClinicClosure, Membership, Provider, ProviderSchedule, TimeOff
from tests.factories import (
    ClinicFactory,
    MembershipFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    SpecialtyFactory,
    UserFactory,
    VisitTypeFactory,
)
from tests.refusals import commit_checks, declared_in, refused_by, run

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def active_clinic_without_zone() -> None:
    ClinicFactory.create(time_zone=None)


def same_membership_twice() -> None:
    held = MembershipFactory.create()
    MembershipFactory.create(user=held.user, clinic=held.clinic, role=held.role)


def unknown_role() -> None:
    MembershipFactory.create(role="JANITOR")


def visit_of_four_minutes() -> None:
    VisitTypeFactory.create(minutes=4)


def buffer_of_two_hours_and_a_minute() -> None:
    VisitTypeFactory.create(buffer_after_minutes=121)


def npi_with_wrong_check_digit() -> None:
    ProviderFactory.create(npi_number="1234567890")


def bookable_provider_without_specialty() -> None:
    ProviderFactory.create(specialty=None)


def overlapping_windows() -> None:
    provider = ProviderFactory.create()
    ProviderScheduleFactory.create(provider=provider, end_time=time(12))
    ProviderScheduleFactory.create(provider=provider, start_time=time(11, 59))


def window_that_ends_before_it_starts() -> None:
    run("ALTER TABLE providers_providerschedule DROP CONSTRAINT schedule_windows_never_overlap")
    ProviderScheduleFactory.create(start_time=time(12), end_time=time(11))


def window_that_starts_within_a_minute() -> None:
    ProviderScheduleFactory.create(start_time=time(8, 0, 30))


def window_valid_until_before_it_is_valid() -> None:
    run("ALTER TABLE providers_providerschedule DROP CONSTRAINT schedule_windows_never_overlap")
    ProviderScheduleFactory.create(valid_from=date(2026, 3, 2), valid_until=date(2026, 3, 1))


def eighth_weekday() -> None:
    ProviderScheduleFactory.create(day_of_week=7)


def steps_of_four_minutes() -> None:
    ProviderScheduleFactory.create(slot_duration_minutes=4)


def time_off_that_ends_as_it_starts() -> None:
    now = timezone.now()
    TimeOff.objects.create(
        provider=ProviderFactory.create(), start_datetime=now, end_datetime=now, reason="SICK"
    )


def closure_that_ends_as_it_starts() -> None:
    now = timezone.now()
    ClinicClosure.objects.create(
        clinic=ClinicFactory.create(), start_datetime=now, end_datetime=now, label="Holiday"
    )


VIOLATIONS: dict[str, Callable[[], None]] = {
    "clinic_active_has_time_zone": active_clinic_without_zone,
    "membership_once": same_membership_twice,
    "membership_role_known": unknown_role,
    "visit_type_minutes_in_range": visit_of_four_minutes,
    "visit_type_buffers_in_range": buffer_of_two_hours_and_a_minute,
    "provider_npi_valid": npi_with_wrong_check_digit,
    "provider_active_is_complete": bookable_provider_without_specialty,
    "schedule_windows_never_overlap": overlapping_windows,
    "schedule_ends_after_start": window_that_ends_before_it_starts,
    "schedule_on_whole_minutes": window_that_starts_within_a_minute,
    "schedule_validity_in_order": window_valid_until_before_it_is_valid,
    "schedule_weekday_known": eighth_weekday,
    "schedule_slot_in_range": steps_of_four_minutes,
    "time_off_ends_after_start": time_off_that_ends_as_it_starts,
    "closure_ends_after_start": closure_that_ends_as_it_starts,
}


@pytest.mark.parametrize("constraint", VIOLATIONS)
def test_the_database_itself_refuses(constraint: str) -> None:
    with refused_by(constraint):
        VIOLATIONS[constraint]()


def test_every_declared_constraint_is_violated_above() -> None:
    assert declared_in("providers") == set(VIOLATIONS)


def test_a_zone_that_zoneinfo_does_not_know_is_refused() -> None:
    with pytest.raises(IntegrityError, match="time_zone_id"), transaction.atomic():
        Clinic.objects.create(name="Moon", slug="moon", time_zone_id="Moon/Tranquility")
        commit_checks()


def test_one_npi_is_one_row() -> None:
    first = ProviderFactory.create()
    with refused_by("providers_provider_npi_number_key"):
        ProviderFactory.create(npi_number=first.npi_number)


def test_one_user_is_one_provider() -> None:
    first = ProviderFactory.create()
    with refused_by("providers_provider_user_id_key"):
        ProviderFactory.create(user=first.user)


def test_providers_without_an_npi_may_be_many_while_not_bookable() -> None:
    ProviderFactory.create_batch(2, inactive=True)
    assert Provider.objects.filter(npi_number=None).count() == 2


def test_windows_that_touch_are_two_windows() -> None:
    provider = ProviderFactory.create()
    ProviderScheduleFactory.create(provider=provider, end_time=time(12))
    ProviderScheduleFactory.create(provider=provider, start_time=time(12))


def test_windows_at_one_time_are_allowed_while_never_valid_on_one_day() -> None:
    provider = ProviderFactory.create()
    ProviderScheduleFactory.create(provider=provider, valid_until=date(2026, 5, 31))
    ProviderScheduleFactory.create(provider=provider, valid_from=date(2026, 6, 1))


def test_windows_valid_on_one_shared_day_overlap() -> None:
    provider = ProviderFactory.create()
    ProviderScheduleFactory.create(provider=provider, valid_until=date(2026, 6, 1))
    with refused_by("schedule_windows_never_overlap"):
        ProviderScheduleFactory.create(provider=provider, valid_from=date(2026, 6, 1))


def test_an_inactive_window_stands_in_nobodys_way() -> None:
    provider = ProviderFactory.create()
    ProviderScheduleFactory.create(provider=provider, is_active=False)
    ProviderScheduleFactory.create(provider=provider)


def test_an_end_of_midnight_is_the_days_end() -> None:
    provider = ProviderFactory.create()
    ProviderScheduleFactory.create(provider=provider, start_time=time(22), end_time=time(0))
    with refused_by("schedule_windows_never_overlap"):
        ProviderScheduleFactory.create(
            provider=provider, start_time=time(23), end_time=time(23, 30)
        )


def test_hours_belong_to_the_providers_own_clinic_unless_another_is_given() -> None:
    provider = ProviderFactory.create()
    window = ProviderSchedule(provider=provider)
    window.clean()
    assert window.clinic == provider.clinic


def test_a_provider_is_born_with_a_calendar() -> None:
    calendar = ProviderFactory.create().calendar
    assert calendar.version == 0
    assert calendar.bumped_by is None


def test_two_new_calendars_have_different_stamps() -> None:
    first, second = ProviderFactory.create_batch(2)
    assert first.calendar.stamp != second.calendar.stamp


def test_a_role_counts_only_at_its_clinic_and_while_active() -> None:
    held = MembershipFactory.create()
    MembershipFactory.create()
    staffed = Clinic.objects.staffed_by(held.user, "manage_appointments")
    assert list(staffed) == [held.clinic]
    assert not Clinic.objects.staffed_by(held.user, "manage_clinic")
    Membership.objects.filter(pk=held.pk).update(is_active=False)
    assert not staffed.all()


def test_a_user_who_may_not_sign_in_staffs_nothing() -> None:
    held = MembershipFactory.create(user=UserFactory.create(is_active=False))
    assert not Clinic.objects.staffed_by(held.user, "view_appointments")


def test_only_active_providers_of_active_clinics_are_bookable() -> None:
    bookable = ProviderFactory.create()
    ProviderFactory.create(inactive=True)
    ProviderFactory.create(clinic__is_active=False)
    assert list(Provider.objects.bookable()) == [bookable]


def test_specialties_are_told_apart_by_their_code() -> None:
    one = SpecialtyFactory.create()
    with refused_by("providers_specialty_nucc_code_key"):
        SpecialtyFactory.create(nucc_code=one.nucc_code)
