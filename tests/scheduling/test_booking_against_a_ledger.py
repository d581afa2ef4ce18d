"""Ten thousand random acts: after each one, the rows are what a plain Python ledger says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import count, pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from providers import hours
from providers.calendars import bump
from providers.models import Clinic, Provider, TimeOff, VisitType, Weekday
from scheduling import booking, holds
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from scheduling.models import Appointment, SlotHold
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    hold_of,
    next_monday,
    someone_at_the_desk,
)
from tests.scheduling.ledger import Booked, Held, Kind, Ledger, Span

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("jobs_wait"),
]
MINUTE = timedelta(minutes=1)
KINDS = [Kind(30), Kind(15), Kind(30, before=10, after=15)]
PATIENTS, PROVIDERS, BROWSERS = 3, 2, 3
EXAMPLES, STEPS = 160, 80

patients = st.integers(0, PATIENTS - 1)
providers = st.integers(0, PROVIDERS - 1)
kinds = st.integers(0, len(KINDS) - 1)
starts = st.integers(-1, 8).map(lambda quarter: quarter * 15)
picks = st.integers(0, 1_000)
browsers = st.integers(0, BROWSERS - 1)


class Cast:
    """Providers who work on Mondays from nine to eleven, and the people around them."""

    def __init__(self) -> None:
        self.clinic: Clinic = ClinicFactory.create(time_zone__name="UTC")
        self.providers: list[Provider] = ProviderFactory.create_batch(PROVIDERS, clinic=self.clinic)
        for provider in self.providers:
            ProviderScheduleFactory.create(
                provider=provider,
                day_of_week=Weekday.MONDAY,
                start_time=time(9),
                end_time=time(11),
            )
        self.patients = PatientFactory.create_batch(PATIENTS, clinic=self.clinic)
        self.types: list[VisitType] = [
            VisitTypeFactory.create(
                minutes=kind.minutes,
                buffer_before_minutes=kind.before,
                buffer_after_minutes=kind.after,
            )
            for kind in KINDS
        ]
        self.desk = someone_at_the_desk()
        self.weeks = count()
        self.acts = 0


class Desk(RuleBasedStateMachine):
    """Each run has a Monday of its own, so that nothing has to be cleared away between runs."""

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.opening = datetime.combine(next_monday(next(self.cast.weeks)), time(9), UTC)
        self.ledger = Ledger()
        self.rows: dict[UUID, Appointment] = {}
        self.kept: dict[UUID, SlotHold] = {}
        self.leave: dict[UUID, TimeOff] = {}

    def at(self, minutes: int) -> datetime:
        return self.opening + minutes * MINUTE

    def expect(self, refusals: set[str], act: Callable[[], Any]) -> Any:
        """Do the act; it must succeed exactly when the ledger knows no refusal."""
        self.cast.acts += 1
        try:
            answer = act()
        except SchedulingError as error:
            assert type(error).__name__ in refusals, (error, refusals)
            return None
        assert not refusals, refusals
        return answer

    def place(self, wish: Booked) -> dict[str, Any]:
        return {
            "provider": self.cast.providers[wish.provider],
            "clinic": self.cast.clinic,
            "visit_type": self.cast.types[KINDS.index(wish.kind)],
            "override": "URGENT",
            "by": self.cast.desk,
            "now": timezone.now(),
        }

    def book(self, wish: Booked, refusals: set[str], **more: Any) -> Appointment | None:
        booked: Appointment | None = self.expect(
            refusals,
            lambda: booking.book(
                patient=self.cast.patients[wish.patient],
                start=self.at(wish.start),
                overbook=wish.lane > 0,
                **self.place(wish),
                **more,
            ),
        )
        if booked is not None:
            self.ledger.visits[booked.pk] = wish
            self.rows[booked.pk] = booked
        return booked

    def pick(self, number: int, *, live: bool) -> UUID:
        fitting = [pk for pk, visit in self.ledger.visits.items() if visit.live is live]
        return fitting[number % len(fitting)]

    def browser_holds(self) -> list[UUID]:
        return [pk for pk, held in self.ledger.holds.items() if held.holder.startswith("browser")]

    @rule(patient=patients, provider=providers, kind=kinds, start=starts)
    def books(self, patient: int, provider: int, kind: int, start: int) -> None:
        wish = Booked(patient, provider, 0, KINDS[kind], start)
        self.book(wish, self.ledger.refusals(wish))

    @rule(patient=patients, provider=providers, kind=kinds, start=starts)
    def overbooks(self, patient: int, provider: int, kind: int, start: int) -> None:
        wish = self.ledger.free_lane(Booked(patient, provider, 1, KINDS[kind], start))
        booked = self.book(wish, self.ledger.refusals(wish))
        assert booked is None or booked.overbook_lane == wish.lane

    @rule(patient=patients, provider=providers, start=starts, apart=st.sampled_from([30, 60]))
    def books_a_series(self, patient: int, provider: int, start: int, apart: int) -> None:
        wishes = [Booked(patient, provider, 0, KINDS[0], start + n * apart) for n in range(2)]
        refusals = self.ledger.refusals(wishes[0]) | self.ledger.refusals(wishes[1])
        booked = self.expect(
            refusals,
            lambda: booking.book_series(
                patient=self.cast.patients[patient],
                starts=[self.at(wish.start) for wish in wishes],
                **self.place(wishes[0]),
            ),
        )
        for visit, wish in zip(booked or [], wishes, strict=False):
            self.ledger.visits[visit.pk] = wish
            self.rows[visit.pk] = visit

    @precondition(lambda self: self.ledger.live())
    @rule(number=picks, provider=providers, kind=kinds, start=starts, beside=st.booleans())
    def moves(self, number: int, provider: int, kind: int, start: int, beside: bool) -> None:
        pk = self.pick(number, live=True)
        wish = Booked(self.ledger.visits[pk].patient, provider, 0, KINDS[kind], start)
        if beside:
            wish = self.ledger.free_lane(wish, own=pk)
        moved = self.expect(
            self.ledger.refusals(wish, own=pk),
            lambda: booking.reschedule(
                appointment=self.rows[pk],
                start=self.at(start),
                overbook=beside,
                **self.place(wish),
            ),
        )
        if moved is not None:
            self.ledger.visits[pk] = wish
            self.rows[pk] = moved

    @precondition(lambda self: self.ledger.live())
    @rule(number=picks)
    def confirms(self, number: int) -> None:
        pk = self.pick(number, live=True)
        self.rows[pk] = self.expect(
            set(),
            lambda: booking.confirm(
                appointment=self.rows[pk], by=self.cast.desk, now=timezone.now()
            ),
        )
        self.ledger.visits[pk] = replace(self.ledger.visits[pk], status="CONFIRMED")

    @precondition(lambda self: self.ledger.live())
    @rule(number=picks, by_patient=st.booleans())
    def cancels(self, number: int, by_patient: bool) -> None:
        self.cancel(self.pick(number, live=True), by_patient=by_patient)

    def cancel(self, pk: UUID, *, by_patient: bool) -> None:
        visit = self.ledger.visits[pk]
        by = Actor.patient() if by_patient else self.cast.desk
        self.rows[pk] = self.expect(
            set(),
            lambda: booking.cancel(
                appointment=self.rows[pk], reason="OTHER", by=by, now=timezone.now()
            ),
        )
        self.ledger.visits[pk] = replace(
            visit, status="CANCELLED", was=visit.status, undoable=not by_patient
        )
        if not by_patient and visit.lane == 0:
            hold = SlotHold.objects.get(holder=f"undo:{pk}")
            self.ledger.holds[hold.pk] = Held(hold.holder, visit)

    @precondition(lambda self: self.ledger.live())
    @rule(number=picks)
    def cancels_by_mistake(self, number: int) -> None:
        pk = self.pick(number, live=True)
        self.cancel(pk, by_patient=False)
        self.undo(pk)

    @precondition(lambda self: len(self.ledger.visits) > len(self.ledger.live()))
    @rule(number=picks)
    def undoes(self, number: int) -> None:
        self.undo(self.pick(number, live=False))

    def undo(self, pk: UUID) -> None:
        gone = self.ledger.visits[pk]
        refusals = self.ledger.undo_refusals(pk) if gone.undoable else {"UndoExpired"}
        back = self.expect(
            refusals,
            lambda: booking.undo(appointment=self.rows[pk], by=self.cast.desk, now=timezone.now()),
        )
        if back is not None:
            self.rows[pk] = back
            self.ledger.visits[pk] = replace(gone, status=gone.was, undoable=False)
            self.ledger.holds.pop(self.ledger.undo_hold(pk), None)  # type: ignore[arg-type]

    @precondition(lambda self: len(self.ledger.visits) > len(self.ledger.live()))
    @rule(number=picks)
    def sends_now(self, number: int) -> None:
        pk = self.pick(number, live=False)
        gone = self.ledger.visits[pk]
        final = self.expect(
            set() if gone.undoable else {"UndoExpired"},
            lambda: booking.send_now(
                appointment=self.rows[pk], by=self.cast.desk, now=timezone.now()
            ),
        )
        if final is not None:
            self.rows[pk] = final
            self.ledger.visits[pk] = replace(gone, undoable=False)
            self.ledger.holds.pop(self.ledger.undo_hold(pk), None)  # type: ignore[arg-type]

    @rule(browser=browsers, provider=providers, kind=kinds, start=starts)
    def keeps_a_time(self, browser: int, provider: int, kind: int, start: int) -> None:
        holder = f"browser{browser}:{self.opening:%Y%m%d}"
        wish = Booked(-1, provider, 0, KINDS[kind], start)
        earlier = next(
            (pk for pk, held in self.ledger.holds.items() if held.holder == holder), None
        )
        kept = self.expect(
            self.ledger.refusals(wish, hold=earlier),
            lambda: hold_of(
                self.cast.providers[provider],
                self.cast.types[kind],
                self.at(start),
                holder=holder,
                by=self.cast.desk,
                override="URGENT",
            ),
        )
        if kept is not None:
            self.ledger.holds.pop(earlier, None)  # type: ignore[arg-type]
            self.ledger.holds[kept.pk] = Held(holder, wish)
            self.kept[kept.pk] = kept

    @precondition(lambda self: self.kept)
    @rule(number=picks)
    def extends(self, number: int) -> None:
        pk = list(self.kept)[number % len(self.kept)]
        held = self.ledger.holds.get(pk)
        spent = held is None or held.extensions == holds.MOST_EXTENSIONS
        longer = self.expect(
            {"HoldExpired"} if spent else set(),
            lambda: holds.extend_hold(self.kept[pk], now=timezone.now()),
        )
        if longer is not None and held is not None:
            self.kept[pk] = longer
            self.ledger.holds[pk] = replace(held, extensions=held.extensions + 1)

    @precondition(lambda self: self.browser_holds())
    @rule(number=picks)
    def lets_a_hold_expire(self, number: int) -> None:
        pk = self.browser_holds()[number % len(self.browser_holds())]
        self.cast.acts += 1
        with transaction.atomic():
            SlotHold.objects.filter(pk=pk).update(expires_at=timezone.now() - MINUTE)
            bump([self.kept[pk].provider_id])
        del self.ledger.holds[pk]

    @precondition(lambda self: self.kept)
    @rule(number=picks, patient=patients)
    def books_what_was_kept(self, number: int, patient: int) -> None:
        pk = list(self.kept)[number % len(self.kept)]
        hold = self.kept[pk]
        held = self.ledger.holds.get(pk)
        if held is None:
            wish = Booked(patient, 0, 0, KINDS[0], 0)
            self.book(wish, {"HoldExpired", *self.ledger.refusals(wish)}, hold=hold)
            return
        wish = replace(held.wish, patient=patient)
        if self.book(wish, self.ledger.refusals(wish, hold=pk), hold=hold):
            del self.ledger.holds[pk]

    @precondition(lambda self: len(self.leave) < 2)
    @rule(provider=providers, start=starts, quarters=st.integers(1, 3))
    def goes_away(self, provider: int, start: int, quarters: int) -> None:
        span = Span(start, start + quarters * 15)
        time_off = TimeOff(
            provider=self.cast.providers[provider],
            start_datetime=self.at(span.start),
            end_datetime=self.at(span.end),
            reason="CME",
        )
        self.expect(set(), lambda: hours.save_time_off(time_off))
        self.ledger.away[time_off.pk] = (provider, span)
        self.leave[time_off.pk] = time_off

    @precondition(lambda self: self.leave)
    @rule(number=picks)
    def comes_back(self, number: int) -> None:
        pk = list(self.leave)[number % len(self.leave)]
        self.expect(set(), lambda: hours.remove_time_off(self.leave.pop(pk)))
        del self.ledger.away[pk]

    @invariant()
    def the_rows_are_what_the_ledger_says(self) -> None:
        day = Appointment.objects.filter(
            scheduled_start__range=(self.at(-600), self.at(600)), clinic=self.cast.clinic
        )
        live = list(day.live().order_by("scheduled_start"))
        assert {row.pk: as_booked(row, self) for row in live} == {
            pk: (v.patient, v.provider, v.lane, v.busy, v.status)
            for pk, v in self.ledger.visits.items()
            if v.live
        }
        nobody_is_in_two_places(live)

    @invariant()
    def the_holds_are_what_the_ledger_says(self) -> None:
        kept = SlotHold.objects.live().filter(visit_start__range=(self.at(-600), self.at(600)))
        assert set(kept.values_list("pk", flat=True)) == set(self.ledger.holds)


def as_booked(row: Appointment, desk: Desk) -> tuple[int, int, int, Span, str]:
    def minutes(instant: datetime) -> int:
        return int((instant - desk.opening) / MINUTE)

    return (
        [patient.pk for patient in desk.cast.patients].index(row.patient_id),
        [provider.pk for provider in desk.cast.providers].index(row.provider_id),
        row.overbook_lane,
        Span(minutes(row.busy.lower), minutes(row.busy.upper)),
        row.status,
    )


def nobody_is_in_two_places(live: list[Appointment]) -> None:
    lanes: dict[object, list[Appointment]] = {}
    for row in live:
        lanes.setdefault((row.provider_id, row.overbook_lane), []).append(row)
        lanes.setdefault(row.patient_id, []).append(row)
    for own in lanes.values():
        for one, other in pairwise(own):
            assert one.scheduled_end <= other.scheduled_start


def test_ten_thousand_random_acts_agree_with_the_ledger() -> None:
    Desk.cast = Cast()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    connection.close()
    assert Desk.cast.acts >= 10_000
