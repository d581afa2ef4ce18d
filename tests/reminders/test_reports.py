"""A clinic's figures: counted by hand, and then by the reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.models import Clinic, Provider, VisitType
from reminders.figures import Rate
from reminders.kinds import Channel, Kind, Standing, State, Why
from reminders.models import Delivery, Reminder, ReminderPolicy
from reminders.reports import By, NoShows, Span, Ways, messages, no_shows
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, ProviderFactory, VisitTypeFactory, at, next_monday

pytestmark = pytest.mark.django_db
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MONDAY = next_monday(-3)
EIGHT = at(MONDAY, "08:00")
SPAN = Span(at(MONDAY, "00:00"), at(MONDAY + DAY, "00:00"))
DESK = Actor.system("tests")


@dataclass(frozen=True)
class Kept:
    """A visit to be written: `lead` in days, and what came of it."""

    who: str
    what: str
    lead: int
    missed: bool
    reached: bool
    confirmed: bool


Y, N = True, False
# Ada: 6 visits, 2 missed. Bo: 5, 2. Follow-ups: 6, 2. Video: 5, 2. Up to a day ahead: 3, none, and
# then 2 with 1 in each band. Reached: 5, 1; not: 6, 3. Confirmed: 4, none; not: 7, 4.
BY_HAND = [
    Kept("Ada", "Follow-up", 0, N, Y, Y),
    Kept("Ada", "Follow-up", 1, N, Y, N),
    Kept("Ada", "Follow-up", 2, Y, N, N),
    Kept("Ada", "Video", 7, N, Y, Y),
    Kept("Ada", "Video", 8, Y, N, N),
    Kept("Bo", "Follow-up", 14, N, N, Y),
    Kept("Bo", "Follow-up", 15, Y, N, N),
    Kept("Bo", "Video", 30, N, Y, Y),
    Kept("Bo", "Video", 31, Y, Y, N),
    Kept("Bo", "Video", 90, N, N, N),
    Kept("Ada", "Follow-up", 0, N, N, N),
]


def write(row: Kept, provider: Provider, visit_type: VisitType, start: datetime) -> Appointment:
    visit = AppointmentFactory.create(provider=provider, visit_type=visit_type, start=start)
    if row.confirmed:
        visit = booking.confirm(appointment=visit, by=DESK, now=start - 30 * MINUTE)
    if row.missed:
        visit = booking.mark_no_show(appointment=visit, by=DESK, now=start + 20 * MINUTE)
    else:
        visit = booking.complete(appointment=visit, by=DESK, now=start + 20 * MINUTE)
    booked_at = start - row.lead * DAY - MINUTE
    Appointment.objects.filter(pk=visit.pk).update(created_at=booked_at)
    if row.reached:
        remind(visit)
    return visit


def remind(visit: Appointment, **values: Any) -> Delivery:
    """Write that a text of the visit's arrived a day before it, or what else is told."""
    before = visit.scheduled_start - DAY
    told: dict[str, Any] = {
        "channel": Channel.SMS.value,
        "state": State.DELIVERED.value,
        "sent_at": before,
        "delivered_at": before,
        **values,
    }
    sequence = told.pop("sequence", visit.sequence)
    spans = {"not_before": before, "not_after": visit.scheduled_start}
    delivery = Delivery.objects.create(
        clinic=visit.clinic, patient=visit.patient, kinds=["REMINDER"], **spans, **told
    )
    Reminder.objects.update_or_create(
        appointment=visit,
        sequence=sequence,
        kind=Kind.REMINDER.value,
        channel=told["channel"],
        defaults={
            "due_at": before,
            "not_after": visit.scheduled_start,
            "standing": Standing.TAKEN.value,
            "delivery": delivery,
        },
    )
    return delivery


@pytest.fixture
def written(clinic: Clinic) -> list[Appointment]:
    people = {
        name: ProviderFactory.create(clinic=clinic, name=name, working=True)
        for name in ("Ada", "Bo")
    }
    types = {name: VisitTypeFactory.create(label=name) for name in ("Follow-up", "Video")}
    return [
        write(row, people[row.who], types[row.what], EIGHT + place * 30 * MINUTE)
        for place, row in enumerate(BY_HAND)
    ]


def rates(found: NoShows, by: By) -> dict[Any, tuple[int, int]]:
    return {key: (rate.visits, rate.missed) for key, rate in found.groups[by]}


