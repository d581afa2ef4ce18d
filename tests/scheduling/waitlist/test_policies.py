"""Which rule an opening is offered by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.models import Clinic, Provider, VisitType
from scheduling.models import Mode
from scheduling.waitlist.pacing import Pace, Rule
from scheduling.waitlist.policies import policy_of
from tests.factories import ClinicFactory, VisitTypeFactory, at, next_monday
from tests.factories.waitlist import opening_of, waitlist_policy

pytestmark = pytest.mark.django_db
NINE = at(next_monday(), "09:00")


def test_a_clinic_without_a_row_offers_to_one_after_the_other(provider: Provider) -> None:
    rule = policy_of(opening_of(provider, NINE))
    assert rule == Rule(pace=Pace.SEQUENTIAL)
    assert (rule.window, rule.most_a_day) == (timedelta(hours=2), 3)


def test_the_clinics_own_row_goes_before_the_defaults(clinic: Clinic, provider: Provider) -> None:
    waitlist_policy(
        clinic,
        mode=Mode.OVERLAPPING,
        window_minutes=90,
        shortest_window_minutes=20,
        spacing_divisor=24,
        shortest_spacing_minutes=10,
        longest_spacing_minutes=60,
        most_offers_a_day=5,
    )
    assert policy_of(opening_of(provider, NINE)) == Rule(
        pace=Pace.OVERLAPPING,
        window=timedelta(minutes=90),
        shortest_window=timedelta(minutes=20),
        divisor=24,
        shortest_spacing=timedelta(minutes=10),
        longest_spacing=timedelta(minutes=60),
        most_a_day=5,
    )


def test_the_row_of_the_freed_visits_type_goes_before_the_clinics(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    waitlist_policy(clinic, mode=Mode.OVERLAPPING)
    waitlist_policy(clinic, visit_type, mode=Mode.OFF)
    freed = opening_of(provider, NINE, visit_type=visit_type)
    other = opening_of(provider, NINE, visit_type=VisitTypeFactory.create())
    nobodys = opening_of(provider, NINE)
    paces = [policy_of(opening).pace for opening in (freed, other, nobodys)]
    assert paces == [Pace.OFF, Pace.OVERLAPPING, Pace.OVERLAPPING]


def test_another_clinics_row_says_nothing_here(provider: Provider) -> None:
    waitlist_policy(ClinicFactory.create(), mode=Mode.OFF)
    assert policy_of(opening_of(provider, NINE)).pace is Pace.SEQUENTIAL
