"""Where visits fit around freed time."""

from __future__ import annotations

from datetime import time

import pytest

from providers.hours import save_closure, save_time_off
from providers.models import ClinicClosure, Provider, TimeOff, VisitType, Weekday
from scheduling.models import Opening
from scheduling.waitlist.candidates import diary_of
from scheduling.waitlist.fitting import Diary
from tests.factories import (
    AppointmentFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    hold_of,
)
from tests.scheduling.waitlist.scene import MINUTE, Scene, wednesday

pytestmark = pytest.mark.django_db


def diary(scene: Scene, gap: Opening) -> Diary:
    return diary_of(gap, now=scene.now)


def starts(scene: Scene, gap: Opening, kind: VisitType | None = None) -> list[str]:
    """Return the clinic's clocks at the starts that fit, in order."""
    found = diary(scene, gap).fits(kind or scene.visit_type)
    return [f"{place.start.astimezone(scene.clinic.zone):%H:%M}" for place in found]


def busy(scene: Scene, clock: str, **values: object) -> None:
    AppointmentFactory.create(
        provider=scene.provider, visit_type=scene.visit_type, start=wednesday(clock), **values
    )


def test_what_lies_inside_comes_before_what_reaches_out(scene: Scene) -> None:
    long = VisitTypeFactory.create(minutes=60)
    assert starts(scene, scene.gap("10:00", minutes=60)) == ["10:00", "10:30"]
    assert starts(scene, scene.gap("12:00", minutes=60), long) == ["12:00", "11:30", "12:30"]


def test_a_longer_visit_reaches_into_free_time_beside_it_and_not_into_visits(
    scene: Scene,
) -> None:
    long = VisitTypeFactory.create(minutes=60)
    gap = scene.gap("10:00")
    assert starts(scene, gap, long) == ["09:30", "10:00"]
    busy(scene, "09:30")
    assert starts(scene, gap, long) == ["10:00"]
    busy(scene, "10:30")
    assert starts(scene, gap, long) == []
    assert starts(scene, gap) == ["10:00"]


def test_buffers_stay_out_of_other_visits(scene: Scene) -> None:
    buffered = VisitTypeFactory.create(minutes=15, buffer_after_minutes=30)
    gap = scene.gap("10:00")
    assert starts(scene, gap, buffered) == ["09:30", "10:00"]
    busy(scene, "10:30")
    assert starts(scene, gap, buffered) == ["09:30"]


def test_hours_for_other_types_are_not_for_this_one(scene: Scene) -> None:
    other = VisitTypeFactory.create()
    scene.provider.schedules.filter(day_of_week=Weekday.WEDNESDAY).delete()
    ProviderScheduleFactory.create(
        provider=scene.provider, day_of_week=Weekday.WEDNESDAY, visit_types=[other]
    )
    gap = scene.gap("10:00")
    assert starts(scene, gap) == []
    assert starts(scene, gap, other) == ["10:00"]


def test_a_visit_without_a_length_takes_the_hours_own(scene: Scene) -> None:
    gap = scene.gap("10:00")
    place = diary(scene, gap).fit(VisitTypeFactory.create(minutes=None))
    assert place is not None
    assert (place.start, place.end) == (wednesday("10:00"), wednesday("10:30"))


def test_by_video_only_where_the_provider_offers_it(scene: Scene, provider: Provider) -> None:
    video = VisitTypeFactory.create(is_telehealth=True)
    gap = scene.gap("10:00")
    assert starts(scene, gap, video) == []
    provider.offers_telehealth = True
    provider.save()
    assert starts(scene, Opening.objects.get(pk=gap.pk), video) == ["10:00"]


def test_what_has_begun_is_over(scene: Scene) -> None:
    gap = scene.gap("10:00", minutes=60)
    scene.clock.set(wednesday("10:10"))
    assert starts(scene, gap) == ["10:30"]


def test_others_holds_are_waited_for_and_the_own_one_is_not(scene: Scene) -> None:
    gap = scene.gap("10:00")
    scene.waits()
    scene.run()
    gap.refresh_from_db()
    assert diary(scene, gap).why_not() is None
    other = scene.gap("11:00")
    hold = hold_of(scene.provider, scene.visit_type, wednesday("11:00"), now=scene.now)
    found = diary(scene, other)
    assert (found.why_not(), found.held_until) == ("HELD", hold.expires_at)
    assert found.fits(scene.visit_type) == ()
    scene.clock.forward(10 * MINUTE)
    assert diary(scene, other).why_not() is None


def test_what_is_booked_is_not_free(scene: Scene) -> None:
    gap = scene.gap("10:00", minutes=60)
    busy(scene, "10:00")
    assert diary(scene, gap).why_not() is None
    busy(scene, "10:30")
    assert diary(scene, gap).why_not() == "BOOKED"


@pytest.mark.parametrize("kind", ["time off", "closure", "inactive"])
def test_what_is_not_worked_any_more_is_not_free(scene: Scene, kind: str) -> None:
    gap = scene.gap("10:00")
    whole = {"start_datetime": wednesday("09:00"), "end_datetime": wednesday("12:00")}
    if kind == "time off":
        save_time_off(TimeOff(provider=scene.provider, reason=TimeOff.Reason.CME, **whole))
    elif kind == "closure":
        save_closure(ClinicClosure(clinic=scene.clinic, **whole))
    else:
        Provider.objects.filter(pk=scene.provider.pk).update(is_active=False)
        gap = Opening.objects.get(pk=gap.pk)
    assert diary(scene, gap).why_not() == "NOT_WORKED"


def test_outside_hours_nothing_is_free(scene: Scene) -> None:
    assert diary(scene, scene.gap("18:00")).why_not() == "NOT_WORKED"


def test_time_that_came_free_twice_is_the_younger_openings(scene: Scene) -> None:
    older = scene.gap("10:00", minutes=60)
    younger = scene.gap("10:00")
    assert starts(scene, older) == ["10:30"]
    assert starts(scene, younger) == ["10:00"]
    scene.gap("10:30")
    assert diary(scene, older).why_not() == "BOOKED"


def test_what_the_desk_opens_over_it_waits_for_it(scene: Scene) -> None:
    older = scene.gap("10:00")
    scene.gap("10:00", cause=Opening.Cause.DESK)
    assert starts(scene, older) == ["10:00"]


def test_hours_over_midnight_are_one(scene: Scene) -> None:
    """A visit may begin before midnight and end after it where both nights' hours touch."""
    for weekday, start, end in [
        (Weekday.WEDNESDAY, time(22), time(0)),
        (Weekday.THURSDAY, time(0), time(2)),
    ]:
        ProviderScheduleFactory.create(
            provider=scene.provider, day_of_week=weekday, start_time=start, end_time=end
        )
    long = VisitTypeFactory.create(minutes=120)
    gap = scene.gap("23:00", minutes=120)
    assert starts(scene, gap, long)[0] == "23:00"