class TestNoShows:
    def test_the_figures_are_those_counted_by_hand(
        self, clinic: Clinic, written: list[Appointment]
    ) -> None:
        found = no_shows(clinic, SPAN)
        assert found.overall == Rate(missed=4, visits=11)
        assert rates(found, By.PROVIDER) == {"Ada": (6, 2), "Bo": (5, 2)}
        assert rates(found, By.VISIT_TYPE) == {"Follow-up": (6, 2), "Video": (5, 2)}
        assert rates(found, By.LEAD_TIME) == {0: (3, 0), 1: (2, 1), 2: (2, 1), 3: (2, 1), 4: (2, 1)}
        assert rates(found, By.REACHED) == {True: (5, 1), False: (6, 3)}
        assert rates(found, By.CONFIRMED) == {True: (4, 0), False: (7, 4)}

    def test_every_visit_is_in_one_group_of_each_kind(
        self, clinic: Clinic, written: list[Appointment]
    ) -> None:
        found = no_shows(clinic, SPAN)
        for groups in found.groups.values():
            assert sum(rate.visits for _, rate in groups) == found.overall.visits
            assert sum(rate.missed for _, rate in groups) == found.overall.missed

    def test_visits_that_are_open_or_cancelled_do_not_count(
        self, clinic: Clinic, provider: Provider, visit_type: VisitType
    ) -> None:
        AppointmentFactory.create(provider=provider, visit_type=visit_type, start=EIGHT)
        off = AppointmentFactory.create(
            provider=provider, visit_type=visit_type, start=EIGHT + 60 * MINUTE
        )
        booking.cancel(appointment=off, reason="OTHER", by=DESK, now=EIGHT)
        assert no_shows(clinic, SPAN).overall.visits == 0

    def test_another_clinics_visits_do_not_count(
        self, written: list[Appointment], clinic: Clinic
    ) -> None:
        elsewhere = ProviderFactory.create(working=True)
        write(BY_HAND[2], elsewhere, VisitTypeFactory.create(), EIGHT)
        assert no_shows(clinic, SPAN).overall.visits == 11
        assert no_shows(elsewhere.clinic, SPAN).overall == Rate(1, 1)

    def test_the_span_holds_its_first_instant_and_not_its_last(
        self, clinic: Clinic, provider: Provider, visit_type: VisitType
    ) -> None:
        write(BY_HAND[0], provider, visit_type, EIGHT)
        assert no_shows(clinic, Span(EIGHT, EIGHT + MINUTE)).overall.visits == 1
        assert no_shows(clinic, Span(EIGHT - DAY, EIGHT)).overall.visits == 0

    def test_days_ahead_are_the_clinics_own(
        self, clinic: Clinic, provider: Provider, visit_type: VisitType
    ) -> None:
        """Booked on Friday at 23:30 in New York, which is Saturday in UTC, for Monday: 3 days."""
        visit = write(BY_HAND[0], provider, visit_type, EIGHT)
        friday = at(MONDAY - 3 * DAY, "23:30")
        Appointment.objects.filter(pk=visit.pk).update(created_at=friday)
        assert list(rates(no_shows(clinic, SPAN), By.LEAD_TIME)) == [1]
        saturday = at(MONDAY - 1 * DAY, "00:30")
        Appointment.objects.filter(pk=visit.pk).update(created_at=saturday)
        assert list(rates(no_shows(clinic, SPAN), By.LEAD_TIME)) == [0]

    def test_a_move_takes_the_confirmation_back(
        self, clinic: Clinic, provider: Provider, visit_type: VisitType
    ) -> None:
        visit = AppointmentFactory.create(provider=provider, visit_type=visit_type, start=EIGHT)
        visit = booking.confirm(appointment=visit, by=DESK, now=EIGHT - DAY)
        start = EIGHT + 60 * MINUTE
        visit = booking.reschedule(
            appointment=visit,
            start=start,
            override="URGENT",
            by=Actor.staff(provider.user_id or 0),
            now=EIGHT - DAY,
        )
        booking.complete(appointment=visit, by=DESK, now=start + 20 * MINUTE)
        assert rates(no_shows(clinic, SPAN), By.CONFIRMED) == {False: (1, 0)}

    @pytest.mark.parametrize("visits", [1, 11])
    def test_one_statement_whatever_there_is(
        self, clinic: Clinic, provider: Provider, visit_type: VisitType, visits: int
    ) -> None:
        for place, row in enumerate(BY_HAND[:visits]):
            write(row, provider, visit_type, EIGHT + place * 30 * MINUTE)
        with CaptureQueriesContext(connection) as asked:
            no_shows(clinic, SPAN)
            messages(clinic, SPAN)
        assert len(asked) == 2


