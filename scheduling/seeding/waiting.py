"""Who waits at Riverside Clinic today, and the gap that is being offered: through the verbs.

What the cancelled visits of the invented weeks freed is not offered, so that a demo begins with two
gaps and not with fifty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from patients.models import Patient
from scheduling import booking
from scheduling.actors import Actor
from scheduling.availability import Query, search
from scheduling.models import (
    Appointment,
    BookedVia,
    CancelReason,
    Opening,
    OverrideReason,
    WaitlistEntry,
    WaitlistPolicy,
)
from scheduling.placing import Terms
from scheduling.seeding import cast
from scheduling.seeding.diary import Diary
from scheduling.seeding.opening import Team
from scheduling.transitions import Status
from scheduling.waitlist import entries, offering
from scheduling.waitlist.entries import Wish

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOST_GAPS = 2
SOURCE = WaitlistEntry.Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """One more who waits: for a clinician by login, or anybody of a specialty.

    `begins` and `ends` are days from today, `joined` the days since.
    """

    specialty: str
    login: str = ""
    kind: str = "FOLLOW_UP"
    begins: int = 0
    ends: int | None = None
    weekdays: Sequence[int] = field(default_factory=tuple)
    after: time | None = None
    before: time | None = None
    notice: timedelta = 2 * HOUR
    video: bool = False
    urgent: bool = False
    rests: bool = False
    online: bool = False
    joined: float


NOON, LATE = time(12), time(15)
OTHERS = [
    Waits(specialty="Family medicine", login="provider", joined=23, before=NOON),
    Waits(specialty="Family medicine", login="hannah.weiss", joined=12.4, weekdays=(0, 1)),
    Waits(specialty="Family medicine", joined=8.2, ends=21, online=True, video=True),
    Waits(specialty="Family medicine", joined=3.1, notice=DAY, urgent=True),
    Waits(specialty="Pediatrics", login="tomas.ibarra", joined=17, after=NOON, online=True),
    Waits(specialty="Pediatrics", joined=5.5, ends=10, notice=4 * HOUR),
    Waits(specialty="Dermatology", login="meiling.chen", joined=31, online=True),
    Waits(specialty="Dermatology", kind="NEW_PATIENT", joined=9.7, begins=3, ends=60),
    Waits(specialty="Dermatology", joined=6.3, weekdays=(2, 3), rests=True),
    Waits(specialty="Psychiatry", kind="TELEHEALTH", joined=20, after=LATE, online=True),
    Waits(specialty="Psychiatry", login="samuel.birch", kind="TELEHEALTH", joined=14.8),
    Waits(specialty="Psychiatry", login="ines.calderon", joined=2.2, begins=7, ends=28),
]


def begin(team: Team, diary: Diary, *, now: datetime) -> list[Opening]:
    """Let people wait and a visit or two be cancelled; return the gaps, offered to nobody yet."""
    WaitlistPolicy.objects.get_or_create(clinic=team.clinic, visit_type=None)
    _forget_old_gaps(team)
    gone = _to_be_cancelled(team, now)
    if gone:
        _wait_for_sooner(team, gone[0], now=now)
    _join_everybody(team, diary, gone, now=now)
    for visit in gone:
        booking.cancel(
            appointment=visit,
            reason=CancelReason.PATIENT_REQUEST.value,
            override=OverrideReason.PATIENT_CALLED.value,
            by=Actor.staff(team.desk.pk),
            now=now - 20 * MINUTE,
        )
    found = Opening.objects.filter(clinic=team.clinic, state=Opening.State.OPEN)
    return list(found.order_by("span"))


def offer(gaps: Sequence[Opening], *, now: datetime) -> None:
    """Offer the gaps as the clinic's rule says: to nobody in the middle of the night."""
    for gap in gaps:
        offering.advance(gap.pk, now=now)


def _forget_old_gaps(team: Team) -> None:
    """Let what came free while the weeks were invented be the public's, as if nobody had waited."""
    Opening.objects.filter(clinic=team.clinic, state=Opening.State.OPEN).delete()


def _to_be_cancelled(team: Team, now: datetime) -> list[Appointment]:
    """Return a grown-up's follow-up tomorrow, or when there is one, and one of another specialty.

    The first provider's days are full on purpose and stay so.
    """
    first = team.providers[0][0]
    found: dict[object, Appointment] = {}
    coming = (
        Appointment.objects.filter(
            clinic=team.clinic,
            status__in=[Status.SCHEDULED, Status.CONFIRMED],
            appointment_type=team.types["FOLLOW_UP"],
            series=None,
            overbook_lane=0,
        )
        .starting(now + 22 * HOUR, now + 5 * DAY)
        .exclude(provider=first)
        .exclude(provider__specialty__name="Pediatrics")
        .select_related("provider", "clinic", "appointment_type", "patient")
        .order_by("scheduled_start", "provider__name")
    )
    for visit in coming:
        found.setdefault(visit.provider.specialty_id, visit)
    return sorted(found.values(), key=lambda visit: visit.scheduled_start)[:MOST_GAPS]


