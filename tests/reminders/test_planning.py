"""What a change to a visit writes, drops and tells, looked at in the tables themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from pytest_django import Settings

from patients.models import Patient
from providers.models import Provider, VisitType
from reminders import planning
from reminders.kinds import Channel, Kind, NoticeKind, Standing, State, Why
from reminders.models import ContactPreference, Delivery, Notice, Reminder, ReminderPolicy
from scheduling import booking
from scheduling.actors import Actor
from scheduling.changes import Before, Change
from scheduling.models import Appointment
from tests.factories import (
    AppointmentFactory,
    ProviderFactory,
    VisitTypeFactory,
    at,
    next_monday,
)

pytestmark = pytest.mark.django_db
MONDAY = next_monday(2)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TUESDAY_TWO = at(MONDAY + DAY, "14:00")
BOOKED_AT = TUESDAY_TWO - 7 * DAY
ONLINE = Actor.patient()
ALL = ["FOLLOW_UP SMS", "REMINDER EMAIL", "REMINDER SMS", "REQUEST EMAIL"]
Book = Callable[..., Appointment]


@pytest.fixture
def book(provider: Provider, visit_type: VisitType, patient: Patient) -> Book:
    def book(**changed: Any) -> Appointment:
        values = {
            "provider": provider,
            "visit_type": visit_type,
            "patient": patient,
            "start": TUESDAY_TWO,
            "now": BOOKED_AT,
        }
        return AppointmentFactory.create(**(values | changed))

    return book


@pytest.fixture
def visit(book: Book) -> Appointment:
    return book()


def plans(visit: Appointment, standing: Standing = Standing.PLANNED) -> list[str]:
    rows = Reminder.objects.filter(appointment=visit, standing=standing)
    return sorted(f"{row.kind} {row.channel}" for row in rows)


def whys(visit: Appointment) -> set[str]:
    skipped = Reminder.objects.filter(appointment=visit, standing=Standing.SKIPPED)
    return set(skipped.values_list("why", flat=True))


def notices(visit: Appointment, standing: Standing = Standing.PLANNED) -> list[str]:
    rows = Notice.objects.filter(appointment=visit, standing=standing)
    return sorted(rows.values_list("kind", flat=True))


def take(row: Reminder) -> Delivery:
    """Put a reminder into a delivery, as if it had just left."""
    delivery = Delivery.objects.create(
        channel=row.channel,
        kinds=[row.kind],
        state=State.SENT,
        not_before=row.due_at,
        not_after=row.not_after,
    )
    Reminder.objects.filter(pk=row.pk).update(standing=Standing.TAKEN, delivery=delivery)
    return delivery


def test_a_booking_plans_its_cadence_and_tells_of_itself(visit: Appointment) -> None:
    assert plans(visit) == ALL
    assert notices(visit) == ["BOOKED"]
    request = Reminder.objects.get(appointment=visit, kind=Kind.REQUEST)
    assert (request.due_at, request.sequence) == (at(MONDAY - 2 * DAY, "14:00"), 0)
    told = Notice.objects.get()
    assert (told.channel, told.patient, told.clinic) == (
        Channel.EMAIL,
        visit.patient,
        visit.clinic,
    )
    assert (told.due_at, told.details, told.language) == (BOOKED_AT, {"by": "STAFF"}, "")


def test_all_of_it_is_one_statement_for_a_whole_series(
    provider: Provider, visit_type: VisitType, patient: Patient
) -> None:
    starts = [TUESDAY_TWO + week * 7 * DAY for week in range(3)]

    def book(**changed: Any) -> list[Appointment]:
        values: dict[str, Any] = {"patient": patient, "provider": provider}
        more: dict[str, Any] = {"clinic": provider.clinic} | {
            "visit_type": visit_type,
            "starts": starts,
            "by": ONLINE,
            "now": BOOKED_AT,
        }
        return booking.book_series(**(values | more | changed))

    other = ProviderFactory.create(clinic=provider.clinic, working=True)
    book(provider=other, starts=[start + HOUR for start in starts])  # knows the clinic's policy
    with CaptureQueriesContext(connection) as asked:
        visits = book()
    ours = [query["sql"] for query in asked if "reminders_" in query["sql"]]
    assert len(ours) == 1
    assert [plans(visit) for visit in visits] == [ALL] * 3


def test_a_booking_that_fails_later_plans_nothing(
    book: Book, settings: Settings, provider: Provider
) -> None:
    settings.BOOKING_HANDLERS = [*settings.BOOKING_HANDLERS, "tests.scheduling.handlers.fail"]
    with pytest.raises(LookupError):
        book()
    assert not Reminder.objects.exists()
    assert not Notice.objects.exists()


def test_a_video_visit_is_to_get_its_link(book: Book) -> None:
    video = book(visit_type=VisitTypeFactory.create(code="TELEHEALTH", is_telehealth=True))
    assert plans(video) == ["FOLLOW_UP SMS", "JOIN PUSH", *ALL[1:]]


def test_a_type_that_needs_no_confirmation_is_not_asked_about(book: Book) -> None:
    plain = book(visit_type=VisitTypeFactory.create(code="PLAIN", confirmation_required=False))
    assert plans(plain) == ALL[1:3]


def test_a_clinic_has_its_own_cadence_and_a_type_one_before_it(
    book: Book, visit_type: VisitType, provider: Provider
) -> None:
    ReminderPolicy.objects.create(clinic=provider.clinic, request_hours=None, reminder_hours=None)
    assert plans(book()) == ["FOLLOW_UP SMS"]
    ReminderPolicy.objects.create(
        clinic=provider.clinic, visit_type=visit_type, request_hours=96, follow_up_hours=None
    )
    later = book(start=TUESDAY_TWO + HOUR)
    assert plans(later) == ALL[1:]
    request = Reminder.objects.get(appointment=later, kind=Kind.REQUEST)
    assert request.due_at == TUESDAY_TWO + HOUR - 4 * DAY


def test_a_patient_who_lives_elsewhere_is_reminded_by_their_own_clock(
    book: Book, patient: Patient
) -> None:
    patient.time_zone_id = "Pacific/Honolulu"
    patient.save()
    nine = at(MONDAY + DAY, "09:00")  # in the night there
    dues = Reminder.objects.filter(appointment=book(start=nine)).values_list("due_at", flat=True)
    eight_there = {
        at(MONDAY - n * DAY, "08:00", zone=ZoneInfo("Pacific/Honolulu")) for n in range(3)
    }
    assert set(dues) == eight_there


def test_a_patients_own_quiet_hours_count_when_it_is_planned(book: Book, patient: Patient) -> None:
    ContactPreference.objects.create(patient=patient, quiet_from=time(18), quiet_until=time(10, 30))
    nine = at(MONDAY + DAY, "09:00")
    dues = Reminder.objects.filter(appointment=book(start=nine), kind=Kind.REMINDER)
    assert {row.due_at for row in dues} == {at(MONDAY, "10:30")}


def test_quiet_hours_that_leave_no_time_drop_what_the_usual_ones_allowed(
    book: Book, patient: Patient
) -> None:
    ContactPreference.objects.create(patient=patient, quiet_from=time(0), quiet_until=time(23, 30))
    kind = VisitTypeFactory.create(code="TELEHEALTH", is_telehealth=True)
    video = book(visit_type=kind, now=TUESDAY_TWO - 7 * HOUR)
    assert plans(video) == []
    assert plans(video, Standing.SKIPPED) == ["JOIN PUSH"]
    assert whys(video) == {Why.TOO_LATE}


def test_a_move_drops_the_old_time_and_plans_the_new_one(visit: Appointment) -> None:
    moved = booking.reschedule(
        appointment=visit, start=TUESDAY_TWO + DAY, by=ONLINE, now=BOOKED_AT + DAY
    )
    assert plans(visit) == ALL
    assert whys(visit) == {Why.MOVED}
    sequences = {row.sequence for row in Reminder.objects.filter(standing=Standing.PLANNED)}
    assert sequences == {moved.sequence} == {1}
    assert notices(visit) == ["MOVED"]
    assert notices(visit, Standing.SKIPPED) == ["BOOKED"]


def test_what_has_left_already_is_not_called_back(visit: Appointment) -> None:
    request = Reminder.objects.get(appointment=visit, kind=Kind.REQUEST)
    take(request)
    booking.cancel(appointment=visit, reason="OTHER", by=ONLINE, now=BOOKED_AT + DAY)
    request.refresh_from_db()
    assert (request.standing, request.why) == (Standing.TAKEN, "")


def test_a_confirmed_visit_is_asked_about_no_more_and_still_reminded_of(
    visit: Appointment,
) -> None:
    booking.confirm(appointment=visit, by=ONLINE, now=BOOKED_AT + DAY)
    assert plans(visit) == ALL[1:3]
    assert whys(visit) == {Why.CONFIRMED}


def test_a_patients_own_cancellation_is_told_at_once(visit: Appointment) -> None:
    cancelled_at = BOOKED_AT + DAY
    booking.cancel(appointment=visit, reason="OTHER", by=ONLINE, now=cancelled_at)
    assert plans(visit) == []
    assert whys(visit) == {Why.CANCELLED}
    told = Notice.objects.get(appointment=visit, kind=NoticeKind.CANCELLED)
    assert (told.due_at, told.details) == (cancelled_at, {"by": "PATIENT"})


def test_a_staff_cancellation_is_told_when_it_can_no_longer_be_undone(
    visit: Appointment, desk: Actor
) -> None:
    cancelled = booking.cancel(appointment=visit, reason="OTHER", by=desk, now=timezone.now())
    told = Notice.objects.get(appointment=visit, kind=NoticeKind.CANCELLED)
    assert told.due_at == cancelled.undo_until


def test_an_undone_cancellation_is_not_told_and_the_plan_comes_back(
    visit: Appointment, desk: Actor
) -> None:
    before = list(Reminder.objects.order_by("pk").values())
    cancelled = booking.cancel(appointment=visit, reason="OTHER", by=desk, now=timezone.now())
    booking.undo(appointment=cancelled, by=desk, now=timezone.now())
    assert list(Reminder.objects.order_by("pk").values()) == before
    assert notices(visit, Standing.SKIPPED) == ["CANCELLED"]


def test_what_fell_due_while_a_visit_seemed_cancelled_is_sent_after_all(
    book: Book, desk: Actor
) -> None:
    now = timezone.now().replace(microsecond=0)
    visit = book(now=now - DAY)
    with time_machine.travel(TUESDAY_TWO - 3 * DAY - MINUTE):  # a minute before the request
        cancelled = booking.cancel(appointment=visit, reason="OTHER", by=desk, now=timezone.now())
    later = TUESDAY_TWO - 3 * DAY + 3 * MINUTE
    planning.on_appointment_change([Change("UNDO", visit, Before.of(cancelled), desk, later)])
    request = Reminder.objects.get(appointment=visit, kind=Kind.REQUEST)
    assert (request.standing, request.why) == (Standing.PLANNED, "")
    assert request.due_at == TUESDAY_TWO - 3 * DAY


def test_a_reminder_that_was_skipped_for_another_reason_stays_skipped(
    visit: Appointment, desk: Actor
) -> None:
    Reminder.objects.filter(kind=Kind.FOLLOW_UP).update(
        standing=Standing.SKIPPED, why=Why.OPTED_OUT
    )
    cancelled = booking.cancel(appointment=visit, reason="OTHER", by=desk, now=timezone.now())
    booking.undo(appointment=cancelled, by=desk, now=timezone.now())
    assert plans(visit) == ALL[1:]


def test_send_now_ends_the_wait_of_the_cancellations_notice(
    visit: Appointment, desk: Actor
) -> None:
    now = timezone.now()
    cancelled = booking.cancel(appointment=visit, reason="OTHER", by=desk, now=now)
    booking.send_now(appointment=cancelled, by=desk, now=now + MINUTE)
    told = Notice.objects.get(appointment=visit, kind=NoticeKind.CANCELLED)
    assert told.due_at == now + MINUTE


def test_a_visit_cancelled_for_silence_is_told_as_that(visit: Appointment) -> None:
    released_at = TUESDAY_TWO - DAY
    by = Actor.system("release")
    booking.cancel(appointment=visit, reason="UNCONFIRMED", by=by, now=released_at)
    assert notices(visit) == ["BOOKED", "RELEASED"]
    assert whys(visit) == {Why.RELEASED}


def test_a_restored_visit_is_told_of_and_reminded_of_again(visit: Appointment, desk: Actor) -> None:
    by, released_at = Actor.system("release"), TUESDAY_TWO - 30 * HOUR
    released = booking.cancel(appointment=visit, reason="UNCONFIRMED", by=by, now=released_at)
    booking.restore(appointment=released, by=desk, now=released_at + HOUR)
    assert notices(visit) == ["BOOKED", "RESTORED"]
    assert notices(visit, Standing.SKIPPED) == ["RELEASED"]
    assert plans(visit) == ALL[1:3]


@pytest.mark.parametrize("act", ["check_in", "mark_no_show", "complete"])
def test_whoever_has_come_or_not_is_reminded_no_more(
    visit: Appointment, desk: Actor, act: str
) -> None:
    now = TUESDAY_TWO + (-HOUR if act == "check_in" else HOUR)
    getattr(booking, act)(appointment=visit, by=desk, now=now)
    assert plans(visit) == []
    assert whys(visit) == {Why.ARRIVED}
    assert notices(visit) == ["BOOKED"]


def test_of_a_visit_that_has_begun_nothing_is_told(visit: Appointment, desk: Actor) -> None:
    begun = TUESDAY_TWO + 5 * MINUTE
    booking.cancel(appointment=visit, reason="OTHER", override="PATIENT_CALLED", by=desk, now=begun)
    assert notices(visit) == ["BOOKED"]


def test_a_booking_entered_long_after_it_was_made_plans_only_what_is_to_come(book: Book) -> None:
    start = at(next_monday(1) + DAY, "14:00")
    old = book(start=start, now=timezone.now() - 30 * DAY)
    assert notices(old) == []
    rows = Reminder.objects.filter(appointment=old)
    assert rows.exists()
    assert not rows.filter(due_at__lt=timezone.now() - MINUTE).exists()


def test_the_same_change_told_twice_is_written_once(visit: Appointment) -> None:
    planning.on_appointment_change([Change("BOOK", visit, None, ONLINE, BOOKED_AT)])
    assert plans(visit) == ALL
    assert Reminder.objects.count() == 4
    assert notices(visit) == ["BOOKED"]


def test_planning_again_follows_the_policy_of_today_and_spares_what_has_left(
    visit: Appointment,
) -> None:
    delivery = take(Reminder.objects.get(kind=Kind.REQUEST))
    ReminderPolicy.objects.create(
        clinic=visit.clinic, request_hours=96, follow_up_hours=None, reminder_hours=30
    )
    planning.plan_again(visit, now=BOOKED_AT + DAY)
    assert plans(visit) == ALL[1:3]
    assert plans(visit, Standing.SKIPPED) == ["FOLLOW_UP SMS"]
    assert Reminder.objects.get(kind=Kind.REQUEST).delivery == delivery
    dues = Reminder.objects.filter(standing=Standing.PLANNED).values_list("due_at", flat=True)
    assert set(dues) == {TUESDAY_TWO - 30 * HOUR}


def test_planning_again_leaves_what_is_due_already_to_the_worker(visit: Appointment) -> None:
    ReminderPolicy.objects.create(clinic=visit.clinic, request_hours=None)
    planning.plan_again(visit, now=TUESDAY_TWO - 3 * DAY + MINUTE)
    assert plans(visit) == ALL


def test_planning_a_cancelled_visit_again_plans_nothing(visit: Appointment) -> None:
    cancelled = booking.cancel(appointment=visit, reason="OTHER", by=ONLINE, now=BOOKED_AT)
    planning.plan_again(cancelled, now=BOOKED_AT + MINUTE)
    assert plans(visit) == []


def test_the_worker_is_called_by_the_bookings_own_transaction(
    book: Book, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Conf, "SYNC", False)
    listeners = settings.BOOKING_HANDLERS
    settings.BOOKING_HANDLERS = [*listeners, "tests.scheduling.handlers.fail"]
    with pytest.raises(LookupError):
        book()
    assert not OrmQ.objects.exists()
    settings.BOOKING_HANDLERS = listeners
    book()
    call = OrmQ.objects.get()
    assert (call.key, call.task["func"], call.task["args"]) == (
        Conf.CLUSTER_NAME,
        "reminders.tasks.dispatch",
        (),
    )


def test_a_plan_alone_calls_nobody(
    visit: Appointment, monkeypatch: pytest.MonkeyPatch, desk: Actor
) -> None:
    monkeypatch.setattr(Conf, "SYNC", False)
    booking.confirm(appointment=visit, by=ONLINE, now=BOOKED_AT)
    booking.check_in(appointment=Appointment.objects.get(), by=desk, now=TUESDAY_TWO - 10 * MINUTE)
    assert not OrmQ.objects.exists()
