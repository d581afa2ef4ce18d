"""Why a search of real rows found nothing, and that each change offered does find something."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.models import Patient
from providers.hours import save_closure, save_time_off
from providers.models import (
    Clinic,
    ClinicClosure,
    InsurancePlan,
    Provider,
    Specialty,
    TimeOff,
    VisitType,
)
from scheduling.actors import Actor
from scheduling.availability import Query, search
from scheduling.availability.changing import MOST_SHOWN, ChangeKind, Leeway
from scheduling.availability.explaining import Explanation, explain
from scheduling.explanations import Filter, Reason
from scheduling.policies import terms_for
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    SpecialtyFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)

pytestmark = pytest.mark.django_db

PATIENT = terms_for(Actor.patient())
STAFF = terms_for(Actor.staff(1))
DAY = timedelta(days=1)
MONDAY = next_monday(1)
SUNDAY = MONDAY - DAY


def asked(whose: Provider, visit_type: VisitType, **wanted: Any) -> Query:
    day: dict[str, Any] = {"first_day": MONDAY, "last_day": MONDAY}
    fields = {**day, "clinics": (whose.clinic,), **wanted}
    return Query(visit_type=visit_type, **fields)


def why(query: Query, **given: Any) -> Explanation:
    """Explain a search that finds nothing; every change is looked up once more."""
    given = {"terms": PATIENT, "now": timezone.now(), **given}
    known = {name: given[name] for name in ("terms", "now", "ignore") if name in given}
    assert search(query, **known, limit=1) == []
    found = explain(query, **given)
    assert len(found.changes) <= MOST_SHOWN
    for change in found.changes:
        terms = given["terms"]
        if change.kind is ChangeKind.LESS_NOTICE:
            terms = replace(terms, notice_and_horizon=False)
        assert search(change.query, **{**known, "terms": terms}, limit=1) == [change.slot]
    return found


def kinds(found: Explanation) -> list[ChangeKind]:
    return [change.kind for change in found.changes]


def off(provider: Provider, first: str, last: str) -> None:
    times = {"start_datetime": at(MONDAY, first), "end_datetime": at(MONDAY, last)}
    save_time_off(TimeOff(provider=provider, reason="VACATION", **times))


def test_a_day_without_hours_leads_to_a_later_day_and_an_earlier_one(
    provider: Provider, visit_type: VisitType
) -> None:
    found = why(asked(provider, visit_type, first_day=SUNDAY, last_day=SUNDAY))
    assert found.reason is Reason.OUTSIDE_HOURS
    assert kinds(found) == [ChangeKind.LATER, ChangeKind.EARLIER]
    assert found.changes[0].slot.local_start.date() == MONDAY
    assert found.changes[1].slot.local_start.date() < SUNDAY


def test_where_the_page_shows_other_days_none_is_offered(
    provider: Provider, visit_type: VisitType
) -> None:
    query = asked(provider, visit_type, first_day=SUNDAY, last_day=SUNDAY)
    assert kinds(why(query, leeway=Leeway(other_days=False))) == []


def test_hours_kept_for_other_visits(clinic: Clinic, visit_type: VisitType) -> None:
    provider = ProviderFactory.create(clinic=clinic)
    ProviderScheduleFactory.create(provider=provider, visit_types=[VisitTypeFactory.create()])
    assert why(asked(provider, visit_type)).reason is Reason.TYPE_NOT_ALLOWED


def test_time_off_leads_to_another_provider_of_the_specialty(
    provider: Provider, visit_type: VisitType
) -> None:
    colleague = ProviderFactory.create(
        clinic=provider.clinic, specialty=provider.specialty, working=True
    )
    ProviderFactory.create(clinic=provider.clinic, name="Dr. A. Other", working=True)
    off(provider, "00:00", "23:00")
    found = why(asked(provider, visit_type, provider=provider), leeway=Leeway(other_days=False))
    assert (found.reason, found.finding.until) == (Reason.AWAY, at(MONDAY, "23:00"))
    assert kinds(found) == [ChangeKind.OTHER_PROVIDER]
    assert found.changes[0].slot.provider == colleague


def test_a_closed_clinic_leads_to_another_among_the_staffs(
    provider: Provider, visit_type: VisitType
) -> None:
    elsewhere = ProviderFactory.create(working=True).clinic
    ProviderFactory.create(working=True)
    whole_day = {"start_datetime": at(MONDAY, "00:00"), "end_datetime": at(MONDAY, "23:00")}
    save_closure(ClinicClosure(clinic=provider.clinic, label="Flood", **whole_day))
    leeway = Leeway(other_days=False, clinics=(provider.clinic, elsewhere))
    found = why(asked(provider, visit_type), leeway=leeway)
    assert found.reason is Reason.CLOSED
    assert kinds(found) == [ChangeKind.OTHER_CLINIC]
    assert found.changes[0].slot.clinic == elsewhere


def test_a_gap_that_is_too_short_leads_staff_to_a_shorter_visit(
    provider: Provider, visit_type: VisitType
) -> None:
    long = VisitTypeFactory.create(minutes=40, buffer_after_minutes=10)
    VisitTypeFactory.create(minutes=5)
    VisitTypeFactory.create(minutes=35, is_telehealth=True)
    off(provider, "08:30", "17:00")
    query = asked(provider, long)
    found = why(query, terms=STAFF, leeway=Leeway(other_days=False, shorter=True))
    assert found.reason is Reason.GAP_TOO_SHORT
    assert found.finding.gap is not None
    assert (found.finding.gap.longest.seconds, found.finding.gap.needed.seconds) == (1800, 3000)
    assert [(c.kind, c.query.visit_type) for c in found.changes] == [
        (ChangeKind.SHORTER_VISIT, visit_type)
    ]
    assert kinds(why(query, leeway=Leeway(other_days=False))) == []


def test_the_last_times_that_are_held_may_be_free_again(
    clinic: Clinic, visit_type: VisitType, patient: Patient
) -> None:
    provider = ProviderFactory.create(clinic=clinic)
    ProviderScheduleFactory.create(provider=provider, end_time=time(9))
    query = asked(provider, visit_type)
    AppointmentFactory.create(provider=provider, patient=patient, start=at(MONDAY, "08:00"))
    hold = hold_of(provider, visit_type, at(MONDAY, "08:30"))
    held = why(query)
    assert (held.reason, held.finding.until) == (Reason.HELD, hold.expires_at)


def test_ones_own_hold_and_the_visit_that_moves_take_nothing(
    clinic: Clinic, visit_type: VisitType, patient: Patient
) -> None:
    provider = ProviderFactory.create(clinic=clinic)
    ProviderScheduleFactory.create(provider=provider, end_time=time(9))
    query = asked(provider, visit_type)
    visit = AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=visit_type, start=at(MONDAY, "08:00")
    )
    hold = hold_of(provider, visit_type, at(MONDAY, "08:30"))
    found = explain(query, terms=PATIENT, now=timezone.now(), ignore=hold)
    assert (found.reason, kinds(found)) == (Reason.FREE_BY_NOW, [ChangeKind.AGAIN])
    assert why(query, ignore=visit).reason is Reason.HELD


def test_short_notice_is_offered_to_staff_alone(provider: Provider) -> None:
    strict = VisitTypeFactory.create(minimum_notice_minutes=60 * 24 * 40)
    query = asked(provider, strict)
    assert kinds(why(query, leeway=Leeway(other_days=False))) == []
    leeway = Leeway(other_days=False, less_notice=True)
    found = why(query, terms=STAFF, leeway=leeway)
    assert found.reason is Reason.NOTICE
    assert kinds(found) == [ChangeKind.LESS_NOTICE]
    assert found.changes[0].slot.start == at(MONDAY, "08:00")


def test_beyond_the_horizon_leads_to_an_earlier_day(provider: Provider) -> None:
    near = VisitTypeFactory.create(horizon_days=20)
    far = {"first_day": MONDAY + 30 * DAY, "last_day": MONDAY + 40 * DAY}
    found = why(asked(provider, near, **far))
    assert found.reason is Reason.HORIZON
    assert kinds(found) == [ChangeKind.EARLIER]


def test_evenings_lead_to_any_time_of_day(provider: Provider, visit_type: VisitType) -> None:
    query = asked(provider, visit_type, last_day=MONDAY + 90 * DAY, not_before=time(17))
    found = why(query, leeway=Leeway(other_days=False))
    assert (found.reason, found.finding.filters) == (
        Reason.FILTERED_OUT,
        frozenset({Filter.TIME_OF_DAY}),
    )
    assert found.finding.among_wanted is Reason.OUTSIDE_HOURS
    assert kinds(found) == [ChangeKind.TIME_OF_DAY]


def test_two_filters_that_both_rule_out_are_dropped_together(
    provider: Provider, visit_type: VisitType
) -> None:
    query = asked(provider, visit_type, not_before=time(17), weekdays=frozenset({6}))
    found = why(query, leeway=Leeway(other_days=False))
    assert found.finding.filters == {Filter.TIME_OF_DAY, Filter.WEEKDAY}
    assert kinds(found) == [ChangeKind.EVERYTHING]


@pytest.fixture
def plan() -> InsurancePlan:
    return InsurancePlan.objects.create(payer="Acme", name="Gold", plan_code="ACME-GOLD")


@pytest.fixture
def wanted(plan: InsurancePlan) -> dict[str, tuple[dict[str, Any], Filter, list[ChangeKind]]]:
    specialty = SpecialtyFactory.create()
    return {
        "language": ({"language": "ta"}, Filter.LANGUAGE, [ChangeKind.LANGUAGE]),
        "plan": ({"insurance_plan": plan}, Filter.PLAN, [ChangeKind.PLAN]),
        "video": ({"telehealth": True}, Filter.TELEHEALTH, [ChangeKind.IN_PERSON]),
        "new": ({"new_patient": True}, Filter.NEW_PATIENT, [ChangeKind.NEW_PATIENT]),
        "specialty": ({"specialty": specialty}, Filter.SPECIALTY, []),
    }


@pytest.mark.parametrize("name", ["language", "plan", "video", "new", "specialty"])
def test_where_nobody_matches_the_filter_is_named_and_dropped(
    provider: Provider, visit_type: VisitType, wanted: dict[str, Any], name: str
) -> None:
    Provider.objects.update(accepts_new_patients=False)
    fields, blamed, changes = wanted[name]
    leeway = Leeway(other_days=False, new_patient=True)
    found = why(asked(provider, visit_type, **fields), leeway=leeway)
    assert (found.reason, found.finding.filters) == (Reason.NOBODY_MATCHES, frozenset({blamed}))
    assert kinds(found) == changes


def test_a_new_patient_cannot_choose_to_be_none(provider: Provider, visit_type: VisitType) -> None:
    Provider.objects.update(accepts_new_patients=False)
    assert kinds(why(asked(provider, visit_type, new_patient=True))) == []


def test_of_several_filters_those_are_named_that_nobody_meets(
    provider: Provider, visit_type: VisitType, plan: InsurancePlan
) -> None:
    query = asked(provider, visit_type, language="ta", insurance_plan=plan, telehealth=True)
    Provider.objects.update(offers_telehealth=True)
    found = why(query)
    assert found.finding.filters == {Filter.LANGUAGE, Filter.PLAN}
    assert kinds(found) == [ChangeKind.EVERYTHING]


def test_an_empty_clinic_has_nobody_to_blame(clinic: Clinic, visit_type: VisitType) -> None:
    query = Query(visit_type, MONDAY, MONDAY, (clinic,), language="es")
    found = why(query)
    assert (found.reason, found.finding.filters, found.changes) == (
        Reason.NOBODY_MATCHES,
        frozenset(),
        (),
    )


def test_video_leads_to_the_same_visit_at_the_clinic(
    provider: Provider, visit_type: VisitType
) -> None:
    video = VisitTypeFactory.create(is_telehealth=True)
    leeway = Leeway(other_days=False, in_person=visit_type)
    found = why(asked(provider, video, telehealth=True), leeway=leeway)
    assert [(c.kind, c.query.visit_type) for c in found.changes] == [
        (ChangeKind.IN_PERSON, visit_type)
    ]


def test_the_smallest_changes_come_first_and_are_at_most_three(
    provider: Provider, visit_type: VisitType
) -> None:
    ProviderFactory.create(clinic=provider.clinic, specialty=provider.specialty, working=True)
    VisitTypeFactory.create(minutes=10)
    other = ClinicFactory.create()
    off(provider, "00:00", "23:00")
    leeway = Leeway(clinics=(provider.clinic, other), shorter=True, less_notice=True)
    found = why(asked(provider, visit_type, provider=provider, not_before=time(9)), leeway=leeway)
    assert kinds(found) == [ChangeKind.LATER, ChangeKind.EARLIER, ChangeKind.OTHER_PROVIDER]


def statements(query: Query, leeway: Leeway) -> int:
    with CaptureQueriesContext(connection) as captured:
        explain(query, terms=STAFF, now=timezone.now(), leeway=leeway)
    return len(captured)


@pytest.mark.parametrize("empty", ["hours", "nobody"])
def test_the_statements_do_not_grow_with_the_providers(
    provider: Provider, visit_type: VisitType, empty: str
) -> None:
    everything: dict[str, Any] = {
        "not_before": time(17),
        "weekdays": frozenset({0}),
        "language": "en" if empty == "hours" else "ta",
        "last_day": MONDAY + 80 * DAY,
    }
    Provider.objects.update(languages=["en"])
    VisitTypeFactory.create(minutes=10)
    leeway = Leeway(
        clinics=(provider.clinic, ClinicFactory.create()),
        shorter=True,
        less_notice=True,
        new_patient=True,
    )
    query = asked(provider, visit_type, **everything)
    few = statements(query, leeway)
    specialty: Specialty = SpecialtyFactory.create()
    ProviderFactory.create_batch(
        199, clinic=provider.clinic, specialty=specialty, languages=["en"], working=True
    )
    assert statements(query, leeway) == few


def test_an_explanation_takes_the_instant_it_is_given(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    query = asked(provider, visit_type, first_day=SUNDAY, last_day=SUNDAY)
    assert explain(query, terms=PATIENT, now=now).now == now
