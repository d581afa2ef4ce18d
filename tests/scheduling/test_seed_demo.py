"""Riverside Clinic: a readable week, an honest year, and the same again when asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import CareRelationship, MatchCandidate, Patient
from providers.models import Clinic, Membership, Provider, Role
from providers.npi import is_valid_npi
from reminders.models import (
    CallItem,
    Delivery,
    InboundText,
    Notice,
    Reminder,
    ReminderPolicy,
)
from reminders.models.delivery import ON_THE_WAY
from reminders.reports import By, Span, no_shows
from scheduling.impact import misfits
from scheduling.models import (
    Appointment,
    AppointmentEvent,
    Opening,
    WaitlistEntry,
    WaitlistOffer,
)
from scheduling.queries import clinic_day
from scheduling.seeding import cast
from scheduling.transitions import Status

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
WEDNESDAY = datetime(2026, 6, 10, 14, 34, tzinfo=UTC)


def seed(*options: str) -> str:
    out = StringIO()
    call_command("seed_demo", *options, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def riverside(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The clinic as it is seeded on a Wednesday morning, for all tests of this file."""
    with django_db_blocker.unblock(), time_machine.travel(WEDNESDAY, tick=False):
        yield seed("--show-logins")
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def clinic_week(riverside: str, db: None) -> Iterator[Clinic]:
    with time_machine.travel(WEDNESDAY, tick=False):
        yield Clinic.objects.get(slug=cast.CLINIC_SLUG)


def on_day(day: date) -> Any:
    midnight = datetime.combine(day, datetime.min.time(), NEW_YORK)
    return Appointment.objects.starting(midnight, midnight + DAY)


def changes(seen: CaptureQueriesContext) -> list[str]:
    verbs = ("INSERT", "UPDATE", "DELETE")
    return [row["sql"] for row in seen.captured_queries if row["sql"].startswith(verbs)]


def test_providers_are_complete_and_bookable(clinic_week: Clinic) -> None:
    providers = Provider.objects.bookable().filter(clinic=clinic_week)
    assert len(providers) == 8
    assert len({p.specialty_id for p in providers}) == 4
    assert all(p.npi_number and is_valid_npi(p.npi_number) for p in providers)
    assert any(p.offers_telehealth for p in providers)
    assert Membership.objects.filter(role=Role.PROVIDER).count() == 8


def test_today_shows_every_state_of_a_visit(clinic_week: Clinic) -> None:
    today = on_day(date(2026, 6, 10))
    states = set(today.values_list("status", flat=True))
    assert states == {status.value for status in Status}
    assert today.filter(arrived_at__isnull=False, roomed_at__isnull=True).exists()
    assert today.filter(roomed_at__isnull=False, status__in=["SCHEDULED", "CONFIRMED"]).exists()


def test_visits_gone_by_are_closed_and_those_to_come_are_open(clinic_week: Clinic) -> None:
    before = Appointment.objects.filter(scheduled_end__lt=WEDNESDAY - DAY)
    assert before.count() > 1_500
    assert not before.filter(status__in=["SCHEDULED", "CONFIRMED"]).exists()
    after = Appointment.objects.filter(scheduled_start__gt=WEDNESDAY)
    assert after.count() > 300
    assert not after.filter(status__in=["COMPLETED", "NO_SHOW"]).exists()


def test_the_first_providers_next_day_is_full_and_the_one_after_is_half_empty(
    clinic_week: Clinic,
) -> None:
    def free(day: date) -> int:
        board = clinic_day(clinic_week, day, now=WEDNESDAY)
        (column,) = (c for c in board.columns if c.provider.name == "Dr. Priya Raman")
        return len(column.free) * 100 // column.total

    assert free(date(2026, 6, 11)) == 0
    assert free(date(2026, 6, 12)) >= 50


def test_the_history_spans_both_changes_of_the_clocks(clinic_week: Clinic) -> None:
    for change in (date(2025, 11, 2), date(2026, 3, 8)):
        visits = on_day(change)
        assert visits.exists()
        first = min(visit.local_start.time() for visit in visits)
        assert first.hour >= 9, "hours are on the wall clock on that day too"


