"""Whom an opening is offered to, until when, and when it is looked at again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduling.quiet import Quiet, is_quiet
from scheduling.waitlist.pacing import (
    Candidate,
    Contact,
    Live,
    Offer,
    Pace,
    Rule,
    Stop,
    Wait,
    next_step,
    spacing_of,
    window_end,
)

NEW_YORK = ZoneInfo("America/New_York")
NIGHT, NEVER = Quiet(time(21), time(8)), Quiet(time(0), time(0))
BY_DAY, ALWAYS = Contact(NEW_YORK, NIGHT), Contact(NEW_YORK, NEVER)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SEQUENTIAL, OVERLAPPING = Rule(pace=Pace.SEQUENTIAL), Rule(pace=Pace.OVERLAPPING)


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


NOON = new_york("2026-06-09T12:00")
VISIT = new_york("2026-06-10T12:00")


def candidate(
    name: str = "ana", *, start: datetime = VISIT, contact: Contact = BY_DAY, lead: timedelta = HOUR
) -> Candidate:
    return Candidate(name, start, start - lead, contact)


def step(
    rule: Rule,
    *ranked: Candidate,
    live: list[Live] | None = None,
    offered_at: datetime | None = None,
    opened_at: datetime = NOON,
    now: datetime = NOON,
) -> Offer | Wait | Stop:
    return next_step(
        rule, ranked=ranked, live=live or [], offered_at=offered_at, opened_at=opened_at, now=now
    )


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-06-09T12:00", 2, "2026-06-09T14:00"),
        ("2026-06-09T19:00", 2, "2026-06-09T21:00"),
        ("2026-06-09T20:00", 2, "2026-06-10T09:00"),
        ("2026-06-09T23:00", 2, "2026-06-10T10:00"),
        ("2026-06-09T20:00", 24, "2026-06-11T18:00"),
    ],
)
def test_a_window_runs_only_while_its_patient_may_be_told(start: str, hours: int, end: str) -> None:
    assert window_end(new_york(start), hours * HOUR, BY_DAY) == new_york(end)


walls = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))
turns = st.sampled_from([datetime(2026, 3, 7, 12, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)])
zones = st.sampled_from(["America/New_York", "America/Havana", "Australia/Lord_Howe", "UTC"])


@given(
    day=turns,
    minutes=st.integers(0, 36 * 60),
    length=st.integers(1, 8 * 60),
    zone=zones.map(ZoneInfo),
    begin=walls,
    end=walls,
)
def test_a_window_has_just_so_many_minutes_out_of_quiet_hours(
    day: datetime, minutes: int, length: int, zone: ZoneInfo, begin: time, end: time
) -> None:
    quiet = Quiet(begin, end)
    start, at, left = day + minutes * MINUTE, day + minutes * MINUTE, length
    while left:
        left -= not is_quiet(at, zone=zone, quiet=quiet)
        at += MINUTE
        assume(at < start + timedelta(days=12))

    assert window_end(start, length * MINUTE, Contact(zone, quiet)) == at


def test_one_after_the_other_the_first_has_two_hours() -> None:
    made = step(SEQUENTIAL, candidate("ana"), candidate("ben"))

    assert made == Offer(candidate("ana"), NOON + 2 * HOUR, NOON + 2 * HOUR)


def test_one_after_the_other_nobody_is_asked_while_an_offer_stands() -> None:
    live = [Live("ana", NOON + HOUR)]

    assert step(SEQUENTIAL, candidate("ben"), live=live) == Wait(NOON + HOUR)
    assert step(SEQUENTIAL, live=live) == Wait(NOON + HOUR)


def test_a_window_ends_at_their_last_moment() -> None:
    made = step(SEQUENTIAL, candidate(start=NOON + 2 * HOUR))

    assert isinstance(made, Offer)
    assert made.expires_at == NOON + HOUR


@pytest.mark.parametrize("rule", [SEQUENTIAL, OVERLAPPING])
def test_nobody_gets_less_than_the_shortest_window(rule: Rule) -> None:
    hurried = candidate("ana", start=NOON + HOUR + 14 * MINUTE)
    in_time = candidate("ben", start=NOON + HOUR + 15 * MINUTE)

    assert step(rule, hurried) == Stop("TOO_LATE")
    made = step(rule, hurried, in_time)
    assert isinstance(made, Offer)
    assert made.candidate == in_time


def test_quiet_minutes_are_not_counted_among_the_shortest_window() -> None:
    before_eight = candidate(start=new_york("2026-06-10T08:30"))

    late = step(SEQUENTIAL, before_eight, now=new_york("2026-06-09T20:50"))

    assert late == Stop("TOO_LATE")


def test_who_sleeps_is_passed_over_for_now() -> None:
    asleep = candidate("ana", contact=Contact(NEW_YORK, Quiet(time(11), time(13))))

    made = step(SEQUENTIAL, asleep, candidate("ben"))

    assert isinstance(made, Offer)
    assert made.candidate.entry == "ben"


def test_when_all_sleep_the_first_to_wake_is_waited_for() -> None:
    at = new_york("2026-06-09T22:00")
    early = candidate("ben", contact=Contact(NEW_YORK, Quiet(time(21), time(7))))

    assert step(SEQUENTIAL, candidate("ana"), early, now=at) == Wait(new_york("2026-06-10T07:00"))


def test_who_could_not_answer_after_waking_is_not_waited_for() -> None:
    sleeper = candidate(start=new_york("2026-06-10T09:10"))

    assert step(SEQUENTIAL, sleeper, now=new_york("2026-06-09T22:00")) == Stop("TOO_LATE")


def test_who_cannot_be_told_yet_for_another_reason_is_waited_for() -> None:
    capped = replace(candidate("ana"), not_before=new_york("2026-06-10T00:00"))

    assert step(SEQUENTIAL, capped) == Wait(new_york("2026-06-10T08:00"))
    made = step(SEQUENTIAL, capped, candidate("ben"))
    assert isinstance(made, Offer)
    assert made.candidate.entry == "ben"


def test_when_nobody_is_left_it_stops() -> None:
    assert step(SEQUENTIAL) == Stop("EXHAUSTED")
    assert step(OVERLAPPING) == Stop("EXHAUSTED")


def test_switched_off_nobody_is_asked() -> None:
    off = Rule(pace=Pace.OFF)

    assert step(off, candidate()) == Stop("EXHAUSTED")
    assert step(off, candidate(), live=[Live("ben", NOON + HOUR)]) == Wait(NOON + HOUR)


@pytest.mark.parametrize(
    ("ahead", "minutes"),
    [(2 * HOUR, 5), (4 * HOUR, 5), (24 * HOUR, 30), (72 * HOUR, 90), (240 * HOUR, 120)],
)
def test_overlapping_offers_lie_a_share_of_the_lead_apart(ahead: timedelta, minutes: int) -> None:
    apart = spacing_of(OVERLAPPING, start=NOON + ahead, opened_at=NOON)

    assert apart == minutes * MINUTE


def test_overlapping_the_next_is_asked_when_the_spacing_is_over() -> None:
    live = [Live("ana", NOON + 6 * HOUR)]

    first = step(OVERLAPPING, candidate("ana"), candidate("ben"))
    soon = step(OVERLAPPING, candidate("ben"), live=live, offered_at=NOON, now=NOON + 29 * MINUTE)
    due = step(OVERLAPPING, candidate("ben"), live=live, offered_at=NOON, now=NOON + 30 * MINUTE)

    assert isinstance(first, Offer)
    assert first.look_again_at == NOON + 30 * MINUTE
    assert soon == Wait(NOON + 30 * MINUTE)
    assert isinstance(due, Offer)
    assert due.candidate.entry == "ben"


def test_overlapping_an_offer_that_ends_before_the_spacing_is_looked_at_then() -> None:
    live = [Live("ana", NOON + 20 * MINUTE), Live("eve", NOON + HOUR)]

    asked = step(OVERLAPPING, candidate("ben"), live=live, offered_at=NOON)

    assert asked == Wait(NOON + 20 * MINUTE)


def test_overlapping_an_offer_that_ends_first_is_looked_at_when_it_does() -> None:
    made = step(OVERLAPPING, candidate(lead=VISIT - NOON - 20 * MINUTE))

    assert isinstance(made, Offer)
    assert made.look_again_at == made.expires_at == NOON + 20 * MINUTE


def test_overlapping_a_decline_of_the_only_offer_is_not_waited_after() -> None:
    made = step(OVERLAPPING, candidate("ben"), offered_at=NOON, now=NOON + MINUTE)

    assert isinstance(made, Offer)


def test_an_overlapping_offer_stands_until_the_last_moment() -> None:
    made = step(OVERLAPPING, candidate())

    assert isinstance(made, Offer)
    assert made.expires_at == VISIT - HOUR


def test_an_overlapping_offer_stands_for_a_day_of_waking_hours_at_most() -> None:
    made = step(OVERLAPPING, candidate(start=NOON + timedelta(days=9)))

    assert isinstance(made, Offer)
    assert made.expires_at == window_end(NOON, 24 * HOUR, BY_DAY)


def test_while_an_offer_stands_nothing_stops() -> None:
    live = [Live("ana", NOON + 20 * MINUTE)]

    assert step(OVERLAPPING, live=live, offered_at=NOON) == Wait(NOON + 20 * MINUTE)
    late = candidate("ben", start=NOON + HOUR)
    assert step(OVERLAPPING, late, live=live, offered_at=NOON) == Wait(NOON + 20 * MINUTE)


leads = st.integers(-120, 4 * 24 * 60)
candidates = st.lists(
    st.tuples(leads, st.sampled_from([BY_DAY, ALWAYS]), st.one_of(st.none(), st.integers(0, 900))),
    max_size=6,
)
lives = st.lists(st.integers(1, 600), max_size=3)


@given(
    waiting=candidates,
    standing=lives,
    ago=st.one_of(st.none(), st.integers(0, 300)),
    clock=st.integers(0, 24 * 60),
    rule=st.sampled_from([SEQUENTIAL, OVERLAPPING]),
)
def test_every_step_is_one_that_may_be_taken(
    waiting: list[tuple[int, Contact, int | None]],
    standing: list[int],
    ago: int | None,
    clock: int,
    rule: Rule,
) -> None:
    now = NOON + clock * MINUTE
    ranked = [
        Candidate(
            n,
            now + lead * MINUTE + HOUR,
            now + lead * MINUTE,
            contact,
            None if later is None else now + later * MINUTE,
        )
        for n, (lead, contact, later) in enumerate(waiting)
    ]
    live = [Live(f"live {n}", now + left * MINUTE) for n, left in enumerate(standing)]
    offered_at = None if ago is None else now - ago * MINUTE

    taken = step(rule, *ranked, live=live, offered_at=offered_at, now=now)

    if isinstance(taken, Stop):
        assert not live
        assert (taken.why == "EXHAUSTED") == (not ranked)
    elif isinstance(taken, Wait):
        assert taken.until > now
        assert all(taken.until <= each.expires_at for each in live)
    else:
        chosen = taken.candidate
        assert rule is OVERLAPPING or not live
        assert not is_quiet(now, zone=NEW_YORK, quiet=chosen.contact.quiet)
        assert chosen.not_before is None or chosen.not_before <= now
        assert now + rule.shortest_window <= taken.expires_at <= chosen.last_moment
        assert now < taken.look_again_at <= taken.expires_at
        assert chosen is next(each for each in ranked if _could_be(each, now))


def _could_be(each: Candidate, now: datetime) -> bool:
    """Say, by another way than the product's, whether an offer to them would be in order."""
    if is_quiet(now, zone=NEW_YORK, quiet=each.contact.quiet) or (each.not_before or now) > now:
        return False
    minutes = int((each.last_moment - now) / MINUTE)
    told = (now + n * MINUTE for n in range(min(minutes, 24 * 60)))
    return sum(not is_quiet(at, zone=NEW_YORK, quiet=each.contact.quiet) for at in told) >= 15
