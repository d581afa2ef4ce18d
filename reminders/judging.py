"""Whether a planned message may go now: still true, still wanted, by a way that exists, not too
late, not at night and not too often. Asked when it is gathered, and again when it is sent.

Reads what it needs of many rows in a constant number of statements; writes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models.functions import Coalesce

from patients.models import OneTimeCode, Patient
from providers.models import Clinic
from reminders.due import spoken_at
from reminders.kinds import Channel, Kind, NoticeKind, State, Why
from reminders.models import Delivery, InboundText, Notice, Reminder
from reminders.notices import is_own_act
from reminders.policies import is_on, policy_of
from reminders.reach import Known, Route, check, known_of, way_of_code, way_of_text, way_to
from scheduling.models import Appointment, WaitlistOffer
from scheduling.quiet import Quiet, is_quiet
from scheduling.transitions import Status

Row = Reminder | Notice

MOST_A_DAY, MOST_A_WEEK = 1, 3
WEEK = timedelta(days=7)
COUNTED = [
    state.value
    for state in (
        State.QUEUED,
        State.CLAIMED,
        State.SENDING,
        State.SENT,
        State.DELIVERED,
        State.UNKNOWN,
    )
]
QUESTIONS = {Kind.REQUEST, Kind.FOLLOW_UP}
CODES = {NoticeKind.SIGN_IN_CODE, NoticeKind.BOOKING_CODE}
OF_AN_END = {NoticeKind.CANCELLED, NoticeKind.RELEASED}
OF_A_VISIT = OF_AN_END | {NoticeKind.BOOKED, NoticeKind.MOVED, NoticeKind.RESTORED}
IS_OVER = {Status.COMPLETED, Status.NO_SHOW}
TEXT_OF_REPLY = "text:"
# With no visit to keep an hour from, a message that waits for the morning goes then.
FAR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Verdict:
    """By which route a message goes now; or why it does not go; or until when it waits."""

    route: Route | None = None
    why: Why = Why.NONE
    until: datetime | None = None


def judge(row: Row, *, now: datetime) -> Verdict:
    """Return what becomes of one planned message at this instant."""
    return Judge([row], now=now).verdict(row)


def is_automated(row: Row) -> bool:
    """Whether a message comes by itself, so that texts of its kind are counted."""
    return isinstance(row, Reminder) or row.kind == NoticeKind.OFFER


def patient_of(row: Row) -> Patient | None:
    """Return to whom a message goes; None where it goes to a contact alone."""
    if row.appointment is not None:
        return row.appointment.patient
    return row.patient if isinstance(row, Notice) else None


@dataclass(slots=True)
class Texts:
    """When automated texts went, or are about to go, to each number."""

    went: dict[bytes, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, indexes: Iterable[bytes], *, now: datetime) -> Texts:
        """Read those of the last week, in one statement; in none without a number."""
        numbers, texts = list(indexes), cls()
        if not numbers:
            return texts
        rows = Delivery.objects.filter(
            recipient_index__in=numbers,
            channel=Channel.SMS.value,
            is_automated=True,
            state__in=COUNTED,
        ).annotate(at=Coalesce("sent_at", "sending_at", "not_before"))
        for index, at in rows.filter(at__gt=now - WEEK).values_list("recipient_index", "at"):
            texts.went[bytes(index)].append(at)
        return texts

    def are_enough(self, route: Route, *, zone: ZoneInfo, now: datetime) -> bool:
        """Whether one more would be too much for this number, by the patient's days."""
        went = [at for index in route.indexes for at in self.went[index]]
        today = now.astimezone(zone).date()
        on_this_day = sum(at.astimezone(zone).date() == today for at in went)
        return on_this_day >= MOST_A_DAY or len(went) >= MOST_A_WEEK