def test_everything_booked_lies_in_hours_without_overlaps(clinic_week: Clinic) -> None:
    providers = Provider.objects.filter(clinic=clinic_week).values_list("pk", flat=True)
    assert misfits(providers, now=WEDNESDAY) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scheduling_appointment a JOIN scheduling_appointment b"
            " ON a.provider_id = b.provider_id AND a.id < b.id AND a.busy && b.busy"
            " AND a.overbook_lane = b.overbook_lane"
            " WHERE a.status <> 'CANCELLED' AND b.status <> 'CANCELLED'"
        )
        assert cursor.fetchone() == (0,)
    assert Appointment.objects.filter(overbook_lane__gt=0).count() == 1
    assert Appointment.objects.filter(series__isnull=False).count() == 4


def test_every_visit_has_a_history_that_ends_in_its_status(clinic_week: Clinic) -> None:
    last: dict[Any, str] = {}
    kinds: dict[Any, str] = {}
    for event in AppointmentEvent.objects.order_by("at", "id"):
        last[event.appointment_id] = event.to_status
        kinds.setdefault(event.appointment_id, event.kind)
    statuses = dict(Appointment.objects.values_list("pk", "status"))
    assert {pk: last[pk] for pk in statuses} == statuses
    assert set(kinds.values()) == {"BOOK"}


def test_providers_and_their_patients_are_related(clinic_week: Clinic) -> None:
    pairs = set(Appointment.objects.values_list("patient", "provider"))
    visits = CareRelationship.objects.filter(kind=CareRelationship.Kind.VISIT)
    assert set(visits.values_list("patient", "provider")) == pairs


def test_nobody_is_real(clinic_week: Clinic) -> None:
    patients = list(Patient.objects.filter(is_provisional=False))
    assert len(patients) == 160
    assert len({p.full_name for p in patients}) == 160
    assert all(p.email.endswith("@example.org") for p in patients)
    assert all(p.phone.startswith("+1212555") for p in patients)
    assert sum(p.language == "es" for p in patients) > 10
    assert any(p.needs_interpreter for p in patients)


def test_a_few_of_them_have_a_second_record_to_be_compared(clinic_week: Clinic) -> None:
    assert Patient.objects.filter(is_provisional=True).count() == 4
    assert MatchCandidate.objects.waiting().count() == 4


def test_messages_have_a_history_and_none_is_overdue(clinic_week: Clinic) -> None:
    for model in (Reminder, Notice):
        due = model.objects.filter(standing="PLANNED", due_at__lte=WEDNESDAY)
        assert set(due.values_list("kind", flat=True)) <= {"OFFER"}
        assert due.count() <= 4, "only what is being offered at this moment is to be sent"
    assert not Delivery.objects.filter(state__in=ON_THE_WAY).exists()
    assert Delivery.objects.filter(state="DELIVERED").count() > 1_000
    assert Reminder.objects.filter(standing="PLANNED").count() > 500
    span = Span(WEDNESDAY - 90 * DAY, WEDNESDAY)
    reached = dict(no_shows(clinic_week, span).groups[By.REACHED])
    assert all(rate.is_enough for rate in reached.values())
    assert reached[True].share < reached[False].share


def test_there_is_work_that_messages_leave(clinic_week: Clinic) -> None:
    calls = CallItem.objects.filter(closed_at=None)
    assert {call.reason for call in calls} >= {"UNCONFIRMED", "UNDELIVERABLE"}
    assert all(call.appointment.scheduled_start > WEDNESDAY for call in calls)
    assert InboundText.objects.waiting().count() == 1
    policy = ReminderPolicy.objects.get(clinic=clinic_week)
    assert policy.visit_type is not None
    assert policy.visit_type.auto_release_allowed
    assert policy.release_hours


