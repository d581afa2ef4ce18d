"""What becomes of an offer that is taken, declined or cannot be told, and what hangs on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from psycopg.types.range import Range

from patients.models import AuditEntry, Patient
from providers import hours
from providers.models import Provider, TimeOff, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import InThePast, PatientBusy, ProviderAway, SlotTaken
from scheduling.models import (
    Appointment,
    BookedVia,
    Opening,
    SlotHold,
    WaitlistEntry,
    WaitlistOffer,
)
from scheduling.waitlist import claims
from scheduling.waitlist.ending import drop
from scheduling.waitlist.errors import OfferEnded, OfferUnknown
from scheduling.waitlist.keeping import HANDOVER, hold_of
from scheduling.waitlist.tokens import token_of
from tests.factories import (
    AppointmentFactory,
    ProviderFactory,
    SpecialtyFactory,
    VisitTypeFactory,
    at,
    next_monday,
)
from tests.factories import (
    hold_of as kept_by_browser,
)
from tests.factories.waitlist import entry_of, opening_of
from tests.scheduling.waitlist.offered import offered

pytestmark = pytest.mark.django_db

MONDAY = next_monday(1)
NINE, TEN = at(MONDAY, "09:00"), at(MONDAY, "10:00")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
BY_LINK = Actor.patient()
Answer, Entry = WaitlistOffer.Status, WaitlistEntry.Status


@pytest.fixture
def entry(patient: Patient, provider: Provider, visit_type: VisitType) -> WaitlistEntry:
    return entry_of(patient, provider=provider, visit_type=visit_type)


@pytest.fixture
def others(provider: Provider, visit_type: VisitType) -> list[WaitlistEntry]:
    return [entry_of(provider=provider, visit_type=visit_type) for _ in range(2)]


@pytest.fixture
def opening(provider: Provider) -> Opening:
    return opening_of(provider, NINE)


@pytest.fixture
def offer(opening: Opening, entry: WaitlistEntry) -> WaitlistOffer:
    (made,) = offered(opening, entry)
    return made


@pytest.fixture
def on_commit(jobs_wait: None, django_capture_on_commit_callbacks: Any) -> Any:
    """What is to be done once a transaction has committed; tests' own never does."""
    return django_capture_on_commit_callbacks


def accept(offer: WaitlistOffer, **more: Any) -> Appointment:
    values: dict[str, Any] = {"by": BY_LINK, "now": timezone.now()} | more
    return claims.accept(offer=offer, **values)


def decline(offer: WaitlistOffer, **more: Any) -> WaitlistOffer:
    values: dict[str, Any] = {"by": BY_LINK, "now": timezone.now()} | more
    return claims.decline(offer=offer, **values)


def statuses(offers: list[WaitlistOffer]) -> list[str]:
    found = dict(WaitlistOffer.objects.values_list("pk", "status"))
    return [found[offer.pk] for offer in offers]


def visit_of(entry: WaitlistEntry, start: Any = TEN + DAY, **more: Any) -> Appointment:
    """Book the visit that an entry wants to have sooner."""
    assert entry.provider is not None
    booked = AppointmentFactory.create(
        patient=entry.patient,
        provider=entry.provider,
        visit_type=entry.appointment_type,
        start=start,
        **more,
    )
    WaitlistEntry.objects.filter(pk=entry.pk).update(replaces=booked)
    return booked


def test_an_offer_that_is_taken_is_a_visit(offer: WaitlistOffer, patient: Patient) -> None:
    booked = accept(offer)
    assert (booked.patient, booked.scheduled_start) == (patient, NINE)
    assert booked.booked_via == BookedVia.WAITLIST
    assert booked.events.get().by_kind == "PATIENT"


def test_it_uses_up_the_hold_and_fills_the_opening(offer: WaitlistOffer, opening: Opening) -> None:
    accept(offer)
    assert not SlotHold.objects.exists()
    opening.refresh_from_db()
    assert (opening.state, opening.ended) == ("FILLED", "CLAIMED")
    assert opening.ended_at is not None


