"""Freed time goes from one to the next until somebody has it or nobody is left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scheduling.actors import Actor
from scheduling.models import Opening, WaitlistOffer
from scheduling.waitlist import claims, offering
from tests.factories import AppointmentFactory, hold_of
from tests.factories.waitlist import waitlist_policy
from tests.scheduling.waitlist.scene import (
    DAY,
    HOUR,
    MINUTE,
    Scene,
    ended,
    kept,
    live,
    monday,
    told,
    wednesday,
)

pytestmark = pytest.mark.django_db
PATIENT = Actor.patient()


def test_the_first_to_come_is_offered_it_and_its_time_is_kept(scene: Scene) -> None:
    gap = scene.gap()
    first, _second = scene.waits(), scene.waits()
    scene.run()
    assert live(gap) == [first]
    (offer,) = gap.offers.all()
    assert (offer.visit_start, offer.visit_end) == (wednesday("10:00"), wednesday("10:30"))
    assert (offer.rank, offer.expires_at) == (1, monday("11:00"))
    hold = kept(gap)
    assert hold is not None
    assert hold.expires_at == offer.expires_at + timedelta(minutes=2)
    gap.refresh_from_db()
    assert (gap.policy, gap.round) == ("SEQUENTIAL", 1)


def test_an_offer_that_is_over_goes_to_the_next_while_the_time_is_kept(scene: Scene) -> None:
    gap = scene.gap()
    first, second = scene.waits(), scene.waits()
    scene.run()
    scene.run(after=2 * HOUR - MINUTE)
    assert live(gap) == [first]
    hold = kept(gap)
    scene.run(after=MINUTE)
    assert told(gap) == [(first, "EXPIRED"), (second, "OFFERED")]
    assert kept(gap) == hold
    scene.run(after=2 * HOUR)
    assert ended(gap) == "EXHAUSTED"
    assert kept(gap) is None


def test_who_declines_makes_room_at_once(scene: Scene) -> None:
    gap = scene.gap()
    first, second = scene.waits(), scene.waits()
    scene.run()
    claims.decline(offer=gap.offers.get(), by=PATIENT, now=scene.now)
    assert kept(gap) is not None
    scene.run()
    assert told(gap) == [(first, "DECLINED"), (second, "OFFERED")]


def test_who_accepts_ends_it(scene: Scene) -> None:
    gap = scene.gap()
    first, _second = scene.waits(), scene.waits()
    scene.run()
    visit = claims.accept(offer=gap.offers.get(), by=PATIENT, now=scene.now)
    scene.each_minute(130)
    assert (visit.patient, visit.scheduled_start) == (first.patient, wednesday("10:00"))
    assert told(gap) == [(first, "CLAIMED")]
    assert ended(gap) == "CLAIMED"


def test_urgent_before_existing_before_new_before_late(scene: Scene) -> None:
    gap = scene.gap()
    late = scene.waits()
    known = scene.waits(is_existing_patient=True)
    urgent = scene.waits(urgency="URGENT")
    for _offer in range(3):
        scene.run()
        claims.decline(offer=gap.offers.get(status="OFFERED"), by=PATIENT, now=scene.now)
    assert [entry for entry, _status in told(gap)] == [urgent, known, late]


def test_the_window_ends_where_the_lead_of_the_visit_begins(scene: Scene) -> None:
    """Four hours before the visit, by the type's own rule."""
    gap = scene.gap("15:00")
    scene.waits()
    scene.clock.set(wednesday("09:50"))
    scene.run()
    assert gap.offers.get().expires_at == wednesday("11:00")


def test_too_close_to_the_visit_nobody_is_asked(scene: Scene) -> None:
    gap = scene.gap("14:00")
    scene.waits()
    scene.clock.set(wednesday("09:46"))
    scene.run()
    assert (told(gap), ended(gap)) == ([], "TOO_LATE")


def test_a_window_does_not_run_at_night(scene: Scene) -> None:
    gap = scene.gap()
    scene.waits()
    scene.clock.set(monday("20:00"))
    scene.run()
    assert gap.offers.get().expires_at == monday("09:00") + DAY


def test_nobody_is_woken_and_the_first_in_the_morning_is_the_first_in_order(scene: Scene) -> None:
    gap = scene.gap()
    first, _second = scene.waits(), scene.waits()
    scene.clock.set(monday("22:00"))
    for _hour in range(10):
        assert live(gap) == []
        scene.run(after=HOUR)
    assert scene.now == monday("08:00") + DAY
    assert live(gap) == [first]


def test_at_night_anybody_may_book_it(scene: Scene) -> None:
    """Nobody is offered it, so it is kept for nobody."""
    gap = scene.gap()
    scene.waits()
    scene.clock.set(monday("22:00"))
    scene.run()
    AppointmentFactory.create(
        provider=scene.provider, visit_type=scene.visit_type, start=wednesday("10:00")
    )
    scene.run(after=HOUR)
    assert ended(gap) == "BOOKED"


def test_three_offers_a_day_are_enough(scene: Scene) -> None:
    entry = scene.waits()
    for clock in ("10:00", "11:00", "12:00"):
        gap = scene.gap(clock)
        scene.run()
        claims.decline(offer=gap.offers.get(), by=PATIENT, now=scene.now)
        scene.run()
    fourth = scene.gap("13:00")
    scene.run()
    assert (told(fourth), ended(fourth)) == ([], "")
    scene.clock.set(monday("08:00") + DAY)
    scene.run()
    assert live(fourth) == [entry]