class TestReached:
    """A message reached its patient if it was known to arrive, in time, for the time it was."""

    @pytest.fixture
    def visit(self, provider: Provider, visit_type: VisitType) -> Appointment:
        return write(BY_HAND[-1], provider, visit_type, EIGHT)

    def is_reached(self, clinic: Clinic) -> bool:
        ((key, _),) = no_shows(clinic, SPAN).groups[By.REACHED]
        return bool(key)

    def test_by_what_was_delivered(self, clinic: Clinic, visit: Appointment) -> None:
        remind(visit)
        assert self.is_reached(clinic)

    @pytest.mark.parametrize("state", [State.SENT, State.FAILED, State.UNKNOWN, State.QUEUED])
    def test_not_by_what_may_have_been_lost(
        self, clinic: Clinic, visit: Appointment, state: State
    ) -> None:
        remind(visit, state=state.value, delivered_at=None)
        assert not self.is_reached(clinic)

    def test_not_after_the_visit_began(self, clinic: Clinic, visit: Appointment) -> None:
        remind(visit, delivered_at=EIGHT + MINUTE)
        assert not self.is_reached(clinic)

    def test_not_for_a_time_that_it_no_longer_was(self, clinic: Clinic, visit: Appointment) -> None:
        remind(visit, sequence=visit.sequence + 1)
        assert not self.is_reached(clinic)

    def test_by_a_mail_that_was_sent_where_the_clinic_says_that_this_counts(
        self, clinic: Clinic, visit: Appointment
    ) -> None:
        remind(visit, channel="EMAIL", state=State.SENT.value, delivered_at=None)
        policy = ReminderPolicy.objects.create(clinic=clinic, sent_counts_as_delivered=True)
        assert self.is_reached(clinic)
        own = ReminderPolicy.objects.create(clinic=clinic, visit_type=visit.appointment_type)
        assert not self.is_reached(clinic), "the row for the type of visit goes first"
        policy.delete()
        own.sent_counts_as_delivered = True
        own.save()
        assert self.is_reached(clinic)

    def test_never_by_a_text_that_was_only_sent(self, clinic: Clinic, visit: Appointment) -> None:
        remind(visit, state=State.SENT.value, delivered_at=None)
        ReminderPolicy.objects.create(clinic=clinic, sent_counts_as_delivered=True)
        assert not self.is_reached(clinic)


class TestMessages:
    @pytest.fixture
    def visit(self, provider: Provider, visit_type: VisitType) -> Appointment:
        visit = write(BY_HAND[-1], provider, visit_type, EIGHT)
        visit.reminders.all().delete()
        visit.notices.all().delete()
        return visit

    def deliver(self, visit: Appointment, state: State, at: datetime = EIGHT, **more: Any) -> None:
        Delivery.objects.create(
            clinic=visit.clinic,
            channel=Channel.SMS.value,
            kinds=["REMINDER"],
            state=state.value,
            lease_until=EIGHT if state is State.CLAIMED else None,
            not_before=at,
            not_after=at,
            created_at=at,
            **more,
        )

    def skip(self, visit: Appointment, why: Why, sequence: int = 0) -> None:
        Reminder.objects.create(
            appointment=visit,
            sequence=sequence,
            kind=Kind.REMINDER.value,
            channel=Channel.SMS.value,
            due_at=EIGHT,
            not_after=EIGHT,
            standing=Standing.SKIPPED.value,
            why=why.value,
        )

    def test_each_way_says_what_became_of_its_messages(
        self, clinic: Clinic, visit: Appointment
    ) -> None:
        for state in (State.SENT, State.SENT, State.DELIVERED, State.FAILED, State.UNKNOWN):
            self.deliver(visit, state)
        self.deliver(visit, State.CLAIMED)
        found = messages(clinic, SPAN)
        assert found.by_channel[Channel.SMS] == Ways(3, 1, 1, 1, 1)
        assert found.by_channel[Channel.EMAIL] == Ways()
        assert list(found.by_channel) == list(Channel)

    def test_what_was_not_sent_says_why_the_most_frequent_first(
        self, clinic: Clinic, visit: Appointment
    ) -> None:
        for sequence, why in enumerate((Why.CAP, Why.OPTED_OUT, Why.CAP)):
            self.skip(visit, why, sequence)
        self.deliver(visit, State.SKIPPED, why=Why.SUPPRESSED.value)
        assert messages(clinic, SPAN).not_sent == [
            (Why.CAP, 2),
            (Why.OPTED_OUT, 1),
            (Why.SUPPRESSED, 1),
        ]

    def test_other_days_and_other_clinics_do_not_count(
        self, clinic: Clinic, visit: Appointment
    ) -> None:
        self.deliver(visit, State.SENT, SPAN.until)
        self.skip(visit, Why.CAP)
        after = Span(SPAN.until, SPAN.until + DAY)
        assert messages(clinic, SPAN).by_channel[Channel.SMS].sent == 0
        assert messages(clinic, after).by_channel[Channel.SMS].sent == 1
        assert messages(clinic, after).not_sent == []
        other = ProviderFactory.create(working=True).clinic
        assert messages(other, SPAN).not_sent == []