def test_offer_and_entry_say_by_which_visit(offer: WaitlistOffer, entry: WaitlistEntry) -> None:
    now = timezone.now()
    booked = accept(offer, now=now)
    offer.refresh_from_db()
    assert (offer.status, offer.appointment, offer.answered_at) == (Answer.CLAIMED, booked, now)
    assert offer.days_gained is None
    entry.refresh_from_db()
    assert (entry.status, entry.booked, entry.ended_at) == (Entry.BOOKED, booked, now)


def test_taking_it_again_gives_the_same_visit(offer: WaitlistOffer) -> None:
    assert accept(offer) == accept(offer) == accept(offer)
    assert Appointment.objects.count() == 1


def test_taken_again_after_the_visit_was_cancelled_it_stays_cancelled(
    offer: WaitlistOffer, desk: Actor
) -> None:
    booking.cancel(appointment=accept(offer), reason="OTHER", by=desk, now=timezone.now())
    assert accept(offer).status == "CANCELLED"
    assert not Appointment.objects.live().exists()


def test_the_desk_takes_it_for_the_patient(offer: WaitlistOffer, desk: Actor) -> None:
    booked = accept(offer, by=desk)
    assert booked.events.get().by_user_id == desk.user_id


def test_the_others_are_gone_and_keep_their_place(
    opening: Opening, entry: WaitlistEntry, others: list[WaitlistEntry]
) -> None:
    offers = offered(opening, entry, *others)
    accept(offers[1])
    assert statuses(offers) == [Answer.GONE, Answer.CLAIMED, Answer.GONE]
    ends = dict(WaitlistEntry.objects.values_list("pk", "status"))
    assert ends == {entry.pk: "WAITING", others[0].pk: "BOOKED", others[1].pk: "WAITING"}


def test_who_comes_late_is_told_that_it_is_gone(
    opening: Opening, entry: WaitlistEntry, others: list[WaitlistEntry]
) -> None:
    first, late, _ = offered(opening, entry, *others)
    accept(first)
    with pytest.raises(OfferEnded) as refusal:
        accept(late)
    assert refusal.value.status == Answer.GONE
    assert Appointment.objects.count() == 1


def test_after_its_deadline_nobody_takes_it(opening: Opening, entry: WaitlistEntry) -> None:
    (over,) = offered(opening, entry, window=timedelta(seconds=-1))
    with pytest.raises(OfferEnded) as refusal:
        accept(over)
    assert refusal.value.status == Answer.EXPIRED
    assert not Appointment.objects.exists()
    assert hold_of(opening.pk) is not None
    assert statuses([over]) == [Answer.OFFERED]


def test_whoever_comes_when_the_visit_has_begun_is_told_that_the_offer_ended(
    opening: Opening, entry: WaitlistEntry
) -> None:
    (over,) = offered(opening, entry, window=timedelta(seconds=-1))
    with pytest.raises(OfferEnded) as refusal:
        accept(over, now=TEN)
    assert refusal.value.status == Answer.EXPIRED


def test_a_withdrawn_opening_is_taken_by_nobody(offer: WaitlistOffer, opening: Opening) -> None:
    Opening.objects.filter(pk=opening.pk).update(
        state="CLOSED", ended="WITHDRAWN", ended_at=timezone.now()
    )
    with pytest.raises(OfferEnded) as refusal:
        accept(offer)
    assert refusal.value.status == Answer.GONE
    assert statuses([offer]) == [Answer.GONE]
    assert not Appointment.objects.exists()


