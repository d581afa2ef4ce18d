"""The desk's pages about freed time: the list, one gap, and what is done with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from providers.models import Clinic, Provider, VisitType
from scheduling import gap_counts
from scheduling.models import Appointment, BookedVia, Mode, Opening, SlotHold, WaitlistEntry
from scheduling.models import WaitlistOffer as Offer
from tests.factories import ClinicFactory, PatientFactory, ProviderFactory
from tests.factories.waitlist import entry_of, offer_of, opening_of, waitlist_policy
from tests.scheduling.desk_cast import MONDAY, NINE, at_the_desk, shown

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HALF_HOUR = 30 * MINUTE


@pytest.fixture(autouse=True)
def _counted_anew() -> None:
    gap_counts.forget()


@pytest.fixture
def desk(clinic: Clinic, visit_type: VisitType) -> Client:
    return at_the_desk(clinic)


@pytest.fixture
def gap(provider: Provider) -> Opening:
    return opening_of(provider, NINE)


@pytest.fixture
def rosa(clinic: Clinic, provider: Provider, visit_type: VisitType) -> WaitlistEntry:
    """Somebody who waits longest."""
    patient = PatientFactory.create(clinic=clinic, name="Rosa Moreno", phone="+12125550111")
    since = timezone.now() - timedelta(days=23)
    return entry_of(patient, provider=provider, visit_type=visit_type, created_at=since)


@pytest.fixture
def ben(clinic: Clinic, provider: Provider, visit_type: VisitType) -> WaitlistEntry:
    patient = PatientFactory.create(clinic=clinic, name="Ben Okafor")
    return entry_of(patient, provider=provider, visit_type=visit_type)


def page_of(desk: Client, gap: Opening, **more: Any) -> str:
    answer = desk.get(reverse("desk:gap", args=[gap.pk]), **more)
    assert answer.status_code == 200, answer.content[:1000]
    return shown(answer)


def act(desk: Client, offer: Offer, name: str, **more: Any) -> Any:
    return desk.post(reverse("desk:offer_act", args=[offer.pk, name]), **more)


def call(desk: Client, gap: Opening, entry: WaitlistEntry, **more: Any) -> Any:
    return desk.post(reverse("desk:gap_offer", args=[gap.pk]), {"entry": entry.pk}, **more)


def by_phone(desk: Client, gap: Opening, entry: WaitlistEntry) -> Offer:
    answer = call(desk, gap, entry)
    assert answer.status_code == 302, shown(answer)
    return Offer.objects.get(entry=entry, opening=gap)


def test_the_list_shows_open_gaps_the_next_first_with_what_happens_now(
    desk: Client, provider: Provider, rosa: WaitlistEntry
) -> None:
    later = opening_of(provider, NINE + 4 * HALF_HOUR, cause=Opening.Cause.RELEASE)
    sooner = opening_of(provider, NINE)
    offer_of(rosa, later)
    text = shown(desk.get(reverse("desk:gaps")))
    assert text.index("9:00") < text.index("11:00")
    assert "A visit was cancelled" in text
    assert "Nobody confirmed the visit" in text
    assert "Offered to Rosa Moreno until" in text
    assert str(sooner.pk) in desk.get(reverse("desk:gaps")).content.decode()


def test_a_gap_that_sleeps_says_until_when(desk: Client, provider: Provider) -> None:
    opening_of(provider, NINE, next_at=timezone.now() + 40 * MINUTE)
    assert "Waits until" in shown(desk.get(reverse("desk:gaps")))


def test_a_gap_that_can_be_undone_says_so_and_offers_nobody(
    desk: Client, provider: Provider, rosa: WaitlistEntry
) -> None:
    gap = opening_of(provider, NINE, not_before=timezone.now() + 9 * MINUTE)
    text = page_of(desk, gap)
    assert "Can still be undone, until" in text
    assert "Rosa Moreno" in text
    assert "Offer by phone" not in text


def test_what_ended_today_is_listed_with_how_and_by_whom(
    desk: Client, provider: Provider, rosa: WaitlistEntry
) -> None:
    gap = opening_of(
        provider,
        NINE,
        state=Opening.State.FILLED,
        ended=Opening.Ended.CLAIMED,
        ended_at=timezone.now(),
    )
    offer_of(rosa, gap, status=Offer.Status.CLAIMED)
    text = shown(desk.get(reverse("desk:gaps")))
    assert "Ended today" in text
    assert "Taken by a patient on the waitlist" in text
    assert "Rosa Moreno" in text


def test_another_clinics_gaps_are_not_listed_and_not_found(desk: Client) -> None:
    away = opening_of(ProviderFactory.create(clinic=ClinicFactory.create(), working=True), NINE)
    assert "No gap to fill" in shown(desk.get(reverse("desk:gaps")))
    for name in ("gap", "gap_now", "gap_withdraw"):
        assert desk.get(reverse(f"desk:{name}", args=[away.pk])).status_code == 404
    assert call(desk, away, entry_of(provider=away.provider)).status_code == 404


def test_a_gap_ranks_who_could_take_it_with_reasons(
    desk: Client, gap: Opening, rosa: WaitlistEntry, ben: WaitlistEntry
) -> None:
    text = page_of(desk, gap)
    assert text.index("Rosa Moreno") < text.index("Ben Okafor")
    assert "waits 23 days" in text
    assert "(212) 555-0111" in text
    assert text.count("Offer by phone") + text.count("Call instead") == 2


def test_who_is_urgent_stands_first_whoever_waits_longer(
    desk: Client, gap: Opening, rosa: WaitlistEntry, ben: WaitlistEntry
) -> None:
    WaitlistEntry.objects.filter(pk=ben.pk).update(urgency="URGENT")
    text = page_of(desk, gap)
    assert text.index("Ben Okafor") < text.index("Rosa Moreno")


def test_a_gap_that_fits_nobody_says_so(desk: Client, gap: Opening) -> None:
    assert "Nobody who waits could take it." in page_of(desk, gap)


def test_an_offer_by_phone_keeps_the_time_ten_minutes_for_the_call(
    desk: Client, gap: Opening, rosa: WaitlistEntry
) -> None:
    before = timezone.now()
    offer = by_phone(desk, gap, rosa)
    assert offer.via == Offer.Via.PHONE
    assert before + 9 * MINUTE < offer.expires_at < timezone.now() + 11 * MINUTE
    assert SlotHold.objects.live().filter(purpose=SlotHold.Purpose.OFFER).count() == 1
    text = page_of(desk, gap)
    assert "Offered to Rosa Moreno" in text
    assert "Book it for Rosa" in text


def test_whoever_is_asked_in_turn_has_to_be_taken_back_before_another_is_called(
    desk: Client, gap: Opening, rosa: WaitlistEntry, ben: WaitlistEntry
) -> None:
    offer = by_phone(desk, gap, rosa)
    assert "take the offer back first" in page_of(desk, gap)
    refused = call(desk, gap, ben)
    assert refused.status_code == 409
    assert not Offer.objects.filter(entry=ben).exists()
    act(desk, offer, "withdraw")
    gap.refresh_from_db()
    assert call(desk, gap, ben).status_code == 302


def test_a_yes_on_the_phone_books_the_visit_by_the_member_of_staff(
    desk: Client, gap: Opening, rosa: WaitlistEntry
) -> None:
    offer = by_phone(desk, gap, rosa)
    answer = act(desk, offer, "claim", follow=True)
    assert "Booked: Rosa Moreno" in shown(answer)
    booked = Appointment.objects.get(patient=rosa.patient)
    assert booked.booked_via == BookedVia.WAITLIST
    assert booked.events.get().by_kind == "STAFF"
    gap.refresh_from_db()
    assert (gap.state, gap.ended) == ("FILLED", "CLAIMED")
    text = page_of(desk, gap)
    assert "The visit" in text
    assert "Book it for" not in text


def test_claiming_twice_books_once(desk: Client, gap: Opening, rosa: WaitlistEntry) -> None:
    offer = by_phone(desk, gap, rosa)
    assert act(desk, offer, "claim").status_code == 302
    assert act(desk, offer, "claim").status_code == 302
    assert Appointment.objects.count() == 1


def test_a_no_on_the_phone_ends_the_offer_and_keeps_the_place(
    desk: Client, gap: Opening, rosa: WaitlistEntry
) -> None:
    offer = by_phone(desk, gap, rosa)
    text = shown(act(desk, offer, "decline", follow=True))
    assert "Rosa Moreno said no, and keeps the place on the waitlist." in text
    offer.refresh_from_db()
    rosa.refresh_from_db()
    assert (offer.status, rosa.status) == ("DECLINED", "WAITING")


def test_an_offer_that_ended_meanwhile_is_refused_and_the_gap_shown_anew(
    desk: Client, gap: Opening, rosa: WaitlistEntry
) -> None:
    offer = by_phone(desk, gap, rosa)
    act(desk, offer, "withdraw")
    answer = act(desk, offer, "claim")
    assert answer.status_code == 409
    assert "This offer has ended: gone." in shown(answer)
    assert "This is how it stands now." in shown(answer)
    assert not Appointment.objects.exists()


def test_stopping_a_gap_asks_first_and_names_who_is_being_asked(
    desk: Client, gap: Opening, rosa: WaitlistEntry
) -> None:
    by_phone(desk, gap, rosa)
    where = reverse("desk:gap_withdraw", args=[gap.pk])
    assert "Rosa Moreno" in shown(desk.get(where))
    gap.refresh_from_db()
    assert gap.state == "OPEN"
    assert "not offered to the waitlist any more" in shown(desk.post(where, follow=True))
    gap.refresh_from_db()
    assert (gap.state, gap.ended) == ("CLOSED", "WITHDRAWN")
    assert not SlotHold.objects.live().exists()


def test_a_stopped_gap_can_be_booked_at_once_for_somebody_else(
    desk: Client, gap: Opening, rosa: WaitlistEntry
) -> None:
    offer = by_phone(desk, gap, rosa)
    answer = desk.post(reverse("desk:gap_withdraw", args=[gap.pk]), {"then": "book"})
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("desk:book"))
    assert str(gap.provider_id) in answer["Location"]
    offer.refresh_from_db()
    assert offer.status == "GONE"
    assert "Book 9:00" in shown(desk.get(answer["Location"]))


def test_the_poll_answers_nothing_until_something_changes(
    desk: Client, gap: Opening, rosa: WaitlistEntry
) -> None:
    context = desk.get(reverse("desk:gap", args=[gap.pk])).context
    assert desk.get(context["poll_url"]).status_code == 204
    by_phone(desk, gap, rosa)
    answer = desk.get(context["poll_url"])
    assert answer.status_code == 200
    assert "Offered to Rosa Moreno" in shown(answer)


def test_the_lists_poll_answers_nothing_until_something_changes(
    desk: Client, provider: Provider
) -> None:
    context = desk.get(reverse("desk:gaps")).context
    assert desk.get(context["poll_url"]).status_code == 204
    opening_of(provider, NINE)
    assert desk.get(context["poll_url"]).status_code == 200


def test_in_the_side_panel_a_gap_is_a_fragment_that_keeps_the_boards_address(
    desk: Client, gap: Opening
) -> None:
    answer = desk.get(reverse("desk:gap", args=[gap.pk]), headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert answer["HX-Push-Url"] == "false"


def test_the_board_names_an_offered_time_and_leads_to_its_gap(
    desk: Client, gap: Opening, rosa: WaitlistEntry
) -> None:
    by_phone(desk, gap, rosa)
    page = desk.get(f"{reverse('desk:board')}?day={MONDAY}")
    assert "Waitlist Offered" in shown(page)
    assert f'href="{reverse("desk:gap", args=[gap.pk])}"' in page.content.decode()


def test_a_free_time_of_the_board_can_be_offered_to_the_waitlist(
    desk: Client, provider: Provider, rosa: WaitlistEntry
) -> None:
    where = reverse("desk:book")
    known = {"provider": str(provider.pk), "start": NINE.isoformat()}
    assert "Offer to the waitlist" in shown(desk.get(where, known))
    answer = desk.post(reverse("desk:gap_open"), known)
    opening = Opening.objects.get()
    assert answer["Location"] == reverse("desk:gap", args=[opening.pk])
    assert opening.cause == Opening.Cause.DESK
    assert opening.span.lower == NINE
    assert "Rosa Moreno" in page_of(desk, opening)


def test_a_time_outside_the_hours_is_not_offered(desk: Client, provider: Provider) -> None:
    night = {"provider": provider.pk, "start": NINE.replace(hour=3).isoformat()}
    answer = desk.post(reverse("desk:gap_open"), night, follow=True)
    assert "does not see patients at this time" in shown(answer)
    assert not Opening.objects.exists()


def test_several_at_once_can_be_called_where_the_clinic_asks_several(
    desk: Client, clinic: Clinic, gap: Opening, rosa: WaitlistEntry, ben: WaitlistEntry
) -> None:
    waitlist_policy(clinic, mode=Mode.OVERLAPPING)
    by_phone(desk, gap, rosa)
    by_phone(desk, gap, ben)
    text = page_of(desk, gap)
    assert "Offered to Rosa Moreno" in text
    assert "Offered to Ben Okafor" in text


def test_the_menu_counts_the_open_gaps(desk: Client, gap: Opening) -> None:
    assert "Waitlist (1)" in shown(desk.get(reverse("desk:gaps")))


def test_a_list_of_many_gaps_asks_no_more_than_one_of_few(
    desk: Client, provider: Provider, rosa: WaitlistEntry, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        opening_of(provider, NINE + number * HALF_HOUR)
    desk.get(reverse("desk:gaps"))
    with django_assert_max_num_queries(12):
        desk.get(reverse("desk:gaps"))