def test_who_thinks_about_one_time_is_not_asked_about_another(scene: Scene) -> None:
    one = scene.gap("10:00")
    entry = scene.waits()
    scene.run()
    other = scene.gap("11:00")
    scene.run()
    assert (live(one), live(other)) == ([entry], [])
    claims.decline(offer=one.offers.get(), by=PATIENT, now=scene.now)
    scene.run(after=HOUR)
    assert live(other) == [entry]


def test_whom_no_message_reaches_is_left_to_the_desk(scene: Scene) -> None:
    gap = scene.gap()
    unreached, reached = scene.waits(), scene.waits()
    unreached.patient.email = ""
    unreached.patient.save()
    scene.run()
    assert live(gap) == [reached]
    assert gap.offers.get().rank == 2


def test_where_a_clinic_offers_nothing_it_is_everybodys(scene: Scene) -> None:
    waitlist_policy(scene.clinic, mode="OFF")
    gap = scene.gap()
    scene.waits()
    scene.run()
    assert (told(gap), ended(gap)) == ([], "SWITCHED_OFF")


def test_the_rule_of_the_freed_visits_type_goes_before_the_clinics(scene: Scene) -> None:
    waitlist_policy(scene.clinic, mode="OFF")
    waitlist_policy(scene.clinic, scene.visit_type, window_minutes=45)
    gap = scene.gap()
    scene.waits()
    scene.run()
    assert gap.offers.get().expires_at == monday("09:45")


def test_where_nobody_waits_it_ends(scene: Scene) -> None:
    gap = scene.gap()
    scene.run()
    assert ended(gap) == "EXHAUSTED"


def test_a_long_gap_is_cut_to_the_visit_and_the_rests_are_offered_beside_it(scene: Scene) -> None:
    gap = scene.gap("10:00", minutes=120)
    first = scene.waits(after_time="11:00")
    second, third = scene.waits(before_time="11:00"), scene.waits()
    scene.run()
    assert live(gap) == [first]
    gap.refresh_from_db()
    assert (gap.span.lower, gap.span.upper) == (wednesday("11:00"), wednesday("11:30"))
    rests = Opening.objects.filter(cause="REST").order_by("span")
    offered = {entry: rest.span.lower for rest in rests for entry in live(rest)}
    assert offered == {second: wednesday("10:00"), third: wednesday("11:30")}


def test_less_than_five_minutes_is_no_rest(scene: Scene) -> None:
    scene.gap("10:00", minutes=34)
    scene.waits()
    scene.run()
    assert not Opening.objects.filter(cause="REST").exists()


def test_the_public_that_is_booking_it_goes_before(scene: Scene) -> None:
    gap = scene.gap()
    entry = scene.waits()
    hold = hold_of(scene.provider, scene.visit_type, wednesday("10:00"), now=scene.now)
    scene.run()
    assert (live(gap), ended(gap)) == ([], "")
    hold.delete()
    scene.run(after=5 * MINUTE)
    assert live(gap) == [entry]


def test_a_hold_that_ends_in_a_booking_ends_it(scene: Scene) -> None:
    gap = scene.gap()
    scene.waits()
    hold_of(scene.provider, scene.visit_type, wednesday("10:00"), now=scene.now).delete()
    AppointmentFactory.create(
        provider=scene.provider, visit_type=scene.visit_type, start=wednesday("10:00")
    )
    scene.run()
    assert (told(gap), ended(gap)) == ([], "BOOKED")


def test_nothing_is_offered_while_a_cancellation_can_be_undone(scene: Scene) -> None:
    until = scene.now + 10 * MINUTE
    gap = scene.gap(not_before=until, next_at=scene.now)
    entry = scene.waits()
    scene.each_minute(9)
    assert live(gap) == []
    scene.run(after=MINUTE)
    assert live(gap) == [entry]


def test_overlapping_offers_are_spaced_by_the_time_that_is_left(scene: Scene) -> None:
    waitlist_policy(scene.clinic, mode="OVERLAPPING")
    gap = scene.gap()
    waiting = [scene.waits() for _n in range(3)]
    scene.run()
    assert live(gap) == waiting[:1]
    scene.each_minute(61)
    assert live(gap) == waiting[:1]
    scene.each_minute(1)  # 49 hours / 48
    assert live(gap) == waiting[:2]
    hold = kept(gap)
    assert hold is not None
    assert hold.expires_at >= max(offer.expires_at for offer in gap.offers.all())


def test_of_overlapping_offers_the_first_to_accept_wins_and_the_others_keep_their_place(
    scene: Scene,
) -> None:
    waitlist_policy(scene.clinic, mode="OVERLAPPING", longest_spacing_minutes=5)
    gap = scene.gap()
    first, second = scene.waits(), scene.waits()
    scene.each_minute(10)
    assert live(gap) == [first, second]
    claims.accept(offer=gap.offers.get(entry=second), by=PATIENT, now=scene.now)
    assert dict(told(gap)) == {first: "GONE", second: "CLAIMED"}
    first.refresh_from_db()
    assert first.status == "WAITING"


def test_the_next_look_is_never_more_than_an_hour_away(scene: Scene) -> None:
    gap = scene.gap()
    scene.waits()
    scene.clock.set(monday("22:00"))
    for _look in range(12):
        opening = offering.advance(gap.pk, now=scene.now)
        assert scene.now < opening.next_at <= scene.now + HOUR
        scene.clock.set(opening.next_at)


def test_an_opening_that_ended_stays_as_it_ended(scene: Scene) -> None:
    gap = scene.gap()
    scene.run()
    scene.waits()
    before = Opening.objects.values().get(pk=gap.pk)
    offering.advance(gap.pk, now=scene.now)
    assert Opening.objects.values().get(pk=gap.pk) == before
    assert not WaitlistOffer.objects.exists()
