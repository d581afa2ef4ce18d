"""Which kinds of visit a provider's hours are open to."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from providers.models import Clinic, Provider, VisitType, Weekday
from scheduling.alternatives import offered_types
from tests.factories import (
    ClinicFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    next_monday,
)

pytestmark = pytest.mark.django_db
MONDAY = next_monday(1)
ALL = ["CHECK", "TALK"]


@pytest.fixture(autouse=True)
def talk() -> VisitType:
    return VisitTypeFactory.create(code="TALK", label="Talk")


@pytest.fixture(autouse=True)
def check() -> VisitType:
    return VisitTypeFactory.create(code="CHECK", label="Check")


@pytest.fixture
def doctor(clinic: Clinic) -> Provider:
    """A provider without hours."""
    return ProviderFactory.create(clinic=clinic)


def offered(doctor: Provider, clock: str, *, day: date = MONDAY) -> list[str]:
    return [kind.code for kind in offered_types(doctor, doctor.clinic, at(day, clock))]


@pytest.mark.parametrize("clock", ["07:30", "09:00", "17:00"])
def test_all_are_offered_at_any_time_where_hours_name_none(doctor: Provider, clock: str) -> None:
    ProviderScheduleFactory.create(provider=doctor)
    assert offered(doctor, clock) == ALL


@pytest.mark.parametrize(
    ("clock", "kinds"), [("07:59", ALL), ("08:00", ["TALK"]), ("16:59", ["TALK"]), ("17:00", ALL)]
)
def test_hours_that_name_a_type_are_open_to_it_alone(
    doctor: Provider, talk: VisitType, clock: str, kinds: list[str]
) -> None:
    ProviderScheduleFactory.create(provider=doctor, visit_types=[talk])
    assert offered(doctor, clock) == kinds


def test_midnight_is_the_end_of_hours_and_not_before_them(
    doctor: Provider, talk: VisitType
) -> None:
    ProviderScheduleFactory.create(provider=doctor, end_time=time(0), visit_types=[talk])
    assert offered(doctor, "23:30") == ["TALK"]


@pytest.mark.parametrize(
    "other",
    [
        {"day_of_week": Weekday.TUESDAY},
        {"is_active": False},
        {"valid_from": MONDAY + timedelta(days=1)},
        {"valid_until": MONDAY - timedelta(days=1)},
    ],
)
def test_hours_of_another_day_narrow_nothing(
    doctor: Provider, talk: VisitType, other: dict[str, Any]
) -> None:
    ProviderScheduleFactory.create(provider=doctor, visit_types=[talk], **other)
    assert offered(doctor, "09:00") == ALL


def test_hours_last_through_their_first_and_last_day(doctor: Provider, talk: VisitType) -> None:
    ProviderScheduleFactory.create(
        provider=doctor, visit_types=[talk], valid_from=MONDAY, valid_until=MONDAY
    )
    assert offered(doctor, "09:00") == ["TALK"]


def test_hours_elsewhere_or_of_somebody_else_narrow_nothing(
    doctor: Provider, talk: VisitType
) -> None:
    ProviderScheduleFactory.create(
        provider=doctor, clinic=ClinicFactory.create(), visit_types=[talk]
    )
    ProviderScheduleFactory.create(
        provider=ProviderFactory.create(clinic=doctor.clinic), visit_types=[talk]
    )
    assert offered(doctor, "09:00") == ALL


def test_visits_by_video_are_offered_where_the_provider_gives_them(doctor: Provider) -> None:
    VisitTypeFactory.create(code="VIDEO", label="Video", is_telehealth=True)
    doctor.offers_telehealth = False
    assert offered(doctor, "09:00") == ALL
    doctor.offers_telehealth = True
    assert offered(doctor, "09:00") == [*ALL, "VIDEO"]


def test_types_that_the_provider_cannot_give_leave_all_others(doctor: Provider) -> None:
    video = VisitTypeFactory.create(code="VIDEO", label="Video", is_telehealth=True)
    ProviderScheduleFactory.create(provider=doctor, visit_types=[video])
    doctor.offers_telehealth = False
    assert offered(doctor, "09:00") == ALL


def test_one_question_is_asked(
    doctor: Provider, talk: VisitType, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ProviderScheduleFactory.create(provider=doctor, visit_types=[talk])
    with django_assert_num_queries(1):
        assert offered(doctor, "09:00") == ["TALK"]
