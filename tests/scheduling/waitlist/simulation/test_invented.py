"""The clinic that does not exist: what comes free there, when, and who waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.models import VisitType
from scheduling.models import WaitlistEntry
from scheduling.waitlist.simulation import Leads, invented_world
from scheduling.waitlist.simulation.invented import AWAKE, CLOSES, LEAD, NOTICE, OPENS, ZONE

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_visits_lie_in_working_hours_and_are_cancelled_by_people_who_are_awake() -> None:
    for slot in invented_world(1, slots=300).slots:
        start, end = slot.start.astimezone(ZONE), slot.end.astimezone(ZONE)
        assert start.weekday() < 5
        assert start.hour >= OPENS
        assert (end.hour, end.minute) <= (CLOSES, 0)
        assert slot.freed_at.astimezone(ZONE).hour in AWAKE


def test_time_comes_free_as_far_ahead_as_was_asked_for() -> None:
    leads = Leads(shortest=2 * HOUR, longest=24 * HOUR, far_share=0)

    world = invented_world(1, slots=300, leads=leads)

    assert min(slot.lead for slot in world.slots) >= 2 * HOUR
    assert max(slot.lead for slot in world.slots) <= 24 * HOUR


def test_some_comes_free_days_ahead() -> None:
    slots = invented_world(1, slots=1_000).slots

    far = sum(slot.lead > 48 * HOUR for slot in slots) / len(slots)

    assert far == pytest.approx(0.25, abs=0.05)


def test_a_seed_has_one_world_of_the_size_that_was_asked_for() -> None:
    world = invented_world(5, slots=7, waiting=11)

    assert (len(world.slots), len(world.people)) == (7, 11)
    assert world == invented_world(5, slots=7, waiting=11)
    assert world != invented_world(6, slots=7, waiting=11)


def test_leads_out_of_order_are_refused() -> None:
    for wrong in ({"shortest": 50 * HOUR}, {"far_share": 2.0}, {"shortest": 0 * HOUR}):
        with pytest.raises(ValueError, match=r"leads|share"):
            Leads(**wrong)


def test_leads_and_notice_are_what_the_clinic_has_by_default() -> None:
    assert VisitType().waitlist_minimum_lead_minutes * MINUTE == LEAD
    assert WaitlistEntry().minimum_notice_minutes * MINUTE == NOTICE
