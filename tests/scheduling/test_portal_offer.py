"""A patient opens an offer from a message and answers it; everybody too late reads a kind page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.contact_changes import address_left
from patients.models import Patient
from providers.calendars import bump
from providers.models import Provider, VisitType
from scheduling import booking, links
from scheduling.actors import Actor
from scheduling.holds import place_hold
from scheduling.models import Appointment, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.placing import place
from scheduling.waitlist import claims
from scheduling.waitlist.tokens import digest_of, is_revoked, token_of
from tests.answers import Answer
from tests.factories import AppointmentFactory, PatientFactory, ProviderFactory, at, next_monday
from tests.factories.waitlist import entry_of, offer_of, opening_of

MONDAY, LATER = next_monday(1), next_monday(2)
Status = WaitlistOffer.Status
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visit(provider: Provider, patient: Patient, visit_type: VisitType) -> Appointment:
    """The visit that the patient has, in two weeks at 9:00."""
    return AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=visit_type, start=at(LATER, "09:00")
    )


def offered(entry: WaitlistEntry, provider: Provider, clock: str = "10:00") -> WaitlistOffer:
    """Offer next Monday's time, which is kept for whoever takes it."""
    opening = opening_of(provider, at(MONDAY, clock))
    offer = offer_of(entry, opening)
    WaitlistOffer.objects.filter(pk=offer.pk).update(token_digest=digest_of(offer.pk))
    place_hold(
        place(
            provider=provider,
            clinic=provider.clinic,
            visit_type=entry.appointment_type,
            start=offer.visit_start,
        ),
        purpose=SlotHold.Purpose.OFFER,
        holder=f"opening:{opening.pk}",
        by=Actor.system("test"),
        now=timezone.now(),
    )
    return offer


@pytest.fixture
def offer(visit: Appointment) -> WaitlistOffer:
    """An earlier time, for the visit that the patient has."""
    entry = entry_of(
        visit.patient,
        provider=visit.provider,
        visit_type=visit.appointment_type,
        replaces=visit,
    )
    return offered(entry, visit.provider)


@pytest.fixture
def another(provider: Provider, visit_type: VisitType) -> WaitlistOffer:
    """A time for somebody who has no visit."""
    return offered(entry_of(provider=provider, visit_type=visit_type), provider, "14:00")


@pytest.fixture
def signed_in(client: Client, visit: Appointment) -> Client:
    visit.patient.user = User.objects.create(username="p-ada")
    visit.patient.save()
    client.force_login(visit.patient.user)
    return client


def opened(client: Client, offer: WaitlistOffer) -> Answer:
    """Open the offer's link, and follow it."""
    answer: Answer = client.get(reverse("portal:offer", args=[token_of(offer.pk)]), follow=True)
    return answer


def answered(client: Client, offer: WaitlistOffer, act: str) -> Answer:
    answer: Answer = client.post(reverse(f"portal:offer_{act}", args=[offer.pk]), follow=True)
    return answer


