"""What somebody would take, should it come free: a wish, and whether it can be waited for at all.

Writes nothing, and does not know who else waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from patients.models import Patient
from providers.models import Clinic, Provider, Specialty, VisitType
from scheduling.actors import Actor
from scheduling.availability.matching import bookable
from scheduling.availability.query import Query
from scheduling.models import Appointment, WaitlistEntry
from scheduling.transitions import Status
from scheduling.waitlist.errors import (
    DaysPassed,
    DaysReversed,
    NotOffered,
    NotYours,
    StaffOnly,
    TimesReversed,
)
from scheduling.waitlist.wanting import Wants

MINUTE = timedelta(minutes=1)
MOVABLE = {Status.SCHEDULED.value, Status.CONFIRMED.value}
URGENT = WaitlistEntry.Urgency.URGENT.value
ROUTINE = WaitlistEntry.Urgency.ROUTINE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Days and times are the clinic's, Monday is 0, an empty choice means any.

    A `provider`, or anybody of a `specialty` where none is named. A visit starts at or after
    `after` and ends by `before`. `replaces` is the visit that an earlier one would take the place
    of. `urgency` is the staff's to say.
    """

    appointment_type: VisitType
    provider: Provider | None = None
    specialty: Specialty | None = None
    earliest: date
    latest: date | None = None
    weekdays: Sequence[int] = ()
    after: time | None = None
    before: time | None = None
    minimum_notice: timedelta = timedelta(hours=2)
    telehealth_acceptable: bool = False
    urgency: str = ROUTINE
    replaces: Appointment | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The wish as the columns of a WaitlistEntry."""
        return {
            "appointment_type": self.appointment_type,
            "provider": self.provider,
            "specialty": None if self.provider else self.specialty,
            "earliest_desired_date": self.earliest,
            "latest_date": self.latest,
            "weekdays": sorted(set(self.weekdays)),
            "after_time": self.after,
            "before_time": self.before,
            "minimum_notice_minutes": self.minimum_notice // MINUTE,
            "telehealth_acceptable": self.telehealth_acceptable,
            "urgency": self.urgency,
            "replaces": self.replaces,
        }

    @property
    def wants(self) -> Wants:
        """The wish as `wanting.takes` asks it."""
        return Wants(
            earliest=self.earliest,
            latest=self.latest,
            weekdays=frozenset(self.weekdays),
            after=self.after,
            before=self.before,
            notice=self.minimum_notice,
            sooner_than=self.replaces.scheduled_start if self.replaces else None,
        )


def wish_of(entry: WaitlistEntry) -> Wish:
    """Return what an entry waits for."""
    return Wish(
        appointment_type=entry.appointment_type,
        provider=entry.provider,
        specialty=entry.specialty,
        earliest=entry.earliest_desired_date,
        latest=entry.latest_date,
        weekdays=tuple(entry.weekdays),
        after=entry.after_time,
        before=entry.before_time,
        minimum_notice=entry.minimum_notice_minutes * MINUTE,
        telehealth_acceptable=entry.telehealth_acceptable,
        urgency=entry.urgency,
        replaces=entry.replaces,
    )


def check(
    wish: Wish,
    *,
    patient: Patient,
    clinic: Clinic,
    is_existing: bool,
    was: Wish | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """Refuse a wish that nothing could ever meet, or that is not this actor's to have.

    `was` is the wish that it takes the place of: a first day that has passed since may stay.
    Raises NotOffered, NotYours, StaffOnly, DaysPassed, DaysReversed, TimesReversed.
    """
    if wish.urgency == URGENT and not by.is_staff and (was is None or was.urgency != URGENT):
        raise StaffOnly
    today = now.astimezone(clinic.zone).date()
    _check_days(wish, was, today)
    if wish.replaces is not None:
        _check_replaced(wish.replaces, patient, clinic, now)
    _check_offered(wish, clinic, is_existing=is_existing, by=by, today=today)


def _check_days(wish: Wish, was: Wish | None, today: date) -> None:
    stays = was is not None and was.earliest == wish.earliest
    if (wish.earliest < today and not stays) or (wish.latest and wish.latest < today):
        raise DaysPassed
    if wish.latest is not None and wish.latest < wish.earliest:
        raise DaysReversed
    if wish.after is not None and wish.before is not None and wish.before <= wish.after:
        raise TimesReversed


def _check_replaced(visit: Appointment, patient: Patient, clinic: Clinic, now: datetime) -> None:
    is_to_come = visit.status in MOVABLE and visit.scheduled_start > now
    if visit.patient_id != patient.pk or visit.clinic_id != clinic.pk or not is_to_come:
        raise NotYours


def _check_offered(
    wish: Wish, clinic: Clinic, *, is_existing: bool, by: Actor, today: date
) -> None:
    """Ask for somebody bookable there who gives the visit, to new patients where one is new.

    A visit that only staff book can be had sooner by a patient who has one.
    """
    kind, replaced = wish.appointment_type, wish.replaces
    has_one = replaced is not None and replaced.appointment_type_id == kind.pk
    if not (by.is_staff or kind.bookable_online or has_one):
        raise NotOffered
    if wish.provider is None and wish.specialty is None:
        raise NotOffered
    query = Query(
        visit_type=kind,
        first_day=today,
        last_day=today,
        clinics=(clinic,),
        provider=wish.provider,
        specialty=None if wish.provider else wish.specialty,
        new_patient=not (is_existing or by.is_staff),
    )
    if not bookable(query).exists():
        raise NotOffered
