from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from providers import hours
from providers.models import Provider, TimeOff, VisitType
from scheduling.actors import Actor
from scheduling.errors import (
    HoldExpired,
    OutsideHours,
    ProviderAway,
    SlotTaken,
    TooManyHolds,
    TypeNotAllowed,
)
from scheduling.holds import (
    MOST_EXTENSIONS,
    extend_hold,
    find_hold,
    release_hold,
    sweep_expired,
)
from scheduling.models import SlotHold
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
    someone_at_the_desk,
)
from tests.refusals import commit_checks

pytestmark = pytest.mark.django_db
NINE = at(next_monday(), "09:00")
MINUTE = timedelta(minutes=1)
PHONE = SlotHold.Purpose.PHONE


def expire(*holds: SlotHold) -> None:
    SlotHold.objects.filter(pk__in=[hold.pk for hold in holds]).update(
        expires_at=F("expires_at") - timedelta(hours=2)
    )


def test_a_hold_lasts_ten_minutes_and_blocks_everybody_else(
    provider: Provider, visit_type: VisitType
) -> None:
    hold = hold_of(provider, visit_type, NINE)
    commit_checks()
    with pytest.raises(SlotTaken) as caught:
        hold_of(
            provider, visit_type, NINE + 30 * MINUTE - MINUTE, by=someone_at_the_desk(), holder="x"
        )
    assert caught.value.held
    assert (hold.visit_start, hold.visit_end) == (NINE, NINE + 30 * MINUTE)


def test_two_holds_may_touch(provider: Provider, visit_type: VisitType) -> None:
    hold_of(provider, visit_type, NINE, holder="one")
    assert hold_of(provider, visit_type, NINE + 30 * MINUTE, holder="two").pk


def test_a_hold_keeps_the_buffers_free_as_well(provider: Provider) -> None:
    buffered = VisitTypeFactory.create(buffer_after_minutes=15)
    hold_of(provider, buffered, NINE, holder="one")
    with pytest.raises(SlotTaken):
        hold_of(provider, buffered, NINE + 30 * MINUTE, holder="two")


def test_a_booked_time_is_not_held(provider: Provider, visit_type: VisitType) -> None:
    AppointmentFactory.create(provider=provider, start=NINE)
    with pytest.raises(SlotTaken) as caught:
        hold_of(provider, visit_type, NINE)
    assert not caught.value.held


def test_an_expired_hold_blocks_nobody(provider: Provider, visit_type: VisitType) -> None:
    expire(hold_of(provider, visit_type, NINE, holder="one"))
    assert hold_of(provider, visit_type, NINE, holder="two").pk


def test_a_browsers_next_hold_takes_the_place_of_its_last(
    provider: Provider, visit_type: VisitType
) -> None:
    hold_of(provider, visit_type, NINE)
    second = hold_of(provider, visit_type, NINE + 15 * MINUTE, by=someone_at_the_desk())
    assert list(SlotHold.objects.all()) == [second]
    commit_checks()


def test_a_refused_hold_leaves_the_last_one_standing(
    provider: Provider, visit_type: VisitType
) -> None:
    AppointmentFactory.create(provider=provider, start=NINE + 60 * MINUTE)
    first = hold_of(provider, visit_type, NINE)
    for start, refusal in {
        NINE + 60 * MINUTE: SlotTaken,
        at(next_monday(), "05:00"): OutsideHours,
    }.items():
        with pytest.raises(refusal):
            hold_of(provider, visit_type, start)
    assert list(SlotHold.objects.all()) == [first]


def test_a_checkout_and_a_phone_hold_of_one_holder_are_two(
    provider: Provider, visit_type: VisitType
) -> None:
    hold_of(provider, visit_type, NINE)
    hold_of(provider, visit_type, NINE + 30 * MINUTE, purpose=PHONE)
    assert SlotHold.objects.count() == 2


def test_one_network_holds_five_times_at_once(provider: Provider, visit_type: VisitType) -> None:
    for n in range(5):
        hold_of(provider, visit_type, NINE + n * 30 * MINUTE, holder=f"browser{n}", network="home")
    late = NINE + 5 * 30 * MINUTE
    with pytest.raises(TooManyHolds):
        hold_of(provider, visit_type, late, holder="sixth", network="home")
    assert hold_of(provider, visit_type, late, holder="browser0", network="home").pk
    assert hold_of(provider, visit_type, NINE, holder="sixth", network="elsewhere").pk


