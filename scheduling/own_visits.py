"""What a provider sees of the own visits: whose turn it is, who waits, and what can be done now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from providers.models import Clinic, ClinicClosure, ProviderSchedule, TimeOff
from scheduling import video
from scheduling.errors import TooEarly
from scheduling.models import Appointment
from scheduling.models.appointment import AppointmentQuerySet
from scheduling.policies import NO_SHOW_GRACE, check_timing
from scheduling.presenters import Tag, clock, status_tag
from scheduling.transitions import Act, Status
from scheduling.visit_words import language_name

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LATE = timedelta(minutes=10)
OPEN = {Status.SCHEDULED.value, Status.CONFIRMED.value}


def own_visits(user: User, clinics: Sequence[Clinic]) -> AppointmentQuerySet:
    """Return the visits that this user sees as their provider, at these clinics."""
    rows: AppointmentQuerySet = Appointment.objects.visible_to(user).filter(
        provider__user=user, clinic__in=clinics
    )
    return rows.select_related("patient", "appointment_type", "clinic", "provider")


@dataclass(frozen=True)
class OwnVisit:
    """One visit as of `now`; times are shown in its clinic's zone."""

    appointment: Appointment
    now: datetime

    @property
    def is_open(self) -> bool:
        return self.appointment.status in OPEN

    @property
    def is_here(self) -> bool:
        return self.is_open and self.appointment.arrived_at is not None

    @property
    def waiting_minutes(self) -> int | None:
        """Minutes since the patient arrived, until taken to a room."""
        row = self.appointment
        if not self.is_here or row.arrived_at is None or row.roomed_at is not None:
            return None
        return max(0, (self.now - row.arrived_at) // MINUTE)

    @cached_property
    def can_complete(self) -> bool:
        return self._may(Act.COMPLETE)

    @cached_property
    def can_mark_no_show(self) -> bool:
        return self._may(Act.MARK_NO_SHOW)

    def _may(self, act: Act) -> bool:
        if not self.is_open:
            return False
        try:
            check_timing(act, self.appointment, now=self.now)
        except TooEarly:
            return False
        return True

    @property
    def no_show_from(self) -> datetime:
        return self.appointment.scheduled_start + NO_SHOW_GRACE

    @property
    def undo_until(self) -> datetime | None:
        """Until when the last act can be taken back; None when it cannot."""
        until = self.appointment.undo_until
        return until if until is not None and until > self.now else None

    @property
    def tags(self) -> list[Tag]:
        tags = [status_tag(self.appointment)]
        if self.appointment.appointment_type.is_telehealth:
            tags.insert(0, Tag("telehealth", _("Video")))
        late = self.now - self.appointment.scheduled_start
        if self.is_open and not self.is_here and late > LATE:
            tags.append(Tag("late", _("%(minutes)d min late") % {"minutes": late // MINUTE}))
        if self.waiting_minutes is not None:
            words = _("Waiting %(minutes)d min") % {"minutes": self.waiting_minutes}
            tags.append(Tag("waiting", words))
        return tags

    @property
    def detail(self) -> str:
        """The type of visit, and the language where it is not English."""
        patient = self.appointment.patient
        words = [self.appointment.appointment_type.label]
        if patient.needs_interpreter:
            words.append(_("%(language)s interpreter") % {"language": self.language})
        elif not patient.language.startswith("en"):
            words.append(_("speaks %(language)s") % {"language": self.language})
        return ", ".join(words)

    @property
    def language(self) -> str:
        return language_name(self.appointment.patient.language)

    @property
    def is_video(self) -> bool:
        """Whether it takes place in a room that is open, or will be."""
        return video.door(self.appointment, now=self.now) in {video.Door.EARLY, video.Door.OPEN}


def day_bounds(clinic: Clinic, day: date, *, days: int = 1) -> tuple[datetime, datetime]:
    """Return the local midnights around `days` days as instants."""
    begins = datetime.combine(day, time.min, clinic.zone)
    return begins, datetime.combine(day + days * DAY, time.min, clinic.zone)


def day_list(user: User, clinics: Sequence[Clinic], day: date, *, now: datetime) -> list[OwnVisit]:
    """Return the visits of one day at the first of the clinics, cancelled ones left out."""
    rows = own_visits(user, clinics).live().starting(*day_bounds(clinics[0], day))
    return [OwnVisit(row, now) for row in rows.defer("reason_for_visit")]


def next_visit(visits: Sequence[OwnVisit]) -> OwnVisit | None:
    """Return whose turn it is: who is here, else who is due, else whoever is still open."""
    is_open = [visit for visit in visits if visit.is_open]
    here = [visit for visit in is_open if visit.is_here]
    due = [visit for visit in is_open if visit.no_show_from > visit.now]
    return next(iter(here or due or is_open), None)


@dataclass(frozen=True, slots=True)
class WeekDay:
    day: date
    visits: list[OwnVisit]
    hours: list[str]
    away: list[str]
    is_today: bool


def week(user: User, clinics: Sequence[Clinic], monday: date, *, now: datetime) -> list[WeekDay]:
    """Return seven days with visits, hours and absences, in four queries."""
    here = clinics[0]
    begins, ends = day_bounds(here, monday, days=7)
    rows = own_visits(user, clinics).live().starting(begins, ends).defer("reason_for_visit")
    visits = [OwnVisit(row, now) for row in rows]
    hours = list(_hours(user, clinics, monday))
    away = _away(user, clinics, begins, ends)
    today = now.astimezone(here.zone).date()
    days = [monday + n * DAY for n in range(7)]
    return [
        WeekDay(
            day=day,
            visits=[v for v in visits if v.appointment.local_start.date() == day],
            hours=[
                _("%(start)s to %(end)s")
                % {"start": _clock(day, row.start_time), "end": _clock(day, row.end_time)}
                for row in hours
                if row.day_of_week == day.weekday() and row.is_valid_on(day)
            ],
            away=[
                label
                for start, end, label in away
                if start < day_bounds(here, day)[1] and end > day_bounds(here, day)[0]
            ],
            is_today=day == today,
        )
        for day in days
    ]


def _clock(day: date, wall: time) -> str:
    return clock(datetime.combine(day, wall))


def _hours(user: User, clinics: Sequence[Clinic], monday: date) -> list[ProviderSchedule]:
    return list(
        ProviderSchedule.objects.filter(
            provider__user=user,
            clinic__in=clinics,
            is_active=True,
            valid_from__lte=monday + 6 * DAY,
        )
    )


def _away(
    user: User, clinics: Sequence[Clinic], begins: datetime, ends: datetime
) -> list[tuple[datetime, datetime, str]]:
    inside = {"end_datetime__gt": begins, "start_datetime__lt": ends}
    absences = TimeOff.objects.filter(provider__user=user, **inside)
    closures = ClinicClosure.objects.filter(clinic__in=clinics, **inside)
    return [(a.start_datetime, a.end_datetime, a.get_reason_display()) for a in absences] + [
        (c.start_datetime, c.end_datetime, c.label) for c in closures
    ]
