"""What goes wrong undoes its own step and nothing else: the chain goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from providers.hours import remove_time_off, save_time_off
from providers.models import TimeOff
from reminders.models import Notice
from scheduling.errors import Busy
from scheduling.models import Opening, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import offering, steps
from scheduling.waitlist.looking import look
from scheduling.waitlist.steps import Overtaken
from tests.factories import AppointmentFactory
from tests.scheduling.waitlist.scene import (
    HOUR,
    MINUTE,
    Scene,
    ended,
    kept,
    live,
    told,
    wednesday,
)

pytestmark = pytest.mark.django_db
HERE = "tests.scheduling.waitlist.test_offering_in_trouble"
broken_for: set[Any] = set()


def fails_for_some(offers: Sequence[WaitlistOffer], *, now: datetime) -> None:
    if any(offer.opening_id in broken_for for offer in offers):
        raise RuntimeError("no messages today")


@pytest.fixture
def broken(settings: Any) -> set[Any]:
    """The openings of which nobody can be told, as the handler fails."""
    broken_for.clear()
    settings.OFFER_HANDLERS = [*settings.OFFER_HANDLERS, f"{HERE}.fails_for_some"]
    return broken_for


def test_a_handler_that_fails_undoes_the_offer_and_is_tried_again_in_a_minute(
    scene: Scene, broken: set[Any], caplog: pytest.LogCaptureFixture
) -> None:
    gap = scene.gap()
    entry = scene.waits()
    broken.add(gap.pk)
    with caplog.at_level(logging.ERROR):
        assert scene.run()["failed"] == 1
    assert [record.opening for record in caplog.records] == [str(gap.pk)]  # type: ignore[attr-defined]
    assert (told(gap), kept(gap), SlotHold.objects.count()) == ([], None, 0)
    assert not Notice.objects.exists()
    assert Opening.objects.get(pk=gap.pk).next_at == scene.now + MINUTE
    broken.clear()
    scene.run(after=MINUTE)
    assert live(gap) == [entry]
    assert Notice.objects.filter(offer__opening=gap).exists()


def test_one_opening_that_fails_holds_up_no_other(scene: Scene, broken: set[Any]) -> None:
    first, second = scene.gap("10:00"), scene.gap("12:00")
    broken.add(first.pk)
    entry = scene.waits()
    assert scene.run() == {"looked": 2, "failed": 1, "left": 0}
    assert (told(first), live(second)) == ([], [entry])


def test_what_does_not_fit_into_the_time_is_left_and_counted(scene: Scene) -> None:
    scene.gap("10:00"), scene.gap("12:00")
    assert offering.advance_due(now=scene.now, seconds=0) == {"looked": 0, "failed": 0, "left": 2}
    assert offering.advance_due(now=scene.now) == {"looked": 2, "failed": 0, "left": 0}


def test_time_off_over_a_live_offer_ends_it(scene: Scene) -> None:
    gap = scene.gap()
    first = scene.waits()
    scene.run()
    leave = save_time_off(
        TimeOff(
            provider=scene.provider,
            reason=TimeOff.Reason.SICK,
            start_datetime=wednesday("08:00"),
            end_datetime=wednesday("12:00"),
        )
    )
    scene.run(after=5 * MINUTE)
    assert (told(gap), ended(gap)) == ([(first, "GONE")], "NOT_WORKED")
    assert kept(gap) is None
    remove_time_off(leave)
    again = Opening.objects.get(state="OPEN", cause="LEAVE")
    scene.run(after=HOUR)
    assert told(again) != []


def test_a_visit_that_staff_put_beside_a_live_offer_ends_it(scene: Scene) -> None:
    gap = scene.gap()
    first = scene.waits()
    scene.run()
    AppointmentFactory.create(
        provider=scene.provider,
        visit_type=scene.visit_type,
        start=wednesday("10:00"),
        overbook=True,
    )
    scene.run(after=5 * MINUTE)
    assert (told(gap), ended(gap)) == ([(first, "GONE")], "BOOKED")


def test_after_a_long_silence_the_time_may_be_gone_and_that_is_noticed(scene: Scene) -> None:
    """No worker for hours: the hold ended, somebody booked, and nobody else is offered it."""
    gap = scene.gap()
    first, _second = scene.waits(), scene.waits()
    scene.run()
    scene.clock.forward(5 * HOUR)
    AppointmentFactory.create(
        provider=scene.provider, visit_type=scene.visit_type, start=wednesday("10:00")
    )
    scene.run()
    assert (told(gap), ended(gap)) == ([(first, "EXPIRED")], "BOOKED")


def test_what_was_decided_about_an_opening_that_changed_is_not_written(scene: Scene) -> None:
    gap = scene.gap()
    scene.waits()
    scene.run()
    seen = look(gap.pk)
    scene.clock.forward(2 * HOUR)
    offering.advance(gap.pk, now=scene.now)
    before = list(WaitlistOffer.objects.values())
    late: list[Callable[[], None]] = [
        partial(steps.expire, seen, now=scene.now),
        partial(steps.end, seen, Opening.Ended.EXHAUSTED, now=scene.now),
        partial(steps.withdraw, seen, seen.live, now=scene.now),
        partial(steps.rest, seen, until=scene.now),
        partial(steps.sleep, seen, until=scene.now),
    ]
    for step in late:
        with pytest.raises(Overtaken):
            step()
    assert list(WaitlistOffer.objects.values()) == before


def test_who_left_meanwhile_is_offered_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = scene.gap()
    first, second = scene.waits(), scene.waits()
    make = steps.make

    def leaves_just_before(*args: Any, **more: Any) -> WaitlistOffer:
        WaitlistEntry.objects.filter(pk=first.pk).update(status="LEFT")
        return make(*args, **more)

    monkeypatch.setattr(steps, "make", leaves_just_before)
    scene.run()
    assert [entry for entry, _status in told(gap)] == [second]


def test_an_opening_that_never_comes_to_rest_is_put_off(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = scene.gap()
    scene.waits()

    def never(*_args: Any, **_more: Any) -> WaitlistOffer:
        raise Overtaken

    monkeypatch.setattr(steps, "make", never)
    assert offering.advance(gap.pk, now=scene.now).next_at == scene.now + MINUTE


def test_a_calendar_that_is_busy_is_tried_again_by_the_next_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = scene.gap()
    entry = scene.waits()

    def busy(*_args: Any, **_more: Any) -> WaitlistOffer:
        raise Busy

    with monkeypatch.context() as patched:
        patched.setattr(steps, "make", busy)
        assert scene.run() == {"looked": 1, "failed": 0, "left": 0}
    scene.run(after=MINUTE)
    assert live(gap) == [entry]