def test_expired_holds_do_not_count_against_a_network(
    provider: Provider, visit_type: VisitType
) -> None:
    for n in range(5):
        expire(hold_of(provider, visit_type, NINE, holder=f"browser{n}", network="home"))
    assert hold_of(provider, visit_type, NINE, holder="sixth", network="home").pk


def test_time_off_is_not_held(provider: Provider, visit_type: VisitType) -> None:
    hours.save_time_off(
        TimeOff(
            provider=provider, start_datetime=NINE, end_datetime=NINE + MINUTE, reason="VACATION"
        )
    )
    with pytest.raises(ProviderAway):
        hold_of(provider, visit_type, NINE)


def test_a_patient_holds_no_visit_that_only_staff_book(provider: Provider) -> None:
    for_staff = VisitTypeFactory.create(bookable_online=False)
    with pytest.raises(TypeNotAllowed):
        hold_of(provider, for_staff, NINE)
    assert hold_of(provider, for_staff, NINE, by=someone_at_the_desk(), purpose=PHONE).pk


def test_a_hold_is_extended_by_two_minutes_ten_times(
    provider: Provider, visit_type: VisitType
) -> None:
    first = hold = hold_of(provider, visit_type, NINE)
    for _ in range(MOST_EXTENSIONS):
        hold = extend_hold(hold, now=first.expires_at - 5 * MINUTE)
        commit_checks()
    assert SlotHold.objects.get().expires_at == first.expires_at + 20 * MINUTE
    with pytest.raises(HoldExpired):
        extend_hold(hold, now=first.expires_at)


def test_an_extension_leaves_the_hold_that_was_passed_in_alone(
    provider: Provider, visit_type: VisitType
) -> None:
    hold = hold_of(provider, visit_type, NINE)
    ends = hold.expires_at
    assert extend_hold(hold, now=ends - MINUTE).expires_at == ends + 2 * MINUTE
    assert hold.expires_at == ends


def test_two_clicks_at_once_extend_once(provider: Provider, visit_type: VisitType) -> None:
    hold = hold_of(provider, visit_type, NINE)
    extend_hold(hold, now=hold.expires_at - MINUTE)
    with pytest.raises(HoldExpired):
        extend_hold(hold, now=hold.expires_at - MINUTE)


def test_an_expired_hold_is_not_brought_back(provider: Provider, visit_type: VisitType) -> None:
    hold = hold_of(provider, visit_type, NINE)
    expire(hold)
    with pytest.raises(HoldExpired):
        extend_hold(hold, now=NINE - timedelta(days=1))
    with pytest.raises(HoldExpired):
        find_hold(hold.pk, holder=hold.holder)


def test_a_released_hold_is_gone_and_may_be_released_again(
    provider: Provider, visit_type: VisitType
) -> None:
    hold = hold_of(provider, visit_type, NINE)
    release_hold(hold)
    release_hold(hold)
    commit_checks()
    assert hold_of(provider, visit_type, NINE, holder="next").pk


def test_a_hold_is_found_only_by_its_holder(provider: Provider, visit_type: VisitType) -> None:
    hold = hold_of(provider, visit_type, NINE)
    assert find_hold(hold.pk, holder="browser") == hold
    with pytest.raises(HoldExpired):
        find_hold(hold.pk, holder="stranger")


def test_sweeping_removes_what_has_ended_and_nothing_else(
    provider: Provider, visit_type: VisitType
) -> None:
    ended = hold_of(provider, visit_type, NINE, holder="one")
    live = hold_of(provider, visit_type, NINE + 30 * MINUTE, holder="two")
    expire(ended)
    assert sweep_expired() == 1
    assert list(SlotHold.objects.all()) == [live]
    commit_checks()


def test_a_hold_may_name_its_patient(provider: Provider, visit_type: VisitType) -> None:
    patient = PatientFactory.create(clinic=provider.clinic)
    hold = hold_of(provider, visit_type, NINE, patient=patient, purpose=PHONE, by=Actor.patient())
    assert find_hold(hold.pk, holder="browser").patient == patient