class Judge:
    """Judges rows whose visits and patients were read with them; see `gathering` and `load`."""

    def __init__(self, rows: Sequence[Row], *, now: datetime, counts_texts: bool = True) -> None:
        people = [patient for row in rows if (patient := patient_of(row)) is not None]
        self.now = now
        self.texts = _texts_answered(rows)
        self.counts_texts = counts_texts
        self.known = known_of(
            people, {row.channel for row in rows}, others=map(way_of_text, self.texts.values())
        )
        numbers = {
            digest
            for row in rows
            if counts_texts and row.channel == Channel.SMS and is_automated(row)
            if isinstance(route := self._way(row), Route)
            for digest in route.indexes
        }
        self.sent = Texts.read(numbers, now=now)

    def verdict(self, row: Row) -> Verdict:
        """Return what becomes of one of the rows."""
        why = self._untrue(row)
        if not why and self.now > row.not_after:
            why = Why.TOO_LATE
        if why:
            return Verdict(why=why)
        route = self._way(row)
        if isinstance(route, Why):
            return Verdict(why=route)
        return self._now_or_later(row, route)

    def may_go_along(self, row: Row) -> bool:
        """Whether a row is true and wanted, so that a message that goes anyway can tell of it."""
        is_late = self.now > row.not_after
        return not is_late and not self._untrue(row) and isinstance(self._way(row), Route)

    def goes(self, row: Row, route: Route) -> None:
        """Count a text that is going to be sent because of this judge's word."""
        if route.channel == Channel.SMS and is_automated(row):
            self.sent.went[route.index].append(self.now)

    def _untrue(self, row: Row) -> Why:
        """Return why there is nothing to say any more, if so."""
        if isinstance(row, Reminder):
            return _stale(row)
        if row.code is not None:
            return _ended(row.code, now=self.now)
        if row.kind == NoticeKind.LINK:
            return Why.NOT_ON_FILE if row.appointment is None else Why.NONE
        if row.kind in OF_A_VISIT and row.appointment is not None:
            return _outdated(row, row.appointment)
        if row.kind == NoticeKind.OFFER:
            return _over(row.offer, now=self.now)
        return Why.NONE

    def _way(self, row: Row) -> Route | Why:
        channel = Channel(row.channel)
        if isinstance(row, Notice) and row.code is not None:
            return _checked(way_of_code(row.code, channel), row.kind, self.known)
        if row.kind == NoticeKind.REPLY and (text := self.texts.get(_text_id(row))) is not None:
            return _checked(way_of_text(text), row.kind, self.known)
        patient = patient_of(row)
        if patient is None:
            return Why.NOT_ON_FILE
        if row.kind != NoticeKind.LINK and _is_switched_off(row, channel):
            return Why.SWITCHED_OFF
        return way_to(patient, channel, kind=row.kind, known=self.known)

    def _now_or_later(self, row: Row, route: Route) -> Verdict:
        patient = patient_of(row)
        if patient is None or (isinstance(row, Notice) and is_own_act(row)):
            return Verdict(route)
        zone, quiet = zone_of(patient, row), self._quiet(patient)
        if is_quiet(self.now, zone=zone, quiet=quiet):
            until = spoken_at(self.now, start=_kept_from(row), zone=zone, quiet=quiet)
            is_late = until <= self.now or until > row.not_after
            return Verdict(why=Why.TOO_LATE) if is_late else Verdict(until=until)
        is_counted = self.counts_texts and route.channel == Channel.SMS and is_automated(row)
        if is_counted and self.sent.are_enough(route, zone=zone, now=self.now):
            return Verdict(why=Why.CAP)
        return Verdict(route)

    def _quiet(self, patient: Patient) -> Quiet:
        chosen = self.known.preference(patient)
        return Quiet(chosen.quiet_from, chosen.quiet_until)


def zone_of(patient: Patient, row: Row) -> ZoneInfo:
    """Return the zone by whose clock a patient lives: their own, else the clinic's."""
    if patient.time_zone_id is not None:
        return ZoneInfo(patient.time_zone_id)
    clinic: Clinic = row.appointment.clinic if row.appointment is not None else patient.clinic
    return clinic.zone


def _stale(row: Reminder) -> Why:
    visit = row.appointment
    if visit.status == Status.CANCELLED:
        return Why.CANCELLED
    if visit.sequence != row.sequence:
        return Why.MOVED
    if visit.arrived_at is not None or visit.status in IS_OVER:
        return Why.ARRIVED
    if visit.status == Status.CONFIRMED and row.kind in QUESTIONS:
        return Why.CONFIRMED
    return Why.NONE


def _outdated(row: Notice, visit: Appointment) -> Why:
    is_cancelled = visit.status == Status.CANCELLED
    if row.kind in OF_AN_END:
        return Why.NONE if is_cancelled else Why.UNDONE
    if is_cancelled:
        return Why.CANCELLED
    return Why.MOVED if visit.sequence != row.sequence else Why.NONE


def is_over(offer: WaitlistOffer, *, now: datetime) -> bool:
    """Whether an offer can be taken no more: answered, gone, or past its deadline."""
    return offer.status != WaitlistOffer.Status.OFFERED or offer.expires_at <= now


def _over(offer: WaitlistOffer | None, *, now: datetime) -> Why:
    return Why.EXPIRED if offer is None or is_over(offer, now=now) else Why.NONE


def _is_switched_off(row: Row, channel: Channel) -> bool:
    """Whether the clinic uses no such way for this type of visit."""
    visit = row.appointment
    offer = row.offer if isinstance(row, Notice) and row.kind == NoticeKind.OFFER else None
    if visit is not None:
        return not is_on(policy_of(visit.clinic_id, visit.appointment_type_id), channel)
    if offer is not None:
        return not is_on(policy_of(offer.opening.clinic_id, offer.visit_type_id), channel)
    return False


def _ended(code: OneTimeCode, *, now: datetime) -> Why:
    return Why.EXPIRED if code.used_at is not None or code.expires_at <= now else Why.NONE


def _kept_from(row: Row) -> datetime:
    """Return from what a message that waits for the morning keeps an hour: a reminder's visit."""
    return row.appointment.scheduled_start if isinstance(row, Reminder) else row.not_after + FAR


def _checked(route: Route | Why, kind: str, known: Known) -> Route | Why:
    return route if isinstance(route, Why) else check(route, kind=kind, known=known)


def _text_id(row: Row) -> UUID | None:
    """Return the id of the text that a reply answers."""
    if not isinstance(row, Notice) or not row.subject.startswith(TEXT_OF_REPLY):
        return None
    return UUID(row.subject.removeprefix(TEXT_OF_REPLY))


def _texts_answered(rows: Sequence[Row]) -> dict[UUID | None, InboundText]:
    ids = {_text_id(row) for row in rows if row.kind == NoticeKind.REPLY} - {None}
    return dict(InboundText.objects.in_bulk(list(ids))) if ids else {}
