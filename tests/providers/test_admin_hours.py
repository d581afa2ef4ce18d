"""Hours and absences on the set-up pages: saved by their verbs, on the clinic's own clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from providers.hours import save_time_off
from providers.models import (
    ClinicClosure,
    Provider,
    ProviderSchedule,
    Role,
    TimeOff,
    VisitType,
)
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    ProviderFactory,
    at,
    next_monday,
)
from tests.providers.setup_pages import address, browser_of, check_deferred_rules, posted, stamp

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_time_off_is_entered_on_the_clinics_wall_clock_and_bumps_the_calendar(
    site: Client, provider: Provider
) -> None:
    before = stamp(provider)
    posted(
        site,
        address("providers_timeoff", "add"),
        {
            "provider": provider.pk,
            "start_datetime_0": "2030-07-01",
            "start_datetime_1": "09:00",
            "end_datetime_0": "2030-07-01",
            "end_datetime_1": "17:00",
            "reason": "CME",
        },
    )
    row = TimeOff.objects.get()
    assert row.start_datetime == datetime(2030, 7, 1, 13, tzinfo=UTC)
    assert stamp(provider) != before
    shown = site.get(address("providers_timeoff", "change", row.pk)).context["adminform"].form
    assert shown["start_datetime"].value().hour == 9
    assert "9 a.m." in site.get(address("providers_timeoff", "changelist")).content.decode()


def test_an_absence_in_another_zone_is_entered_on_that_zones_clock(manager: User) -> None:
    west = ClinicFactory.create(time_zone__name="America/Los_Angeles", name="West")
    MembershipFactory.create(user=manager, clinic=west, role=Role.CLINIC_ADMIN)
    provider = ProviderFactory.create(clinic=west)
    posted(
        browser_of(manager),
        address("providers_timeoff", "add"),
        {
            "provider": provider.pk,
            "start_datetime_0": "2030-07-01",
            "start_datetime_1": "09:00",
            "end_datetime_0": "2030-07-01",
            "end_datetime_1": "10:00",
            "reason": "SICK",
        },
    )
    assert TimeOff.objects.get().start_datetime == datetime(2030, 7, 1, 16, tzinfo=UTC)


def test_saving_unchanged_time_off_moves_nothing(site: Client, provider: Provider) -> None:
    start = datetime(2030, 7, 1, 13, tzinfo=UTC)
    row = save_time_off(
        TimeOff(provider=provider, start_datetime=start, end_datetime=start + DAY, reason="CME")
    )
    posted(site, address("providers_provider", "change", provider.pk), {})
    row.refresh_from_db()
    assert row.start_datetime == start


def test_a_providers_page_saves_hours_and_absences_and_bumps(
    site: Client, provider: Provider, visit_type: VisitType
) -> None:
    before, monday = stamp(provider), provider.schedules.get(day_of_week=0)
    rows = site.get(address("providers_provider", "change", provider.pk)).context
    total = rows["inline_admin_formsets"][0].formset.initial_form_count()
    posted(
        site,
        address("providers_provider", "change", provider.pk),
        {
            "schedules-0-end_time": "12:00",
            "schedules-0-visit_types": [visit_type.pk],
            "schedules-TOTAL_FORMS": total + 1,
            f"schedules-{total}-provider": provider.pk,
            f"schedules-{total}-clinic": provider.clinic_id,
            f"schedules-{total}-day_of_week": "0",
            f"schedules-{total}-start_time": "13:00",
            f"schedules-{total}-end_time": "17:00",
            f"schedules-{total}-slot_duration_minutes": "30",
            f"schedules-{total}-valid_from": "2020-01-01",
            f"schedules-{total}-is_active": "on",
            "time_off-TOTAL_FORMS": "1",
            "time_off-0-provider": provider.pk,
            "time_off-0-start_datetime_0": "2030-07-01",
            "time_off-0-start_datetime_1": "09:00",
            "time_off-0-end_datetime_0": "2030-07-02",
            "time_off-0-end_datetime_1": "09:00",
            "time_off-0-reason": "SICK",
        },
    )
    monday.refresh_from_db()
    assert monday.end_time == time(12)
    assert list(monday.visit_types.all()) == [visit_type]
    assert provider.schedules.filter(day_of_week=0).count() == 2
    assert provider.time_off.get().start_datetime == datetime(2030, 7, 1, 13, tzinfo=UTC)
    assert stamp(provider) != before


def test_hours_removed_on_a_providers_page_bump(site: Client, provider: Provider) -> None:
    before = stamp(provider)
    posted(
        site,
        address("providers_provider", "change", provider.pk),
        {"schedules-0-DELETE": "on"},
    )
    assert provider.schedules.count() == 4
    assert stamp(provider) != before


def test_two_windows_may_trade_places(site: Client, provider: Provider) -> None:
    one, other = provider.schedules.get(day_of_week=0), provider.schedules.get(day_of_week=1)
    posted(
        site,
        address("providers_provider", "change", provider.pk),
        {"schedules-0-day_of_week": "1", "schedules-1-day_of_week": "0"},
    )
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.day_of_week, other.day_of_week) == (1, 0)
    assert one.is_active
    assert other.is_active


@pytest.mark.parametrize("other_start", ["11:00", "16:59"])
def test_overlapping_hours_of_one_form_are_refused_in_words(
    other_start: str, site: Client, provider: Provider
) -> None:
    url = address("providers_provider", "change", provider.pk)
    window = {
        "clinic": provider.clinic_id,
        "day_of_week": "6",
        "end_time": "17:00",
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    values: dict[str, Any] = {"schedules-TOTAL_FORMS": 7}
    for number, start in ((5, "09:00"), (6, other_start)):
        for name, value in {**window, "start_time": start, "provider": provider.pk}.items():
            values[f"schedules-{number}-{name}"] = value
    with pytest.raises(AssertionError, match="overlap"):
        posted(site, url, values)
    assert not provider.schedules.filter(day_of_week=6).exists()


def test_hours_that_overlap_known_ones_are_refused_in_words(
    site: Client, provider: Provider
) -> None:
    values = {
        "provider": provider.pk,
        "clinic": provider.clinic_id,
        "day_of_week": "0",
        "start_time": "16:00",
        "end_time": "18:00",
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    with pytest.raises(AssertionError, match="overlap"):
        posted(site, address("providers_providerschedule", "add"), values)


def test_hours_that_touch_known_ones_are_taken(site: Client, provider: Provider) -> None:
    values = {
        "provider": provider.pk,
        "clinic": provider.clinic_id,
        "day_of_week": "0",
        "start_time": "17:00",
        "end_time": "18:00",
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    posted(site, address("providers_providerschedule", "add"), values)
    assert provider.schedules.filter(day_of_week=0).count() == 2


def test_a_closure_bumps_everybody_and_says_how_many_visits_no_longer_fit(
    site: Client, provider: Provider, visit_type: VisitType
) -> None:
    day = next_monday(1)
    for clock in ("09:00", "10:00"):
        AppointmentFactory.create(provider=provider, visit_type=visit_type, start=at(day, clock))
    before = stamp(provider)
    url = address("providers_clinicclosure", "add")
    values = {
        "clinic": provider.clinic_id,
        "label": "Repairs",
        "start_datetime_0": day.isoformat(),
        "start_datetime_1": "09:30",
        "end_datetime_0": day.isoformat(),
        "end_datetime_1": "17:00",
    }
    posted(site, url, values)
    assert stamp(provider) != before
    page = site.get(address("providers_clinicclosure", "changelist")).content.decode()
    assert "1 booked visit no longer fits" in page
    row = ClinicClosure.objects.get()
    between = stamp(provider)
    site.post(address("providers_clinicclosure", "delete", row.pk), {"post": "yes"})
    check_deferred_rules()
    assert stamp(provider) != between
    page = site.get(address("providers_clinicclosure", "changelist")).content.decode()
    assert "Every booked visit fits" in page


def test_deactivating_a_provider_bumps_and_counts(
    site: Client, provider: Provider, visit_type: VisitType
) -> None:
    AppointmentFactory.create(provider=provider, visit_type=visit_type)
    before = stamp(provider)
    posted(site, address("providers_provider", "change", provider.pk), {"is_active": None})
    assert stamp(provider) != before
    page = site.get(address("providers_provider", "changelist")).content.decode()
    assert "1 booked visit no longer fits" in page


def test_a_clinics_zone_bumps_everybody_who_works_there(site: Client, provider: Provider) -> None:
    before = stamp(provider)
    posted(
        site,
        address("providers_clinic", "change", provider.clinic_id),
        {"time_zone": "America/Chicago"},
    )
    assert stamp(provider) != before
    provider.clinic.refresh_from_db()
    assert provider.clinic.time_zone_id == "America/Chicago"


def test_several_absences_removed_at_once_bump(site: Client, provider: Provider) -> None:
    start = datetime(2030, 7, 1, 13, tzinfo=UTC)
    row = save_time_off(
        TimeOff(provider=provider, start_datetime=start, end_datetime=start + DAY, reason="CME")
    )
    before = stamp(provider)
    site.post(
        address("providers_timeoff", "changelist"),
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )
    check_deferred_rules()
    assert not TimeOff.objects.exists()
    assert stamp(provider) != before


def test_hours_of_other_clinics_stay_out_of_a_providers_page(
    site: Client, provider: Provider, elsewhere: Provider
) -> None:
    ProviderSchedule.objects.filter(provider=provider, day_of_week=4).update(
        clinic=elsewhere.clinic
    )
    page = site.get(address("providers_provider", "change", provider.pk))
    hours = page.context["inline_admin_formsets"][0].formset
    assert len(hours.forms) == 4
    total = len(hours.forms)
    values = {
        "provider": provider.pk,
        "clinic": provider.clinic_id,
        "day_of_week": "4",
        "start_time": "16:00",
        "end_time": "18:00",
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    with pytest.raises(AssertionError, match="overlap"):
        posted(
            site,
            address("providers_provider", "change", provider.pk),
            {"schedules-TOTAL_FORMS": total + 1}
            | {f"schedules-{total}-{name}": value for name, value in values.items()},
        )


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31"])
def test_an_absence_at_the_end_of_time_is_a_form_error(
    day: str, site: Client, provider: Provider
) -> None:
    url = address("providers_timeoff", "add")
    sent = {"provider": provider.pk, "reason": "CME"}
    for name in ("start_datetime", "end_datetime"):
        sent |= {f"{name}_0": day, f"{name}_1": "23:59"}
    answer = site.post(url, sent)
    assert answer.status_code == 200
    assert "start_datetime" in answer.context["adminform"].form.errors
    assert not TimeOff.objects.exists()


@pytest.mark.parametrize(("starts", "ends"), [("17:00:30", "18:00"), ("17:00", "18:00:00.5")])
def test_hours_within_a_minute_are_refused_in_words(
    starts: str, ends: str, site: Client, provider: Provider
) -> None:
    values = {
        "provider": provider.pk,
        "clinic": provider.clinic_id,
        "day_of_week": "0",
        "start_time": starts,
        "end_time": ends,
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    with pytest.raises(AssertionError, match="whole minute"):
        posted(site, address("providers_providerschedule", "add"), values)