def _ana(team: Team) -> Patient | None:
    return (
        Patient.objects.reached_at(email=cast.DEMO_PATIENT_EMAIL)
        .filter(clinic=team.clinic, merged_into=None, is_provisional=False)
        .first()
    )


def _wait_for_sooner(team: Team, gap: Appointment, *, now: datetime) -> None:
    """Let the patient to sign in as have a visit in two weeks, who would rather come sooner."""
    ana = _ana(team)
    slot = next(iter(_free(team, gap, now)), None)
    if ana is None or slot is None:
        return
    visit = booking.book(
        patient=ana,
        provider=gap.provider,
        clinic=team.clinic,
        visit_type=gap.appointment_type,
        start=slot,
        reason="Knee pain",
        via=BookedVia.DESK,
        by=Actor.staff(team.desk.pk),
        now=now - 9 * DAY,
    )
    wish = Wish(
        appointment_type=gap.appointment_type,
        provider=gap.provider,
        earliest=_today(team, now - 8.5 * DAY),
        urgency=WaitlistEntry.Urgency.URGENT.value,
        replaces=visit,
    )
    _join(team, ana, wish, joined=now - 8.5 * DAY, is_online=False)


def _free(team: Team, gap: Appointment, now: datetime) -> Iterator[datetime]:
    """Yield free times of a provider in two weeks on which nobody else is seen by Ana."""
    first = _today(team, now) + 12 * DAY
    query = Query(
        visit_type=gap.appointment_type,
        first_day=first,
        last_day=first + 14 * DAY,
        clinics=(team.clinic,),
        provider=gap.provider,
    )
    ana = _ana(team)
    busy = set(
        Appointment.objects.live()
        .filter(patient=ana)
        .values_list("scheduled_start__date", flat=True)
    )
    for slot in search(query, terms=Terms(), now=now, limit=100):
        if slot.start.date() not in busy:
            yield slot.start


def _join_everybody(
    team: Team, diary: Diary, gone: Sequence[Appointment], *, now: datetime
) -> None:
    """Let invented people wait, and two more for each gap, so that it has a second and a third."""
    wanted = [*OTHERS, *(each for visit in gone for each in _for_gap(team, visit))]
    known = WaitlistEntry.objects.filter(clinic=team.clinic).values_list("patient", flat=True)
    cancelled = {visit.patient_id for visit in gone}
    taken = {*known, *cancelled, getattr(_ana(team), "pk", None)}
    for waits in sorted(wanted, key=lambda each: -each.joined):
        draw = Random(f"waits {waits.specialty} {waits.joined}")  # noqa: S311 - invented people
        pool = [p for p in diary.pools[waits.specialty] if p.pk not in taken]
        patient = draw.choice(pool)
        taken.add(patient.pk)
        entry = _join(
            team,
            patient,
            _wish(team, waits, now),
            joined=now - waits.joined * DAY,
            is_online=waits.online,
        )
        if waits.rests:
            entries.pause(entry, by=Actor.patient(patient.user_id), now=now - DAY)


def _for_gap(team: Team, visit: Appointment) -> Iterator[Waits]:
    (clinician,) = (c for p, c in team.providers if p.pk == visit.provider_id)
    yield Waits(specialty=clinician.specialty, joined=11.3, online=True)
    yield Waits(specialty=clinician.specialty, login=clinician.login, joined=4.6)


def _wish(team: Team, waits: Waits, now: datetime) -> Wish:
    today = _today(team, now)
    provider = next((p for p, c in team.providers if c.login == waits.login), None)
    of = next(p for p, c in team.providers if c.specialty == waits.specialty)
    return Wish(
        appointment_type=team.types[waits.kind],
        provider=provider,
        specialty=of.specialty,
        earliest=today + waits.begins * DAY
        if waits.begins
        else _today(team, now - waits.joined * DAY),
        latest=None if waits.ends is None else today + waits.ends * DAY,
        weekdays=waits.weekdays,
        after=waits.after,
        before=waits.before,
        minimum_notice=waits.notice,
        telehealth_acceptable=waits.video,
        urgency=(
            WaitlistEntry.Urgency.URGENT if waits.urgent else WaitlistEntry.Urgency.ROUTINE
        ).value,
    )


def _join(
    team: Team, patient: Patient, wish: Wish, *, joined: datetime, is_online: bool
) -> WaitlistEntry:
    by = Actor.patient(patient.user_id) if is_online else Actor.staff(team.desk.pk)
    entry, _is_new = entries.join(
        patient=patient,
        clinic=team.clinic,
        wish=wish,
        source=SOURCE.PORTAL if is_online else SOURCE.DESK,
        by=by,
        now=joined,
    )
    return entry


def _today(team: Team, now: datetime) -> date:
    return now.astimezone(team.clinic.zone).date()
