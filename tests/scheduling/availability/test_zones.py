"""Weeks in which clocks change, several zones at once, and visits across a block's seam."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from providers import hours
from providers.models import Clinic, ClinicClosure, Provider, VisitType, Weekday
from scheduling.availability import Query, days_with_openings
from scheduling.blocks import timeline
from scheduling.placing import Terms
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
    someone_at_the_desk,
)
from tests.journeys.portal_booking import address
from tests.scheduling.availability.comparing import Asker
from tests.scheduling.availability.town import next_change
from tests.scheduling.oracle import Offer

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
ANY_TIME = Terms(notice_and_horizon=False)
SOON = next_monday(1)
CHANGING = ("America/New_York", "America/Los_Angeles", "Australia/Lord_Howe")
STEADY = ("America/Phoenix", "Asia/Kolkata", "Asia/Kathmandu")

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.redis,
    pytest.mark.usefixtures("redis_on"),
]


def working(zone: str, *times: tuple[str, str], **more: Any) -> Provider:
    """Return a provider of a clinic of its own, who works at these times each day of the week."""
    clinic = ClinicFactory.create(time_zone__name=zone)
    provider = ProviderFactory.create(clinic=clinic)
    for weekday in Weekday:
        for opens, closes in times:
            ProviderScheduleFactory.create(
                provider=provider,
                day_of_week=weekday,
                start_time=time.fromisoformat(opens),
                end_time=time.fromisoformat(closes),
                **more,
            )
    return provider


def ask(kind: VisitType, *clinics: Clinic, first: date, days: int = 1, **wanted: Any) -> Asker:
    """Ask as somebody does who came a week before."""
    query = Query(kind, first, first + (days - 1) * DAY, clinics, **wanted)
    return Asker(query, ANY_TIME, datetime.combine(first - 7 * DAY, time(12), UTC))


def both_ways(asker: Asker) -> list[Offer]:
    """Compare what is worked out from the rows, and then what was kept of it."""
    asker.assert_search()
    return asker.assert_search()


def clocks(offers: Sequence[Offer], zone: str) -> list[str]:
    return [f"{offer.start.astimezone(ZoneInfo(zone)):%H:%M}" for offer in offers]


@pytest.mark.parametrize("zone", [*CHANGING, *STEADY])
def test_on_the_day_of_a_change_the_starts_are_those_that_the_clocks_show(zone: str) -> None:
    """Half hours from half past midnight to half past six: none in a gap, both in a fold."""
    provider = working(zone, ("00:30", "06:30"), slot_duration_minutes=30)
    kinds = [
        VisitTypeFactory.create(minutes=30),
        VisitTypeFactory.create(minutes=45, buffer_before_minutes=5, buffer_after_minutes=20),
        VisitTypeFactory.create(minutes=None),
    ]
    changed = next_change(zone if zone in CHANGING else "America/New_York", after=SOON)
    for _both in range(2):
        before, after = (at(day, "12:00", zone=ZoneInfo(zone)) for day in (changed - DAY, changed))
        gained = (after - before) - DAY  # elapsed time on a day with a change
        for kind in kinds:
            found = both_ways(ask(kind, provider.clinic, first=changed))
            if kind is not kinds[1]:
                assert len(found) == 12 + gained // HALF_HOUR
            both_ways(ask(kind, provider.clinic, first=changed - 3 * DAY, days=7))
        shown = clocks(both_ways(ask(kinds[0], provider.clinic, first=changed)), zone)
        assert len(shown) - len(set(shown)) == max(gained, timedelta(0)) // HALF_HOUR
        assert shown == sorted(shown) or gained > timedelta(0)
        changed = next_change(zone if zone in CHANGING else "America/New_York", after=changed + DAY)


def test_three_clinics_in_three_zones_are_ordered_by_the_instant() -> None:
    kind = VisitTypeFactory.create(minutes=30)
    zones = ("Asia/Kolkata", "America/New_York", "America/Phoenix")
    clinics = [working(zone, ("09:00", "10:00"), slot_duration_minutes=30).clinic for zone in zones]
    asker = ask(kind, *reversed(clinics), first=SOON)
    found = both_ways(asker)
    assert [offer.clinic for offer in found] == [c.pk for c in clinics for _twice in range(2)]
    shown = [clocks([offer], zones[n // 2])[0] for n, offer in enumerate(found)]
    assert shown == ["09:00", "09:30"] * 3
    asker.assert_pages()


def test_days_of_clinics_in_three_zones_are_each_clinics_own_dates() -> None:
    """Sunday's last hour in Phoenix comes after Monday's first hours in Kolkata."""
    kind = VisitTypeFactory.create(minutes=30)
    late = working("America/Phoenix", ("22:00", "00:00"), slot_duration_minutes=30)
    early = working("Asia/Kolkata", ("00:00", "09:00"), slot_duration_minutes=30)
    east = working("America/New_York", ("20:00", "00:00"), slot_duration_minutes=30)
    clinics = (late.clinic, early.clinic, east.clinic)
    asker = ask(kind, *clinics, first=SOON - DAY, days=3)
    asker.assert_days()
    days = days_with_openings(asker.query, terms=ANY_TIME, now=asker.now)
    assert [day.day for day in days] == [SOON - DAY, SOON, SOON + DAY]
    assert {day.first.clinic for day in days} == {early.clinic}
    sunday = ask(kind, *clinics, first=SOON - DAY)
    monday = ask(kind, *clinics, first=SOON)
    assert both_ways(sunday)[-1].start > both_ways(monday)[0].start
    for clinic in clinics:
        sunday.assert_is_free(at(SOON - DAY, "23:00", zone=clinic.zone))
        sunday.assert_is_free(at(SOON, "00:30", zone=clinic.zone))


def test_hours_of_one_provider_in_two_zones_are_found_at_both_clinics() -> None:
    """Nine in New York is seven in Phoenix or half past six in the evening of Kolkata."""
    kind = VisitTypeFactory.create(minutes=30)
    provider = working("America/New_York", ("09:00", "11:00"), slot_duration_minutes=30)
    second = ClinicFactory.create(time_zone__name="America/Phoenix")
    ProviderScheduleFactory.create(
        provider=provider, clinic=second, start_time=time(6), end_time=time(9)
    )
    asker = ask(kind, provider.clinic, second, first=SOON)
    found = both_ways(asker)
    assert {offer.clinic for offer in found} == {provider.clinic.pk, second.pk}
    asker.assert_pages()


SEAMS = {"America/New_York": ("16:00", "23:30"), "America/Los_Angeles": ("13:00", "21:00")}


@pytest.mark.parametrize("zone", SEAMS)
@pytest.mark.parametrize(
    ("minutes", "before", "after"),
    [(15, 0, 0), (60, 120, 120), (480, 0, 0), (450, 120, 120), (20, 5, 10), (None, 30, 0)],
)
def test_visits_across_the_seam_of_two_blocks_are_decided_as_any_others(
    zone: str, minutes: int | None, before: int, after: int
) -> None:
    """Monday 00:00 UTC lies within Sunday's hours; nothing may show that a block ends there."""
    opens, closes = SEAMS[zone]
    provider = working(zone, (opens, closes), slot_duration_minutes=30)
    kind = VisitTypeFactory.create(
        minutes=minutes, buffer_before_minutes=before, buffer_after_minutes=after
    )
    seam = datetime.combine(SOON, time(0), UTC)
    assert timeline.begins(timeline.block_of(seam)) == seam
    asker = ask(kind, provider.clinic, first=SOON - DAY, days=2)
    both_ways(asker)
    short = VisitTypeFactory.create(minutes=10)
    for offset in (-15, -130, 5, 150):
        AppointmentFactory.create(
            provider=provider, visit_type=short, start=seam + timedelta(minutes=offset)
        )
        both_ways(asker)
    hold_of(provider, short, seam - timedelta(minutes=65), by=someone_at_the_desk())
    both_ways(asker)
    hours.save_closure(
        ClinicClosure(
            clinic=provider.clinic,
            start_datetime=seam + timedelta(minutes=45, seconds=30),
            end_datetime=seam + timedelta(minutes=46),
            label="Fire drill",
        )
    )
    both_ways(asker)


def test_the_portals_times_are_the_clinics_wherever_the_patient_is(client: Client) -> None:
    kind = VisitTypeFactory.create(code="FOLLOW_UP", minutes=30, horizon_days=30)
    provider = working("America/Phoenix", ("09:00", "10:00"), slot_duration_minutes=30)
    where = address("times", provider.clinic.slug, day=SOON.isoformat(), type=kind.code)
    pages = []
    for own_zone in ("Asia/Kathmandu", "America/Phoenix"):
        with timezone.override(own_zone):
            pages.append(client.get(where).content.decode())
    for page in pages:
        assert "Times at the clinic, Arizona time." in page
        assert re.findall(r">(\d+:\d\d)\s[ap]m</label>", page) == ["9:00", "9:30"]