class TestInPlaceOfAVisit:
    def test_the_same_visit_moves(self, offer: WaitlistOffer, entry: WaitlistEntry) -> None:
        later = visit_of(entry)
        moved = accept(offer)
        assert (moved.pk, moved.scheduled_start) == (later.pk, NINE)
        assert Appointment.objects.get().scheduled_start == NINE
        assert moved.booked_via == BookedVia.DESK

    def test_its_old_time_opens(self, offer: WaitlistOffer, entry: WaitlistEntry) -> None:
        visit_of(entry)
        accept(offer)
        freed = Opening.objects.get(state="OPEN")
        assert (freed.cause, freed.span.lower) == ("MOVE", TEN + DAY)

    def test_days_gained_are_those_of_the_clinics_calendar(
        self, offer: WaitlistOffer, entry: WaitlistEntry
    ) -> None:
        visit_of(entry, start=at(MONDAY + 3 * DAY, "08:00"))
        accept(offer)
        offer.refresh_from_db()
        assert offer.days_gained == 3

    def test_the_clinic_that_offers_it_lifts_the_cut_off(
        self, provider: Provider, entry: WaitlistEntry
    ) -> None:
        now = NINE - 2 * 60 * MINUTE
        visit_of(entry, start=TEN, now=NINE - 7 * DAY)
        (offer,) = offered(opening_of(provider, NINE), entry)
        assert accept(offer, now=now).scheduled_start == NINE

    def test_a_cancelled_one_is_not_moved(
        self, offer: WaitlistOffer, entry: WaitlistEntry, desk: Actor
    ) -> None:
        gone = visit_of(entry)
        booking.cancel(appointment=gone, reason="OTHER", by=desk, now=timezone.now())
        booked = accept(offer)
        assert booked.pk != gone.pk
        assert Appointment.objects.live().get() == booked

    def test_one_that_changed_meanwhile_is_moved_as_it_is_now(
        self, offer: WaitlistOffer, entry: WaitlistEntry, desk: Actor
    ) -> None:
        later = visit_of(entry)
        offer = claims.find(token_of(offer.pk), now=timezone.now())
        booking.confirm(appointment=later, by=desk, now=timezone.now())
        assert accept(offer).pk == later.pk

    def test_taking_it_again_gives_the_same_visit(
        self, offer: WaitlistOffer, entry: WaitlistEntry
    ) -> None:
        visit_of(entry)
        assert accept(offer).version == accept(offer).version
        assert Appointment.objects.count() == 1


class TestWhatForbidsTheVisit:
    def test_a_provider_who_is_away_by_now(self, offer: WaitlistOffer, provider: Provider) -> None:
        hours.save_time_off(
            TimeOff(provider=provider, start_datetime=NINE, end_datetime=TEN, reason="CME")
        )
        with pytest.raises(ProviderAway):
            accept(offer)
        assert statuses([offer]) == [Answer.GONE]

    def test_a_visit_that_took_the_time_because_the_hold_was_lost(
        self, offer: WaitlistOffer, provider: Provider, visit_type: VisitType
    ) -> None:
        SlotHold.objects.all().delete()
        AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE)
        with pytest.raises(SlotTaken):
            accept(offer)
        assert statuses([offer]) == [Answer.GONE]

    def test_the_chain_goes_on_at_once(
        self, offer: WaitlistOffer, opening: Opening, provider: Provider
    ) -> None:
        Opening.objects.filter(pk=opening.pk).update(next_at=NINE)
        hours.save_time_off(
            TimeOff(provider=provider, start_datetime=NINE, end_datetime=TEN, reason="CME")
        )
        now = timezone.now()
        with pytest.raises(ProviderAway):
            accept(offer, now=now)
        opening.refresh_from_db()
        assert (opening.state, opening.next_at) == ("OPEN", now)

    def test_a_start_that_has_passed(self, offer: WaitlistOffer) -> None:
        with pytest.raises(InThePast):
            accept(offer, now=NINE + MINUTE)
        assert not Appointment.objects.exists()

    def test_another_visit_of_the_patient_leaves_the_offer_alive(
        self, offer: WaitlistOffer, patient: Patient
    ) -> None:
        AppointmentFactory.create(patient=patient, start=NINE)
        with pytest.raises(PatientBusy):
            accept(offer)
        assert statuses([offer]) == [Answer.OFFERED]
        assert hold_of(offer.opening_id) is not None

    def test_neither_notice_nor_what_only_staff_book(
        self, provider: Provider, patient: Patient
    ) -> None:
        kind = VisitTypeFactory.create(bookable_online=False, minimum_notice_minutes=50_000)
        entry = entry_of(patient, provider=provider, visit_type=kind)
        (offer,) = offered(opening_of(provider, NINE), entry)
        assert accept(offer).scheduled_start == NINE


