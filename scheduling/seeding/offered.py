"""What was offered at Riverside Clinic in the last three months, and what came of it.

Written in bulk, as nobody is to be told of it. The order, the windows and the quiet hours are the
product's own; whether somebody accepts is drawn from the visit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from psycopg.types.range import Range

from patients.relationships import relate
from providers.calendars import bump
from scheduling.actors import ActorKind
from scheduling.models import (
    Appointment,
    AppointmentEvent,
    BookedVia,
    Mode,
    Opening,
    WaitlistEntry,
    WaitlistOffer,
)
from scheduling.quiet import Quiet, quiet_ends
from scheduling.seeding.diary import Diary
from scheduling.seeding.opening import Team
from scheduling.seeding.waiters import Waiter, waiters
from scheduling.transitions import Act, Status
from scheduling.waitlist.pacing import Contact, Pace, Rule, window_end
from scheduling.waitlist.ranking import rank, reasons
from scheduling.waitlist.tokens import digest_of

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LONG_AGO = 92 * DAY
MOST_OPENINGS = 64
QUIET = Quiet(time(21), time(8))
RULE = Rule(pace=Pace.SEQUENTIAL)
# Of a hundred offers: how many are accepted, and how many declined. The rest run out.
ACCEPTED, DECLINED = 32, 18
MEAN_ANSWER = 65 * MINUTE  # its median is 45
HAD_A_LATER_VISIT = 0.6
Offer = WaitlistOffer.Status
Ended = Opening.Ended


@dataclass
class Story:
    """The rows that tell what happened; `desk` did what the clinic did."""

    desk: User
    openings: list[Opening] = field(default_factory=list)
    offers: list[WaitlistOffer] = field(default_factory=list)
    visits: list[Appointment] = field(default_factory=list)
    events: list[AppointmentEvent] = field(default_factory=list)


@transaction.atomic
def write_offers(team: Team, diary: Diary, *, now: datetime) -> int:
    """Write three months of freed time and its offers; return how many openings there were."""
    people = waiters(team, diary, now=now)
    story = Story(team.desk)
    for freed, at in _freed(team, now):
        _tell(story, freed, at, people)
    Appointment.objects.bulk_create(story.visits)
    AppointmentEvent.objects.bulk_create(story.events)
    bump({visit.provider_id for visit in story.visits})
    for visit in story.visits:
        relate([visit], since=visit.created_at)
    WaitlistEntry.objects.bulk_create(waiter.entry for waiter in people)
    Opening.objects.bulk_create(story.openings)
    WaitlistOffer.objects.bulk_create(story.offers)
    return len(story.openings)


def _freed(team: Team, now: datetime) -> Iterator[tuple[Appointment, datetime]]:
    """Yield visits that were cancelled in that time, evenly spread, and when, in that order."""
    gone = Appointment.objects.filter(clinic=team.clinic, status=Status.CANCELLED, overbook_lane=0)
    gone = gone.starting(now - LONG_AGO, now - DAY).order_by("scheduled_start", "pk")
    visits = list(gone.select_related("provider", "clinic", "appointment_type"))
    cancelled = AppointmentEvent.objects.filter(appointment__in=visits, kind=Act.CANCEL)
    at = dict(cancelled.values_list("appointment", "at"))
    every = max(1, -(-len(visits) // MOST_OPENINGS))
    pairs = [(visit, at[visit.pk]) for visit in visits[::every]]
    yield from sorted(pairs, key=lambda pair: pair[1])


def _tell(story: Story, freed: Appointment, at: datetime, people: list[Waiter]) -> None:
    """Offer what a cancelled visit freed to one after the other, until somebody takes it."""
    draw = Random(f"offered {freed.scheduled_start} {freed.provider.name}")  # noqa: S311
    opening = Opening(
        provider=freed.provider,
        clinic=freed.clinic,
        visit_type=freed.appointment_type,
        span=freed.busy,
        cause=Opening.Cause.CANCEL,
        policy=Mode.SEQUENTIAL.value,
        created_at=at,
        next_at=at,
    )
    contact = Contact(freed.clinic.zone, QUIET)
    latest = freed.scheduled_start - freed.appointment_type.waitlist_minimum_lead_minutes * MINUTE
    told: set[object] = set()
    while True:
        at = quiet_ends(at, zone=contact.zone, quiet=QUIET)
        able = [w for w in people if w.entry.pk not in told and w.could_take(freed, at)]
        if not able or at + RULE.shortest_window > latest:
            _end(opening, Ended.TOO_LATE if able else Ended.EXHAUSTED, min(at, latest))
            break
        waiter = rank(able, key=lambda each: each.waiting)[0]
        told.add(waiter.entry.pk)
        until = min(window_end(at, RULE.window, contact), latest)
        offer = _offer(opening, freed, waiter, made_at=at, until=until, rank_=len(told))
        at = waiter.busy_until = _answer(offer, until, draw)
        story.offers.append(offer)
        if offer.status == Offer.CLAIMED and _takes(story, freed, waiter, offer, draw):
            _end(opening, Ended.CLAIMED, at)
            break
    opening.round = len(told) + 1
    story.openings.append(opening)


def _end(opening: Opening, why: Opening.Ended, at: datetime) -> None:
    opening.state = Opening.State.FILLED if why is Ended.CLAIMED else Opening.State.CLOSED
    opening.ended, opening.ended_at = why, max(at, opening.created_at)


def _offer(
    opening: Opening,
    freed: Appointment,
    waiter: Waiter,
    *,
    made_at: datetime,
    until: datetime,
    rank_: int,
) -> WaitlistOffer:
    entry = waiter.entry
    offer = WaitlistOffer(
        entry=entry,
        opening=opening,
        visit_type=freed.appointment_type,
        visit_start=freed.scheduled_start,
        visit_end=freed.scheduled_end,
        rank=rank_,
        reasons=reasons(
            waiter.waiting,
            start=freed.scheduled_start,
            zone=freed.clinic.zone,
            is_same_type=True,
            is_their_provider=entry.provider_id is not None,
            now=made_at,
        ),
        made_at=made_at,
        sent_at=made_at + MINUTE / 10,
        expires_at=until,
    )
    offer.token_digest = digest_of(offer.pk)
    return offer


def _answer(offer: WaitlistOffer, until: datetime, draw: Random) -> datetime:
    """Let an offer end; return when the next one could be made."""
    luck = draw.uniform(0, 100)
    answered = offer.made_at + MINUTE + draw.expovariate(1) * MEAN_ANSWER
    if luck > ACCEPTED + DECLINED or answered >= until:
        offer.status = Offer.EXPIRED
        return until
    offer.status = Offer.CLAIMED if luck < ACCEPTED else Offer.DECLINED
    offer.answered_at = answered
    return answered


def _takes(
    story: Story, freed: Appointment, waiter: Waiter, offer: WaitlistOffer, draw: Random
) -> bool:
    """Write the visit by which an offer was taken; one that cannot be had is declined instead."""
    if not _is_free(story, freed, waiter):
        offer.status = Offer.DECLINED
        return False
    at, entry = offer.answered_at or offer.made_at, waiter.entry
    gained = draw.randrange(3, 30) if draw.random() < HAD_A_LATER_VISIT else None
    visit = Appointment(
        patient=entry.patient,
        provider=freed.provider,
        clinic=freed.clinic,
        appointment_type=freed.appointment_type,
        scheduled_start=freed.scheduled_start,
        scheduled_end=freed.scheduled_end,
        busy=Range(freed.busy.lower, freed.busy.upper),
        status=Status.COMPLETED,
        arrived_at=freed.scheduled_start - draw.randrange(2, 14) * MINUTE,
        roomed_at=freed.scheduled_start + draw.randrange(0, 9) * MINUTE,
        reason_for_visit=freed.reason_for_visit,
        booked_via=BookedVia.WAITLIST if gained is None else BookedVia.DESK,
        created_at=at if gained is None else entry.created_at,
        sequence=0 if gained is None else 1,
    )
    events = list(_events(visit, at, gained, story.desk))
    visit.version = len(events) - 1
    story.visits.append(visit)
    story.events += events
    offer.appointment, offer.days_gained = visit, gained
    entry.status, entry.booked, entry.ended_at = WaitlistEntry.Status.BOOKED.value, visit, at
    entry.latest_date = None
    entry.replaces = None if gained is None else visit
    return True


def _is_free(story: Story, freed: Appointment, waiter: Waiter) -> bool:
    """Say whether neither the provider nor the patient has anything else at that time."""
    if any(
        visit.patient_id == waiter.entry.patient_id
        and visit.scheduled_start < freed.scheduled_end
        and freed.scheduled_start < visit.scheduled_end
        for visit in story.visits
    ):
        return False
    at_that_time = Q(busy__overlap=freed.busy)
    theirs = Q(provider=freed.provider) | Q(patient=waiter.entry.patient)
    return not Appointment.objects.live().filter(at_that_time, theirs).exists()


def _events(
    visit: Appointment, at: datetime, gained: int | None, desk: User
) -> Iterator[AppointmentEvent]:
    """Yield the visit's history; one that moved had been booked by the desk before."""
    came, over = visit.arrived_at or visit.scheduled_start, visit.scheduled_end + 2 * MINUTE
    planned, completed = Status.SCHEDULED, Status.COMPLETED
    acts: list[tuple[str, str, str, datetime, User | None]] = [("BOOK", "", planned, at, None)]
    if gained is not None:
        acts = [("BOOK", "", planned, visit.created_at, desk), ("MOVE", planned, planned, at, None)]
    acts += [
        (Act.CHECK_IN, planned, planned, came, desk),
        (Act.COMPLETE, planned, completed, over, desk),
    ]
    for kind, was, status, when, staff in acts:
        yield AppointmentEvent(
            appointment=visit,
            kind=kind,
            from_status=was,
            to_status=status,
            by_kind=(ActorKind.STAFF if staff else ActorKind.PATIENT).value,
            by_user=staff,
            at=when,
            details=_moved_from(visit, gained) if kind == "MOVE" else {},
        )


def _moved_from(visit: Appointment, gained: int | None) -> dict[str, str]:
    start = visit.scheduled_start + (gained or 0) * DAY
    return {"from_start": start.isoformat(), "from_provider": str(visit.provider_id)}
