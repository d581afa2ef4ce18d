"""What the desk does with freed time by itself."""

from __future__ import annotations

import pytest

from patients.models import AuditEntry
from patients.models.audit import Act
from reminders.models import Notice
from scheduling.actors import Actor
from scheduling.models import Opening
from scheduling.waitlist import claims, offering
from scheduling.waitlist.errors import GapTaken, OfferedAlready, OfferEnded, SuitsNoMore
from tests.factories import AppointmentFactory
from tests.factories.waitlist import waitlist_policy
from tests.scheduling.waitlist.scene import (
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


def test_on_the_phone_a_gap_is_kept_for_ten_minutes_and_no_message_goes(
    scene: Scene, desk: Actor
) -> None:
    gap = scene.gap()
    scene.waits()
    caller = scene.waits()
    scene.clock.set(monday("22:00"))
    offer = offering.offer_by_phone(opening=gap, entry=caller, by=desk, now=scene.now)
    assert (offer.via, offer.by_id, offer.rank) == ("PHONE", desk.user_id, 2)
    assert offer.expires_at == scene.now + 10 * MINUTE
    assert kept(gap) is not None
    assert not Notice.objects.exists()
    row = AuditEntry.objects.get(content_type__model="waitlistoffer")
    assert (row.action, row.actor_id, row.patient_ids) == (
        Act.CREATE,
        desk.user_id,
        [caller.patient_id],
    )


def test_who_does_not_decide_on_the_phone_makes_room(scene: Scene, desk: Actor) -> None:
    gap = scene.gap()
    first, caller = scene.waits(), scene.waits()
    offering.offer_by_phone(opening=gap, entry=caller, minutes=5, by=desk, now=scene.now)
    scene.each_minute(4)
    assert live(gap) == [caller]
    scene.run(after=MINUTE)
    assert told(gap) == [(caller, "EXPIRED"), (first, "OFFERED")]


def test_nobody_is_passed_over_whose_turn_it_is(scene: Scene, desk: Actor) -> None:
    gap = scene.gap()
    first, caller = scene.waits(), scene.waits()
    scene.run()
    with pytest.raises(GapTaken):
        offering.offer_by_phone(opening=gap, entry=caller, by=desk, now=scene.now)
    offering.withdraw_offer(offer=gap.offers.get(), by=desk, now=scene.now)
    offering.offer_by_phone(opening=gap, entry=caller, by=desk, now=scene.now)
    assert told(gap) == [(first, "GONE"), (caller, "OFFERED")]


def test_beside_overlapping_offers_the_desk_may_call_somebody(scene: Scene, desk: Actor) -> None:
    waitlist_policy(scene.clinic, mode="OVERLAPPING")
    gap = scene.gap()
    first, caller = scene.waits(), scene.waits()
    scene.run()
    offering.offer_by_phone(opening=gap, entry=caller, by=desk, now=scene.now)
    assert live(gap) == [first, caller]


def test_a_call_may_come_later_than_any_message(scene: Scene, desk: Actor) -> None:
    gap = scene.gap()
    caller = scene.waits(minimum_notice_minutes=600)
    scene.clock.set(wednesday("09:55"))
    offer = offering.offer_by_phone(opening=gap, entry=caller, by=desk, now=scene.now)
    assert offer.expires_at == wednesday("10:00")


def test_a_call_is_refused_with_its_reason(scene: Scene, desk: Actor) -> None:
    gap = scene.gap()
    caller, evening = scene.waits(), scene.waits(after_time="16:00")

    def call(entry: object) -> None:
        offering.offer_by_phone(opening=gap, entry=entry, by=desk, now=scene.now)  # type: ignore[arg-type]

    with pytest.raises(SuitsNoMore):
        call(evening)
    scene.run()
    claims.decline(offer=gap.offers.get(), by=Actor.patient(), now=scene.now)
    with pytest.raises(OfferedAlready):
        call(caller)
    scene.clock.forward(3 * MINUTE)
    AppointmentFactory.create(
        provider=scene.provider, visit_type=scene.visit_type, start=wednesday("10:00")
    )
    with pytest.raises(GapTaken):
        call(scene.waits())


def test_withdrawing_a_gap_ends_its_offers_and_gives_the_time_to_everybody(
    scene: Scene, desk: Actor
) -> None:
    gap = scene.gap()
    first = scene.waits()
    scene.run()
    closed = offering.withdraw(opening=gap, by=desk, now=scene.now)
    assert (closed.state, closed.ended, closed.ended_at) == ("CLOSED", "WITHDRAWN", scene.now)
    assert told(gap) == [(first, "GONE")]
    assert kept(gap) is None
    row = AuditEntry.objects.filter(content_type__model="waitlistoffer").latest("id")
    assert (row.action, row.actor_id) == (Act.UPDATE, desk.user_id)
    again = offering.withdraw(opening=gap, by=desk, now=scene.now + HOUR)
    assert again.ended_at == scene.now


def test_an_offer_that_was_taken_is_not_taken_back(scene: Scene, desk: Actor) -> None:
    gap = scene.gap()
    scene.waits()
    scene.run()
    offer = gap.offers.get()
    claims.accept(offer=offer, by=Actor.patient(), now=scene.now)
    with pytest.raises(OfferEnded):
        offering.withdraw_offer(offer=offer, by=desk, now=scene.now)
    assert ended(gap) == "CLAIMED"
    assert Opening.objects.get(pk=gap.pk).ended == "CLAIMED"