def test_people_wait_for_this_and_that_and_a_gap_is_being_offered(clinic_week: Clinic) -> None:
    waits = WaitlistEntry.objects.filter(status__in=["WAITING", "PAUSED"])
    assert 14 <= waits.count() <= 20
    assert {entry.source for entry in waits} == {"DESK", "PORTAL"}
    assert {entry.urgency for entry in waits} == {"ROUTINE", "URGENT"}
    assert waits.filter(status="PAUSED").count() == 1
    gaps = Opening.objects.filter(state="OPEN")
    assert gaps.count() == 2
    offers = WaitlistOffer.objects.filter(opening__in=gaps, status="OFFERED")
    assert {offer.opening_id for offer in offers} == {gap.pk for gap in gaps}
    ana = Patient.objects.reached_at(email=cast.DEMO_PATIENT_EMAIL).get()
    hers = offers.get(entry__patient=ana)
    assert hers.entry.replaces is not None
    assert hers.visit_start < hers.entry.replaces.scheduled_start


def test_what_was_offered_in_three_months_had_every_outcome(clinic_week: Clinic) -> None:
    ended = Opening.objects.exclude(state="OPEN")
    assert 30 <= ended.count() <= 70
    assert ended.earliest("created_at").created_at < WEDNESDAY - 80 * DAY
    filled = ended.filter(ended="CLAIMED")
    assert 0.2 <= filled.count() / ended.count() <= 0.6
    assert set(ended.values_list("ended", flat=True)) == {"CLAIMED", "EXHAUSTED", "TOO_LATE"}
    offers = WaitlistOffer.objects.filter(opening__in=ended)
    assert {offer.status for offer in offers} == {"CLAIMED", "DECLINED", "EXPIRED"}
    for offer in offers.select_related("appointment", "entry", "opening"):
        assert offer.entry.created_at <= offer.made_at < offer.expires_at < offer.visit_start
        if offer.status == "CLAIMED":
            assert offer.appointment is not None
            assert offer.appointment.patient_id == offer.entry.patient_id
            assert offer.opening.ended_at == offer.answered_at
    assert not Notice.objects.filter(offer__in=offers).exists()


def test_a_second_run_changes_nothing(clinic_week: Clinic) -> None:
    with CaptureQueriesContext(connection) as seen:
        assert seed() == ""
    assert changes(seen) == []


def test_if_empty_asks_one_question_and_leaves(clinic_week: Clinic) -> None:
    with CaptureQueriesContext(connection) as seen:
        assert seed("--if-empty") == ""
    assert len(seen) == 1


def test_a_week_later_the_empty_days_are_filled_and_the_past_is_closed(
    clinic_week: Clinic,
) -> None:
    known = set(Appointment.objects.values_list("pk", flat=True))
    with time_machine.travel(WEDNESDAY + 7 * DAY, tick=False):
        seed()
    assert known < set(Appointment.objects.values_list("pk", flat=True))
    past = Appointment.objects.filter(scheduled_end__lt=WEDNESDAY + 6 * DAY)
    assert not past.filter(status__in=["SCHEDULED", "CONFIRMED"]).exists()
    assert on_day(date(2026, 6, 10) + 42 * DAY).exists()


def test_the_logins_work(riverside: str, clinic_week: Clinic, client: Any) -> None:
    for login in ("receptionist", "provider", "admin"):
        email = f"{login}@{cast.DOMAIN}"
        assert email in riverside
        assert client.login(username=email, password=cast.PASSWORD)
    assert cast.PASSWORD in riverside
    assert cast.DEMO_PATIENT_EMAIL in riverside
    assert Patient.objects.reached_at(email=cast.DEMO_PATIENT_EMAIL).count() == 1


@pytest.mark.django_db
def test_it_refuses_outside_development(settings: Any) -> None:
    del settings.DEVELOPMENT
    before = Clinic.objects.count()
    with (
        CaptureQueriesContext(connection) as seen,
        pytest.raises(CommandError, match="never for a clinic's data"),
    ):
        seed()
    assert len(seen) == 0
    assert Clinic.objects.count() == before