class TestWhatIsLeftOver:
    def test_it_opens_anew_on_either_side(
        self, provider: Provider, entry: WaitlistEntry, visit_type: VisitType
    ) -> None:
        whole = opening_of(provider, NINE, minutes=90, visit_type=visit_type)
        (offer,) = offered(whole, entry, start=NINE + 30 * MINUTE)
        accept(offer)
        rests = Opening.objects.filter(state="OPEN", cause="REST").order_by("span")
        assert [rest.span for rest in rests] == [
            Range(NINE, NINE + 30 * MINUTE),
            Range(TEN, TEN + 30 * MINUTE),
        ]
        assert {rest.visit_type for rest in rests} == {visit_type}
        whole.refresh_from_db()
        assert whole.span == Range(NINE + 30 * MINUTE, TEN)

    def test_less_than_five_minutes_is_nothing(
        self, provider: Provider, entry: WaitlistEntry
    ) -> None:
        (offer,) = offered(opening_of(provider, NINE, minutes=34), entry)
        accept(offer)
        assert not Opening.objects.filter(state="OPEN").exists()

    def test_a_visit_that_reaches_beyond_the_opening_leaves_its_span(
        self, provider: Provider, entry: WaitlistEntry
    ) -> None:
        opening = opening_of(provider, NINE + 10 * MINUTE, minutes=20)
        (offer,) = offered(opening, entry, start=NINE)
        accept(offer)
        opening.refresh_from_db()
        assert opening.span == Range(NINE + 10 * MINUTE, NINE + 30 * MINUTE)


class TestTheSameTwice:
    def test_what_the_patient_waits_for_besides_that_is_the_same_ends_too(
        self, offer: WaitlistOffer, entry: WaitlistEntry
    ) -> None:
        twin = entry_of(entry.patient, provider=entry.provider, visit_type=entry.appointment_type)
        other = entry_of(entry.patient, provider=entry.provider)
        booked = accept(offer)
        twin.refresh_from_db()
        other.refresh_from_db()
        assert (twin.status, twin.booked, other.status) == (Entry.BOOKED, booked, Entry.WAITING)

    def test_one_with_an_offer_of_its_own_waits_for_its_answer(
        self, offer: WaitlistOffer, entry: WaitlistEntry, provider: Provider
    ) -> None:
        twin = entry_of(entry.patient, provider=entry.provider, visit_type=entry.appointment_type)
        (second,) = offered(opening_of(provider, TEN), twin)
        accept(offer)
        assert statuses([second]) == [Answer.OFFERED]
        assert accept(second).scheduled_start == TEN


