"""An opening's time is kept by one hold, however many it is offered to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.models import VisitType
from scheduling.models import SlotHold
from scheduling.placing import Placement, place
from scheduling.waitlist.keeping import HANDOVER, busy_of, hold_of, holder_of, keep, let_go
from tests.factories import VisitTypeFactory
from tests.factories.waitlist import offer_of
from tests.scheduling.waitlist.scene import HOUR, Scene, wednesday

pytestmark = pytest.mark.django_db


def at(scene: Scene, clock: str, kind: VisitType | None = None) -> Placement:
    return place(
        provider=scene.provider,
        clinic=scene.clinic,
        visit_type=kind or scene.visit_type,
        start=wednesday(clock),
    )


def test_the_holder_is_the_opening(scene: Scene) -> None:
    gap = scene.gap()
    assert hold_of(gap.pk) is None
    hold = keep(gap, at(scene, "10:00"), until=scene.now + HOUR)
    assert hold_of(gap.pk) == hold
    assert (hold.holder, hold.purpose) == (f"opening:{gap.pk}", SlotHold.Purpose.OFFER)
    assert hold.visit_start == wednesday("10:00")


def test_keeping_it_for_somebody_else_changes_the_same_row(scene: Scene) -> None:
    """Whoever has read it can still use it up."""
    gap = scene.gap()
    first = keep(gap, at(scene, "10:00"), until=scene.now + HOUR)
    second = keep(gap, at(scene, "10:30"), until=scene.now + 2 * HOUR)
    assert second.pk == first.pk
    (row,) = SlotHold.objects.filter(holder=holder_of(gap.pk))
    assert (row.visit_start, row.expires_at) == (wednesday("10:30"), scene.now + 2 * HOUR)
    assert (row.busy.lower, row.busy.upper) == (wednesday("10:30"), wednesday("11:00"))


def test_one_hold_covers_all_that_is_offered_with_its_buffers(scene: Scene) -> None:
    buffered = VisitTypeFactory.create(minutes=15, buffer_before_minutes=5, buffer_after_minutes=20)
    gap = scene.gap()
    offer = offer_of(
        scene.waits(visit_type=buffered), gap, visit_end=wednesday("10:15"), visit_type=buffered
    )
    assert busy_of(offer).start == wednesday("09:55")
    hold = keep(gap, at(scene, "10:00"), until=scene.now + HOUR, live=[offer])
    assert (hold.busy.lower, hold.busy.upper) == (wednesday("09:55"), wednesday("10:35"))


def test_one_that_is_over_keeps_nothing_and_comes_to_life_again(scene: Scene) -> None:
    gap = scene.gap()
    keep(gap, at(scene, "10:00"), until=scene.now + HOUR)
    scene.clock.forward(HOUR)
    assert hold_of(gap.pk) is None
    keep(gap, at(scene, "10:00"), until=scene.now + HOUR)
    assert hold_of(gap.pk) is not None
    assert SlotHold.objects.count() == 1


def test_letting_go_tells_what_was_kept(scene: Scene) -> None:
    gap, other = scene.gap(), scene.gap("12:00")
    hold = keep(gap, at(scene, "10:00"), until=scene.now + HOUR)
    keep(other, at(scene, "12:00"), until=scene.now + HOUR)
    assert let_go(gap.pk) == (hold.pk,)
    assert let_go(gap.pk) == ()
    assert hold_of(other.pk) is not None


def test_the_handover_is_longer_than_the_sweeps_minute() -> None:
    assert timedelta(minutes=2) <= HANDOVER
