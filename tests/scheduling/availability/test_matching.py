"""Who is searched, in which order and under which stamp: one statement however many there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from providers.hours import save_schedule
from providers.models import (
    Clinic,
    InsurancePlan,
    Provider,
    ProviderCalendar,
    ProviderSchedule,
    VisitType,
)
from scheduling.availability import matching
from scheduling.availability.query import Query
from tests.factories import (
    ClinicFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    SpecialtyFactory,
    VisitTypeFactory,
    next_monday,
)

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
PLAIN = {"languages": ["en"], "offers_telehealth": False, "accepts_new_patients": False}


@pytest.fixture
def query(clinic: Clinic, visit_type: VisitType) -> Query:
    return Query(
        visit_type=visit_type,
        first_day=next_monday(),
        last_day=next_monday(1),
        clinics=(clinic,),
    )


def found(query: Query) -> list[Provider]:
    matched = matching.matching(query)
    people = matching.by_ids(matched.ids())
    assert len(people) == len(matched)
    assert set(matching.bookable(query)) == set(people.values())
    return [people[id_] for id_ in matched.ids()]


def stamp_of(provider: Provider) -> bytes:
    stamp = ProviderCalendar.objects.get(provider=provider).stamp
    return provider.pk.bytes + stamp.to_bytes(8, "big", signed=True)


def test_providers_come_by_name_by_code_point_and_then_by_id(query: Query, clinic: Clinic) -> None:
    names = ["Élodie", "Zoe", "adam", "Adam", "Eve", "Zoe", "李", "🙂", "\ufffd"]
    people = [ProviderFactory.create(clinic=clinic, name=name) for name in names]
    assert found(query) == sorted(people, key=lambda someone: (someone.name, someone.pk))


def test_each_comes_with_the_stamp_of_the_calendar_negative_ones_as_well(
    query: Query, clinic: Clinic
) -> None:
    people = [ProviderFactory.create(clinic=clinic, name=name) for name in "abc"]
    stamps = [-(2**63), -1, 2**63 - 1]
    for someone, stamp in zip(people, stamps, strict=True):
        ProviderCalendar.objects.filter(provider=someone).update(stamp=stamp)
    entries = matching.matching(query).entries
    assert entries == [stamp_of(someone) for someone in people]
    assert [int.from_bytes(entry[16:], "big", signed=True) for entry in entries] == stamps


def test_the_clock_is_the_databases_at_that_moment(query: Query) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ((before,),) = cursor.fetchall()
        clock = matching.matching(query).clock
        cursor.execute("SELECT clock_timestamp(), now()")
        ((after, began),) = cursor.fetchall()
    assert before < clock < after
    assert clock > began
    assert clock.utcoffset() == timedelta(0)


@pytest.mark.parametrize("providers", [0, 1, 40])
def test_any_number_of_providers_is_one_statement(query: Query, providers: int) -> None:
    ProviderFactory.create_batch(providers, clinic=query.clinics[0])
    wanted = replace(
        query,
        insurance_plan=InsurancePlan.objects.create(payer="Acme", name="Gold", plan_code="A1"),
        language="en",
    )
    for one in (query, wanted):
        with CaptureQueriesContext(connection) as asked:
            matched = matching.matching(one)
        assert len(asked) == 1
        assert len(matched) == len(matched.packed) / 24 == (providers if one == query else 0)
        assert matched.clock.tzinfo is not None


def test_no_clinics_are_no_providers_and_still_a_clock(query: Query, provider: Provider) -> None:
    matched = matching.matching(replace(query, clinics=()))
    assert (len(matched), matched.packed) == (0, b"")
    assert abs(matched.clock - datetime.now(UTC)) < 60 * SECOND


def test_who_works_at_a_clinic_is_found_there_and_only_once(
    query: Query, clinic: Clinic, provider: Provider
) -> None:
    visitor = ProviderFactory.create(name="Dr. Visitor")
    for weekday in (0, 1):
        ProviderScheduleFactory.create(provider=visitor, clinic=clinic, day_of_week=weekday)
    ProviderFactory.create(name="Dr. Elsewhere", working=True)
    assert found(query) == [provider, visitor]
    both = replace(query, clinics=(clinic, visitor.clinic))
    assert found(both) == [provider, visitor]


def test_who_is_not_bookable_is_not_found(query: Query, clinic: Clinic) -> None:
    ProviderFactory.create(clinic=clinic, inactive=True)
    closed = ClinicFactory.create(is_active=False)
    of_the_closed = ProviderFactory.create(clinic=closed)
    ProviderScheduleFactory.create(provider=of_the_closed, clinic=clinic)
    assert found(query) == []
    assert found(replace(query, clinics=(closed,))) == []


@pytest.mark.parametrize(
    ("wanted", "differs"),
    [
        ({"language": "es"}, {"languages": ["fr", "es"]}),
        ({"telehealth": True}, {"offers_telehealth": True}),
        ({"new_patient": True}, {"accepts_new_patients": True}),
    ],
)
def test_each_filter_leaves_those_who_fit(
    query: Query, clinic: Clinic, wanted: dict[str, object], differs: dict[str, object]
) -> None:
    ProviderFactory.create(clinic=clinic, **PLAIN)
    fits = ProviderFactory.create(clinic=clinic, **{**PLAIN, **differs})
    assert found(replace(query, **wanted)) == [fits]  # type: ignore[arg-type]
    assert len(found(query)) == 2


def test_a_telehealth_visit_asks_for_those_who_offer_it(query: Query, clinic: Clinic) -> None:
    ProviderFactory.create(clinic=clinic, **PLAIN)
    offers = ProviderFactory.create(clinic=clinic, **{**PLAIN, "offers_telehealth": True})
    assert found(replace(query, visit_type=VisitTypeFactory.create(is_telehealth=True))) == [offers]


def test_one_provider_one_specialty_and_one_plan_are_filters_too(
    query: Query, clinic: Clinic
) -> None:
    plans = [
        InsurancePlan.objects.create(payer="Acme", name=name, plan_code=name) for name in "abc"
    ]
    takes, other = ProviderFactory.create_batch(
        2, clinic=clinic, specialty=SpecialtyFactory.create()
    )
    takes.insurance_plans.set(plans[:2])
    other.insurance_plans.set(plans[1:])
    third = ProviderFactory.create(clinic=clinic)
    assert found(replace(query, provider=third)) == [third]
    assert set(found(replace(query, specialty=takes.specialty))) == {takes, other}
    assert found(replace(query, insurance_plan=plans[0])) == [takes]
    assert found(replace(query, insurance_plan=plans[1], provider=other)) == [other]
    assert found(replace(query, insurance_plan=plans[0], provider=third)) == []


def test_changed_hours_are_another_stamp(query: Query, provider: Provider) -> None:
    before = matching.matching(query).packed
    save_schedule(
        ProviderSchedule(
            provider=provider,
            clinic=provider.clinic,
            day_of_week=6,
            start_time=time(8),
            end_time=time(9),
            slot_duration_minutes=30,
            valid_from=next_monday(),
        )
    )
    assert matching.matching(query).packed != before


def test_those_shown_are_read_with_their_specialty_in_one_statement(provider: Provider) -> None:
    ProviderFactory.create(name="Dr. Other")
    with CaptureQueriesContext(connection) as asked:
        people = matching.by_ids([provider.pk])
        specialty = people[provider.pk].specialty
        assert specialty is not None
        assert specialty.name
    assert list(people) == [provider.pk]
    assert len(asked) == 1


def test_all_are_gone_through_by_id_each_once(clinic: Clinic) -> None:
    people = ProviderFactory.create_batch(5, clinic=clinic)
    ProviderFactory.create(clinic=clinic, inactive=True)
    seen, last = [], None
    while matched := matching.after(last, count=2):
        assert len(matched) <= 2
        seen += matched.ids()
        last = seen[-1]
    assert seen == sorted(someone.pk for someone in people)