class TestDeclining:
    def test_the_entry_keeps_its_place_and_the_opening_is_looked_at(
        self, offer: WaitlistOffer, opening: Opening, entry: WaitlistEntry
    ) -> None:
        Opening.objects.filter(pk=opening.pk).update(next_at=NINE)
        now = timezone.now()
        declined = decline(offer, now=now)
        assert (declined.status, declined.answered_at) == (Answer.DECLINED, now)
        opening.refresh_from_db()
        entry.refresh_from_db()
        assert (opening.state, opening.next_at, entry.status) == ("OPEN", now, Entry.WAITING)

    def test_the_public_does_not_get_in_between(
        self, offer: WaitlistOffer, provider: Provider, visit_type: VisitType
    ) -> None:
        now = timezone.now()
        decline(offer, now=now)
        hold = hold_of(offer.opening_id)
        assert hold is not None
        assert hold.expires_at == now + HANDOVER
        with pytest.raises(SlotTaken):
            kept_by_browser(provider, visit_type, NINE)

    def test_other_offers_of_the_time_stand_as_long_as_they_did(
        self, opening: Opening, entry: WaitlistEntry, others: list[WaitlistEntry]
    ) -> None:
        first, *rest = offered(opening, entry, *others)
        decline(first)
        assert statuses(rest) == [Answer.OFFERED] * 2
        hold = hold_of(opening.pk)
        assert hold is not None
        assert hold.expires_at == rest[0].expires_at + HANDOVER

    def test_declining_twice_is_declining_once(self, offer: WaitlistOffer) -> None:
        assert decline(offer).answered_at == decline(offer).answered_at

    def test_what_was_declined_cannot_be_taken(self, offer: WaitlistOffer) -> None:
        decline(offer)
        with pytest.raises(OfferEnded) as refusal:
            accept(offer)
        assert refusal.value.status == Answer.DECLINED

    def test_what_was_taken_cannot_be_declined(self, offer: WaitlistOffer) -> None:
        accept(offer)
        with pytest.raises(OfferEnded) as refusal:
            decline(offer)
        assert refusal.value.status == Answer.CLAIMED
        assert Appointment.objects.live().exists()

    def test_what_is_gone_stays_gone(
        self, opening: Opening, entry: WaitlistEntry, others: list[WaitlistEntry]
    ) -> None:
        first, late, _ = offered(opening, entry, *others)
        accept(first)
        assert decline(late).status == Answer.GONE

    def test_an_entry_that_leaves_drops_its_offer(
        self, offer: WaitlistOffer, entry: WaitlistEntry
    ) -> None:
        drop(entry, by=BY_LINK, now=timezone.now())
        assert statuses([offer]) == [Answer.DECLINED]


class TestWhoeverIsFreeAgain:
    """Who was thinking about one time is asked about another as soon as they have answered."""

    @pytest.fixture
    def sleeping(self, provider: Provider) -> Opening:
        return opening_of(provider, TEN, next_at=NINE)

    @pytest.mark.parametrize("answer", [decline, claims.unreachable])
    def test_time_that_waits_for_them_is_looked_at(
        self, offer: WaitlistOffer, sleeping: Opening, answer: Any, on_commit: Any
    ) -> None:
        now = timezone.now()
        with on_commit(execute=True):
            answer(offer if answer is decline else offer.pk, now=now)
        sleeping.refresh_from_db()
        assert sleeping.next_at == now

    def test_for_those_too_whose_offer_is_gone_and_not_for_whoever_has_the_visit(
        self,
        opening: Opening,
        others: list[WaitlistEntry],
        provider: Provider,
        sleeping: Opening,
        on_commit: Any,
    ) -> None:
        alone = entry_of(specialty=SpecialtyFactory.create(), clinic=provider.clinic)
        theirs = opening_of(
            ProviderFactory.create(clinic=provider.clinic, specialty=alone.specialty),
            TEN,
            next_at=NINE,
        )
        offers = offered(opening, *others)
        now = timezone.now()
        with on_commit(execute=True):
            accept(offers[0], now=now)
        sleeping.refresh_from_db()
        theirs.refresh_from_db()
        assert (sleeping.next_at, theirs.next_at) == (now, NINE)

    def test_not_time_that_somebody_else_is_thinking_about(
        self, offer: WaitlistOffer, others: list[WaitlistEntry], provider: Provider, on_commit: Any
    ) -> None:
        busy = opening_of(provider, TEN, next_at=NINE)
        offered(busy, others[0])
        with on_commit(execute=True):
            decline(offer)
        busy.refresh_from_db()
        assert busy.next_at == NINE