def text(answer: Any) -> str:
    html = re.sub(r"<script.*?</script>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"[\s\xa0]+", " ", html)


def fresh(offer: WaitlistOffer) -> WaitlistOffer:
    return WaitlistOffer.objects.select_related("entry", "appointment").get(pk=offer.pk)


def end(offer: WaitlistOffer) -> None:
    """Let the deadline pass; nobody has swept it up yet."""
    WaitlistOffer.objects.filter(pk=offer.pk).update(expires_at=timezone.now())


class TestTheLink:
    def test_leaves_the_address_and_goes_nowhere_else(
        self, client: Client, offer: WaitlistOffer
    ) -> None:
        answer = client.get(f"/o/{token_of(offer.pk)}/")

        assert answer["Location"] == reverse("portal:offered", args=[offer.pk])
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer["Cache-Control"]

    def test_opened_any_number_of_times_changes_nothing(
        self, client: Client, offer: WaitlistOffer
    ) -> None:
        before = WaitlistOffer.objects.values().get(pk=offer.pk)

        for _time in range(3):
            opened(client, offer)
            client.head(f"/o/{token_of(offer.pk)}/")

        assert WaitlistOffer.objects.values().get(pk=offer.pk) == before
        assert Appointment.objects.get().scheduled_start == at(LATER, "09:00")

    def test_that_nobody_sent_is_a_kind_404(self, client: Client, offer: WaitlistOffer) -> None:
        answer = client.get(f"/o/{'x' * 22}/")

        assert answer.status_code == 404
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "you keep your visits and your place on the waitlist" in text(answer)

    def test_of_long_ago_opens_nothing_any_more(
        self, client: Client, offer: WaitlistOffer, now: datetime
    ) -> None:
        opened(client, offer)
        past = now - timedelta(days=3)
        WaitlistOffer.objects.update(visit_start=past, visit_end=past + timedelta(minutes=30))

        assert client.get(f"/o/{token_of(offer.pk)}/").status_code == 404
        page = client.get(reverse("portal:offered", args=[offer.pk]))
        assert page["Location"].startswith("/sign-in/")

    def test_opens_nothing_once_the_contact_it_went_to_is_off_the_record(
        self, client: Client, offer: WaitlistOffer, another: WaitlistOffer
    ) -> None:
        opened(client, offer)
        with transaction.atomic():
            address_left(offer.entry.patient)

        assert client.get(f"/o/{token_of(offer.pk)}/").status_code == 404
        page = client.get(reverse("portal:offered", args=[offer.pk]))
        assert page["Location"].startswith("/sign-in/")
        assert is_revoked(fresh(offer))
        assert not is_revoked(fresh(another))

    def test_opens_one_offer_and_no_other(
        self, client: Client, offer: WaitlistOffer, another: WaitlistOffer
    ) -> None:
        opened(client, offer)

        for act in ("accept", "keep", "stop"):
            answer = client.post(reverse(f"portal:offer_{act}", args=[another.pk]))
            assert answer["Location"].startswith("/sign-in/")
        assert fresh(another).status == Status.OFFERED
        assert not links.within_reach(client.session, AnonymousUser(), now=timezone.now()).exists()

    def test_needs_a_token_of_the_form_to_be_answered(self, offer: WaitlistOffer) -> None:
        careful = Client(enforce_csrf_checks=True)
        opened(careful, offer)

        assert answered(careful, offer, "accept").status_code == 403
        assert fresh(offer).status == Status.OFFERED

    def test_shows_no_name_to_whoever_holds_it(self, client: Client, offer: WaitlistOffer) -> None:
        assert offer.entry.patient.family_name not in text(opened(client, offer))


class TestTheOffer:
    def test_shows_old_and_new_and_the_deadline_in_words(
        self, client: Client, offer: WaitlistOffer
    ) -> None:
        WaitlistOffer.objects.update(expires_at=at(MONDAY, "08:00"))

        words = text(opened(client, offer))

        assert "An earlier time is free" in words
        assert "The new time" in words
        assert "10:00 am" in words
        assert "The visit you have" in words
        assert "9:00 am" in words
        assert f"until 8:00 am on Monday, {MONDAY:%B} {MONDAY.day}" in words
        assert "You would come 7 days sooner." in words
        assert "Keep my visit" in words
        assert "Until then we keep it for you." in words

    def test_to_somebody_without_a_visit_shows_the_time_alone(
        self, client: Client, another: WaitlistOffer
    ) -> None:
        words = text(opened(client, another))

        assert "A time is free for you" in words
        assert "The visit you have" not in words
        assert "No, thank you" in words

    def test_that_others_got_too_says_so(self, client: Client, offer: WaitlistOffer) -> None:
        offer.opening.policy = "OVERLAPPING"
        offer.opening.save(update_fields=["policy"])

        words = text(opened(client, offer))

        assert "Whoever says yes first has it." in words
        assert "we keep it for you" not in words

    def test_ends_today_in_words(
        self, client: Client, offer: WaitlistOffer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noon = at(MONDAY, "07:00")
        monkeypatch.setattr(timezone, "now", lambda: noon)
        WaitlistOffer.objects.update(expires_at=at(MONDAY, "08:30"))
        assert "until 8:30 am today" in text(opened(client, offer))

        WaitlistOffer.objects.update(expires_at=at(MONDAY + timedelta(days=1), "08:30"))
        assert "until 8:30 am tomorrow" in text(opened(client, offer))

    def test_of_a_cancelled_visit_is_for_one_more(
        self, client: Client, offer: WaitlistOffer, visit: Appointment, now: datetime
    ) -> None:
        booking.cancel(appointment=visit, reason="OTHER", by=Actor.system("test"), now=now)

        assert "The visit you have" not in text(opened(client, offer))

    def test_names_the_patient_to_themselves(self, signed_in: Client, offer: WaitlistOffer) -> None:
        answer = signed_in.get(reverse("portal:offered", args=[offer.pk]))

        assert offer.entry.patient.full_name in text(answer)


class TestTakingIt:
    def test_moves_the_visit_and_says_so(
        self, client: Client, offer: WaitlistOffer, visit: Appointment
    ) -> None:
        opened(client, offer)

        words = text(answered(client, offer, "accept"))

        assert "The time is yours" in words
        assert "Your visit moved to this time." in words
        moved = Appointment.objects.get()
        assert (moved.pk, moved.scheduled_start) == (visit.pk, at(MONDAY, "10:00"))
        assert fresh(offer).status == Status.CLAIMED
        assert fresh(offer).entry.status == "BOOKED"

    def test_books_a_visit_and_opens_it_to_this_browser(
        self, client: Client, another: WaitlistOffer
    ) -> None:
        opened(client, another)

        page = answered(client, another, "accept").content.decode()

        booked = Appointment.objects.get(scheduled_start=at(MONDAY, "14:00"))
        assert booked.booked_via == "WAITLIST"
        calendar = reverse("portal:calendar", args=[booked.pk])
        assert calendar in page
        assert client.get(calendar).status_code == 200

    def test_twice_is_once(self, client: Client, another: WaitlistOffer) -> None:
        opened(client, another)

        answers = [answered(client, another, "accept") for _time in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert all("The time is yours" in text(answer) for answer in answers)
        assert Appointment.objects.filter(scheduled_start=at(MONDAY, "14:00")).count() == 1

    def test_on_a_second_device_shows_the_same(
        self, client: Client, another: WaitlistOffer
    ) -> None:
        opened(client, another)
        answered(client, another, "accept")

        words = text(opened(Client(), another))

        assert "The time is yours" in words
        assert "See all my appointments" in words

    def test_is_written_down_as_the_patients_own_act(
        self, signed_in: Client, offer: WaitlistOffer
    ) -> None:
        answered(signed_in, offer, "accept")

        event = Appointment.objects.get().events.last()
        assert event is not None
        assert (event.by_kind, event.by_user_id) == ("PATIENT", offer.entry.patient.user_id)

    def test_too_late_books_nothing_and_says_what_is_kept(
        self, client: Client, offer: WaitlistOffer
    ) -> None:
        opened(client, offer)
        end(offer)

        words = text(answered(client, offer, "accept"))

        assert "The time to answer is over" in words
        assert re.search(r"You keep Monday, .*9:00 am and your place", words)
        assert Appointment.objects.get().scheduled_start == at(LATER, "09:00")

    def test_while_another_visit_is_at_that_time_offers_a_way_out(
        self, signed_in: Client, offer: WaitlistOffer
    ) -> None:
        other = AppointmentFactory.create(
            provider=ProviderFactory.create(clinic=offer.opening.clinic, working=True),
            patient=offer.entry.patient,
            start=at(MONDAY, "10:00"),
        )

        answer = answered(signed_in, offer, "accept")

        assert answer.status_code == 409
        assert reverse("portal:manage", args=[other.pk]) in answer.content.decode()
        assert fresh(offer).status == Status.OFFERED

    def test_tells_nobody_by_a_link_which_other_visit_it_is(
        self, client: Client, offer: WaitlistOffer
    ) -> None:
        other = AppointmentFactory.create(
            provider=ProviderFactory.create(clinic=offer.opening.clinic, working=True),
            patient=offer.entry.patient,
            start=at(MONDAY, "10:00"),
        )
        opened(client, offer)

        answer = answered(client, offer, "accept")

        assert answer.status_code == 409
        assert "another visit at the same time" in text(answer)
        assert str(other.pk) not in answer.content.decode()
        assert other.provider.name not in text(answer)

    def test_that_is_no_longer_worked_ends_it_kindly(
        self, client: Client, another: WaitlistOffer
    ) -> None:
        opened(client, another)
        with transaction.atomic():
            another.opening.provider.schedules.update(is_active=False)
            bump([another.opening.provider_id])

        answer = answered(client, another, "accept")

        assert answer.status_code == 409
        assert "This time is gone" in text(answer)
        assert fresh(another).status == Status.GONE

    def test_somebody_elses_is_a_404_for_who_is_signed_in(
        self, signed_in: Client, another: WaitlistOffer
    ) -> None:
        assert answered(signed_in, another, "accept").status_code == 404
        assert fresh(another).status == Status.OFFERED


class TestSayingNo:
    def test_keeps_visit_and_place(
        self, client: Client, offer: WaitlistOffer, visit: Appointment
    ) -> None:
        opened(client, offer)

        words = text(answered(client, offer, "keep"))

        assert "You said no to this time" in words
        assert re.search(r"You keep Monday, .*9:00 am and your place on the waitlist", words)
        assert fresh(offer).status == Status.DECLINED
        assert fresh(offer).entry.status == "WAITING"

    def test_to_all_offers_pauses_until_one_wants_them_again(
        self, client: Client, offer: WaitlistOffer
    ) -> None:
        opened(client, offer)

        words = text(answered(client, offer, "stop"))

        assert "You get no more offers" in words
        assert fresh(offer).entry.status == "PAUSED"
        entry = reverse("portal:waitlist_entry", args=[offer.entry_id])
        assert "Offer me times again" in text(client.get(entry))

    def test_twice_is_once(self, client: Client, offer: WaitlistOffer) -> None:
        opened(client, offer)

        for _time in range(2):
            assert "You said no" in text(answered(client, offer, "keep"))

    def test_and_then_yes_is_too_late(self, client: Client, offer: WaitlistOffer) -> None:
        opened(client, offer)
        answered(client, offer, "keep")

        assert "You said no to this time" in text(answered(client, offer, "accept"))
        assert Appointment.objects.get().scheduled_start == at(LATER, "09:00")

    def test_after_taking_it_shows_that_it_was_taken(
        self, client: Client, offer: WaitlistOffer
    ) -> None:
        opened(client, offer)
        answered(client, offer, "accept")

        for act in ("keep", "stop"):
            assert "The time is yours" in text(answered(client, offer, act))
        assert fresh(offer).entry.status == "BOOKED"


class TestAnOfferThatSomebodyElseTook:
    def test_says_so_and_what_is_kept(
        self, client: Client, offer: WaitlistOffer, visit_type: VisitType
    ) -> None:
        rival = offer_of(
            entry_of(
                PatientFactory.create(clinic=offer.opening.clinic),
                provider=offer.opening.provider,
                visit_type=visit_type,
            ),
            offer.opening,
        )
        claims.accept(offer=rival, by=Actor.patient(), now=timezone.now())

        words = text(opened(client, offer))

        assert "This time is gone" in words
        assert re.search(r"Someone took it\. You keep Monday, .*9:00 am and your place\.", words)

    def test_to_who_has_no_visit_speaks_of_the_place_alone(
        self, client: Client, another: WaitlistOffer
    ) -> None:
        WaitlistOffer.objects.filter(pk=another.pk).update(status=Status.GONE)

        words = text(opened(client, another))

        assert "Someone took it. You keep your place on the waitlist." in words
        assert "Look for a free time" in words
