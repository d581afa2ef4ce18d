"""What changes around the visits: hours, zones, kinds of visits, the clock, and the database."""

from __future__ import annotations

from datetime import date, time, timedelta

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from providers import hours
from providers.calendars import bump
from providers.models import ProviderSchedule, Weekday
from tests.scheduling.availability.acts import Acts, picks, whose
from tests.scheduling.availability.restoring import copy_aside, put_back
from tests.scheduling.availability.town import DAY, ZONES

WEEKDAYS = (Weekday.SATURDAY, Weekday.SUNDAY, Weekday.MONDAY, Weekday.TUESDAY)

steps = st.sampled_from([15, 20, 30, 45, 7, 60])
buffers = st.sampled_from([0, 0, 5, 15, 30, 7])
opening = st.sampled_from([0, 240, 485, 480, 720, 845, 1200, 1320])


class Setups(Acts):
    """Acts on the clinic itself, and on what lies under the rows."""

    @rule(
        provider=whose,
        clinic=st.integers(0, 1),
        weekday=st.sampled_from(WEEKDAYS),
        opens=opening,
        lasts=st.sampled_from([60, 100, 120, 240]),
        step=steps,
        allowed=st.sampled_from([(), (), (0,), (3, 1)]),
        valid=st.sampled_from([(-30, None), (-30, None), (0, None), (-30, 0), (-1, 1)]),
    )
    def adds_hours(
        self,
        provider: int,
        clinic: int,
        weekday: Weekday,
        opens: int,
        lasts: int,
        step: int,
        allowed: tuple[int, ...],
        valid: tuple[int, int | None],
    ) -> None:
        """New hours, some for certain kinds of visits only, some for certain dates."""
        first, last = valid
        row = ProviderSchedule(
            provider=self.town.providers[provider],
            clinic=self.town.clinics[clinic],
            day_of_week=weekday,
            start_time=wall_clock(opens),
            end_time=wall_clock(min(opens + lasts, 1440)),
            slot_duration_minutes=step,
            valid_from=self.day(first),
            valid_until=None if last is None else self.day(last),
        )
        types = [self.town.types[kind] for kind in allowed]
        self.attempt("adds hours", lambda: hours.save_schedule(row, visit_types=types))

    def day(self, number: int) -> date:
        return self.town.monday + number * DAY

    @rule(number=picks, step=steps, lasts=st.sampled_from([60, 90, 240]))
    def changes_hours(self, number: int, step: int, lasts: int) -> None:
        if (row := self.some_hours(number)) is None:
            return
        opens = row.start_time.hour * 60 + row.start_time.minute
        row.end_time = wall_clock(min(opens + lasts, 1440))
        row.slot_duration_minutes = step
        self.attempt("changes hours", lambda: hours.save_schedule(row))

    @rule(number=picks, act=st.sampled_from(["remove", "restrict", "rest", "wake"]))
    def restricts_hours(self, number: int, act: str) -> None:
        """Take hours away, allow one kind of visit in them, or switch them off and on."""
        if (row := self.some_hours(number)) is None:
            return
        row.is_active = act != "rest"
        types = [self.town.types[number % 4]] if act == "restrict" else None
        verbs = {"remove": lambda: hours.remove_schedule(row)}
        self.attempt(
            f"hours: {act}",
            verbs.get(act, lambda: hours.save_schedule(row, visit_types=types)),
        )

    def some_hours(self, number: int) -> ProviderSchedule | None:
        rows = list(
            ProviderSchedule.objects.filter(provider__in=self.town.providers).order_by("pk")
        )
        return rows[number % len(rows)] if rows else None

    @rule(clinic=st.integers(0, 1), zone=st.sampled_from(ZONES))
    def a_clinic_moves_to_another_zone(self, clinic: int, zone: str) -> None:
        where = self.town.clinics[clinic]
        where.time_zone_id = zone
        self.attempt("changes zone", lambda: hours.save_clinic(where))

    @rule(clinic=st.integers(0, 1), is_active=st.sampled_from([True, True, False]))
    def a_clinic_rests_or_wakes(self, clinic: int, is_active: bool) -> None:
        where = self.town.clinics[clinic]
        where.is_active = is_active
        self.attempt("clinic rests or wakes", lambda: hours.save_clinic(where))

    @rule(provider=whose, is_active=st.sampled_from([True, True, False]))
    def a_provider_rests_or_wakes(self, provider: int, is_active: bool) -> None:
        who = self.town.providers[provider]
        who.is_active = is_active
        self.attempt("provider rests or wakes", lambda: hours.save_provider(who))

    @rule(provider=whose, name=st.sampled_from(["Zoë", "Dr. Birch", "ada"]))
    def a_provider_is_renamed(self, provider: int, name: str) -> None:
        """The order changes, free time does not: nothing is bumped."""
        who = self.town.providers[provider]
        who.name, who.languages = name, ["es"] if name == "ada" else ["en"]
        self.attempt("renames", who.save)

    @rule(
        kind=st.integers(0, 3),
        minutes=st.sampled_from([5, 10, 25, 33, 60, 90, 200, None]),
        before=buffers,
        after=buffers,
    )
    def a_kind_of_visit_changes(
        self, kind: int, minutes: int | None, before: int, after: int
    ) -> None:
        """No key depends on a visit's length: nothing is bumped."""
        changed = self.town.types[kind]
        changed.minutes = minutes
        changed.buffer_before_minutes, changed.buffer_after_minutes = before, after
        self.attempt("changes a kind of visit", changed.save)

    @rule(hours_on=st.sampled_from([0.1, 1, 5, 13, 24]))
    def time_passes(self, hours_on: float) -> None:
        """The wall clock goes on, over midnight at last, but not past the days asked for."""
        self.now = min(self.now + timedelta(hours=hours_on), self.town.at(24 * 60 + 0.7))
        self.done["time passes"] += 1

    @rule(number=picks, later=picks, keep=st.booleans(), again=st.booleans())
    def changes_twice_in_one_transaction(
        self, number: int, later: int, keep: bool, again: bool
    ) -> None:
        """Bump, search inside, write more under the same stamp, then commit or take it all back."""
        if (first := self.offered(number, 0)) is None:
            return
        who = self.provider_of(first)
        with transaction.atomic():
            self.absence(who, first.start, 15).save()
            bump([who.pk])
            self.looks()
            left = [offer for offer in self.all_offered(0) if offer.provider == who.pk]
            for offer in left[later % len(left) :][:1] if left else []:
                self.absence(who, offer.start, 15).save()
            if again:
                bump([who.pk])
            self.looks()
            transaction.set_rollback(not keep)
        self.done["commits" if keep else "rolls back"] += 1

    @rule()
    def the_database_is_backed_up(self) -> None:
        copy_aside()
        self.has_backup = True

    @precondition(lambda self: self.has_backup)
    @rule()
    def the_database_is_restored(self) -> None:
        put_back()
        self.done["is restored"] += 1


def wall_clock(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)