class TestNoMoreOffers:
    def test_declines_and_pauses(self, offer: WaitlistOffer, entry: WaitlistEntry) -> None:
        stopped = claims.stop(offer=offer, by=BY_LINK, now=timezone.now())
        entry.refresh_from_db()
        assert (stopped.status, entry.status) == (Answer.DECLINED, Entry.PAUSED)

    def test_pauses_although_the_offer_is_over(
        self, offer: WaitlistOffer, entry: WaitlistEntry
    ) -> None:
        WaitlistOffer.objects.update(status=Answer.EXPIRED)
        stopped = claims.stop(offer=offer, by=BY_LINK, now=timezone.now())
        entry.refresh_from_db()
        assert (stopped.status, entry.status) == (Answer.EXPIRED, Entry.PAUSED)

    def test_an_entry_that_has_ended_is_not_brought_back(
        self, offer: WaitlistOffer, entry: WaitlistEntry
    ) -> None:
        WaitlistEntry.objects.update(status=Entry.LEFT)
        claims.stop(offer=offer, by=BY_LINK, now=timezone.now())
        entry.refresh_from_db()
        assert entry.status == Entry.LEFT


class TestNobodyCouldBeTold:
    def test_the_offer_is_gone_and_the_chain_goes_on(
        self, offer: WaitlistOffer, opening: Opening
    ) -> None:
        now = timezone.now()
        claims.unreachable(offer.pk, now=now)
        offer.refresh_from_db()
        opening.refresh_from_db()
        assert (offer.status, offer.answered_at, opening.next_at) == (Answer.GONE, None, now)

    def test_one_that_was_taken_meanwhile_stays_taken(self, offer: WaitlistOffer) -> None:
        accept(offer)
        claims.unreachable(offer.pk, now=timezone.now())
        assert statuses([offer]) == [Answer.CLAIMED]


class TestFinding:
    def test_a_token_opens_its_offer_and_changes_nothing(self, offer: WaitlistOffer) -> None:
        before = list(WaitlistOffer.objects.values())
        assert claims.find(token_of(offer.pk), now=timezone.now()) == offer
        assert list(WaitlistOffer.objects.values()) == before
        assert not Appointment.objects.exists()

    def test_an_offer_that_ended_is_found_too(self, offer: WaitlistOffer) -> None:
        decline(offer)
        assert claims.find(token_of(offer.pk), now=timezone.now()).status == Answer.DECLINED

    def test_a_day_after_the_visit_it_is_not_any_more(self, offer: WaitlistOffer) -> None:
        token = token_of(offer.pk)
        assert claims.find(token, now=offer.visit_end + DAY - MINUTE) == offer
        with pytest.raises(OfferUnknown):
            claims.find(token, now=offer.visit_end + DAY)

    def test_any_other_token_opens_nothing(self, offer: WaitlistOffer) -> None:
        with pytest.raises(OfferUnknown):
            claims.find(token_of(offer.pk)[:-1], now=timezone.now())


class TestTheRecord:
    def rows(self, offer: WaitlistOffer) -> list[Any]:
        rows = AuditEntry.objects.filter(object_pk=str(offer.pk)).order_by("id")
        return [row.changes for row in rows]

    def test_says_who_took_an_offer(self, offer: WaitlistOffer, desk: Actor) -> None:
        accept(offer, by=desk)
        assert self.rows(offer) == [{"status": ["OFFERED", "CLAIMED"]}]
        row = AuditEntry.objects.get(object_pk=str(offer.pk))
        assert row.actor_id == desk.user_id

    def test_says_who_declined_it_once(self, offer: WaitlistOffer) -> None:
        decline(offer)
        decline(offer)
        assert self.rows(offer) == [{"status": ["OFFERED", "DECLINED"]}]


def test_a_claim_that_fails_in_the_end_leaves_everything_as_it_was(
    offer: WaitlistOffer, entry: WaitlistEntry, settings: Any
) -> None:
    settings.BOOKING_HANDLERS = ["tests.scheduling.handlers.fail"]
    with pytest.raises(LookupError):
        accept(offer)
    assert statuses([offer]) == [Answer.OFFERED]
    assert hold_of(offer.opening_id) is not None
    assert Opening.objects.get().state == "OPEN"
    entry.refresh_from_db()
    assert entry.status == Entry.WAITING
    assert not Appointment.objects.exists()
