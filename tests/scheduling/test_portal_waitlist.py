"""Patients join the waitlist, keep their place on it and leave: by link, signed in, or new."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling import links
from scheduling.actors import Actor
from scheduling.models import Appointment, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import entries
from scheduling.waitlist.tokens import digest_of, token_of
from tests.answers import Answer
from tests.factories import (
    AppointmentFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    VisitTypeFactory,
    at,
    next_monday,
)
from tests.factories.waitlist import entry_of, offer_of, opening_of
from tests.journeys.portal_booking import DETAILS, code_in_mail
from tests.page_forms import forms_in

LATER = next_monday(2)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = UUID(int=1)


@pytest.fixture
def visit(provider: Provider, patient: Patient, visit_type: VisitType) -> Appointment:
    """In two weeks at 9:00."""
    return AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=visit_type, start=at(LATER, "09:00")
    )


@pytest.fixture
def by_link(client: Client, visit: Appointment, now: datetime) -> Client:
    client.get(f"/v/{links.issue(visit, now=now)}/")
    return client


@pytest.fixture
def signed_in(client: Client, patient: Patient) -> Client:
    patient.user = User.objects.create(username="p-ada")
    patient.save()
    client.force_login(patient.user)
    return client


@pytest.fixture
def entry(patient: Patient, provider: Provider, visit_type: VisitType) -> WaitlistEntry:
    return entry_of(patient, provider=provider, visit_type=visit_type)


def text(answer: Any) -> str:
    html = re.sub(r"<script.*?</script>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"[\s\xa0]+", " ", html)


def page_of(entry: WaitlistEntry, more: str = "") -> str:
    return f"/waitlist/{entry.pk}/{more}"


def wishes(provider: Provider, **changes: Any) -> dict[str, Any]:
    """What somebody fills in who takes anything."""
    told = {
        "whom": f"provider:{provider.pk}",
        "earliest": timezone.localdate().isoformat(),
        "latest": "",
        "part": "any",
        "notice": "120",
    }
    return {**told, **changes}


def fresh(entry: WaitlistEntry) -> WaitlistEntry:
    return WaitlistEntry.objects.get(pk=entry.pk)


def answered(client: Client, address: str, data: dict[str, Any] | None = None) -> Answer:
    answer: Answer = client.post(address, data or {})
    return answer


class TestAnEarlierTimeForAVisit:
    def address(self, visit: Appointment, more: str = "") -> str:
        return f"/visit/{visit.pk}/earlier/{more}"

    def wait(self, client: Client, visit: Appointment, **changes: Any) -> Answer:
        """Answer the questions, look at what is free, and join all the same."""
        told = wishes(visit.provider, replaces=str(visit.pk), **changes)
        check = answered(client, self.address(visit), told)
        assert check.status_code == 302, check.content.decode()
        return answered(client, check["Location"])

    def test_is_offered_on_the_visits_page(self, by_link: Client, visit: Appointment) -> None:
        page = by_link.get(reverse("portal:manage", args=[visit.pk])).content.decode()

        assert self.address(visit) in page

    def test_is_asked_for_with_what_is_known_filled_in(
        self, by_link: Client, visit: Appointment
    ) -> None:
        page = by_link.get(self.address(visit)).content.decode()

        assert "You keep" in page
        assert re.search(rf'value="provider:{visit.provider_id}"[^>]* checked', page)
        assert re.search(rf'value="{visit.pk}"[^>]* checked', page)

    def test_that_is_free_already_is_shown_first_and_leads_to_the_move(
        self, by_link: Client, visit: Appointment
    ) -> None:
        told = wishes(visit.provider, replaces=str(visit.pk))
        check = answered(by_link, self.address(visit), told)

        page = by_link.get(check["Location"])

        assert "These times are free now" in text(page)
        (move, *_more) = re.findall(r'href="(/visit/[^"]+/change/check/[^"]+)"', str(page.content))
        shown = by_link.get(move)
        assert shown.status_code == 200
        assert "Move your appointment?" in text(shown)
        assert not WaitlistEntry.objects.exists()

    def test_is_waited_for_with_everything_that_was_chosen(
        self, by_link: Client, visit: Appointment
    ) -> None:
        until = LATER - DAY

        answer = self.wait(
            by_link,
            visit,
            latest=until.isoformat(),
            days=["0", "3"],
            part="morning",
            notice="1440",
        )

        entry = WaitlistEntry.objects.get()
        assert answer["Location"] == page_of(entry)
        assert (entry.patient_id, entry.replaces_id) == (visit.patient_id, visit.pk)
        assert (entry.provider_id, entry.appointment_type_id) == (
            visit.provider_id,
            visit.appointment_type_id,
        )
        assert (entry.after_time, entry.before_time) == (None, time(12))
        assert (entry.weekdays, entry.latest_date) == ([0, 3], until)
        assert entry.minimum_notice_minutes == 1440
        assert (entry.source, entry.urgency) == ("PORTAL", "ROUTINE")
        page = text(by_link.get(answer["Location"]))
        assert "You are on the waitlist." in page
        assert "Mondays and Thursdays, mornings" in page

    def test_with_anybody_of_the_specialty(self, by_link: Client, visit: Appointment) -> None:
        specialty = visit.provider.specialty
        assert specialty is not None

        self.wait(by_link, visit, whom=f"care:{specialty.pk}")

        entry = WaitlistEntry.objects.get()
        assert (entry.provider, entry.specialty) == (None, specialty)

    def test_may_be_one_more_visit(self, by_link: Client, visit: Appointment) -> None:
        told = wishes(visit.provider, replaces="none")
        check = answered(by_link, self.address(visit), told)
        answered(by_link, check["Location"])

        assert WaitlistEntry.objects.get().replaces is None

    def test_asked_for_twice_keeps_one_place_and_says_so(
        self, by_link: Client, visit: Appointment
    ) -> None:
        self.wait(by_link, visit)
        first = WaitlistEntry.objects.get()

        answer = self.wait(by_link, visit, part="evening")

        assert "You were on the waitlist for this already." in text(by_link.get(answer["Location"]))
        kept = WaitlistEntry.objects.get()
        assert (kept.pk, kept.created_at) == (first.pk, first.created_at)
        assert kept.after_time == time(17)

    def test_is_named_on_the_visits_page_from_then_on(
        self, by_link: Client, visit: Appointment
    ) -> None:
        self.wait(by_link, visit)

        page = by_link.get(reverse("portal:manage", args=[visit.pk])).content.decode()

        assert page_of(WaitlistEntry.objects.get()) in page
        assert self.address(visit) not in page

    def test_is_not_for_strangers(self, client: Client, visit: Appointment) -> None:
        for more in ("", "check/"):
            assert client.get(self.address(visit, more))["Location"].startswith("/sign-in/")
            assert answered(client, self.address(visit, more))["Location"].startswith("/sign-in/")
        assert not WaitlistEntry.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("whom", "", "Choose with whom."),
            ("whom", f"provider:{NOBODY}", "Choose with whom."),
            ("earliest", "", "Choose the first day that would do."),
            ("earliest", "tomorrow", "Choose a day, for example"),
            ("latest", "2001-01-01", "This day is before the first one."),
            ("latest", "2099-01-01", "Choose a day within a year."),
            ("part", "night", "Choose a time of day."),
            ("notice", "1", "Choose how long before you need to know."),
            ("days", "9", "Choose days of the week."),
            ("replaces", str(NOBODY), "Choose what becomes of your visit."),
        ],
    )
    def test_wants_an_answer_that_can_be_one(
        self, by_link: Client, visit: Appointment, field: str, value: str, words: str
    ) -> None:
        told = wishes(visit.provider, replaces=str(visit.pk)) | {field: value}

        answer = answered(by_link, self.address(visit), told)

        assert answer.status_code == 422
        assert words in text(answer)

    def test_that_was_tampered_with_in_the_address_asks_again(
        self, by_link: Client, visit: Appointment
    ) -> None:
        answer = answered(by_link, f"{self.address(visit, 'check/')}?whom=provider:nobody")

        assert answer["Location"].startswith(self.address(visit))
        assert not WaitlistEntry.objects.exists()


class TestNothingFound:
    def params(self, **changes: str) -> str:
        told = {"who": "me", "first": "no", "type": "FOLLOW_UP", **changes}
        return "&".join(f"{name}={value}" for name, value in told.items())

    def test_leads_from_the_days_to_the_waitlist(
        self, client: Client, provider: Provider, visit_type: VisitType
    ) -> None:
        days = f"/book/{provider.clinic.slug}/days/?{self.params()}"
        assert "None of these: join the waitlist" in text(client.get(days))

        answer = answered(client, days, {"day": "none"})

        assert answer["Location"].startswith(f"/waitlist/join/{provider.clinic.slug}/?who=me")
        assert client.get(answer["Location"]).status_code == 200

    def test_leads_there_too_when_there_are_no_days(
        self, client: Client, provider: Provider, visit_type: VisitType
    ) -> None:
        nothing = f"/book/{provider.clinic.slug}/days/?{self.params(language='zh')}"

        page = client.get(nothing).content.decode()

        assert f"/waitlist/join/{provider.clinic.slug}/?" in page

    def test_asks_first_who_and_what_for(
        self, client: Client, provider: Provider, visit_type: VisitType
    ) -> None:
        slug = provider.clinic.slug
        for page in ("", "check/", "details/", "code/"):
            answer = client.get(f"/waitlist/join/{slug}/{page}", follow=True)
            assert "Who is it for?" in text(answer), page

    def test_takes_over_what_the_search_has_told(
        self, client: Client, provider: Provider, visit_type: VisitType
    ) -> None:
        told = self.params(provider=str(provider.pk), time="morning")

        page = client.get(f"/waitlist/join/{provider.clinic.slug}/?{told}").content.decode()

        assert re.search(rf'value="provider:{provider.pk}"[^>]* checked', page)
        assert re.search(r'value="morning"[^>]* checked', page)

    def test_chooses_no_kind_of_care_for_anybody(
        self, client: Client, provider: Provider, visit_type: VisitType
    ) -> None:
        join = f"/waitlist/join/{provider.clinic.slug}/?{self.params()}"
        whom = re.compile(r'name="whom"[^>]* checked')
        assert whom.search(client.get(join).content.decode())
        for _number in range(5):
            ProviderFactory.create(clinic=provider.clinic, working=True)

        page = client.get(join).content.decode()

        assert '<option value="" selected>Choose with whom.</option>' in page
        assert answered(client, join, wishes(provider, whom="")).status_code == 422

    def test_joins_as_a_record_of_ones_own(
        self, signed_in: Client, patient: Patient, provider: Provider, visit_type: VisitType
    ) -> None:
        join = f"/waitlist/join/{provider.clinic.slug}/?{self.params(who=str(patient.pk))}"

        check = answered(signed_in, join, wishes(provider))
        answer = answered(signed_in, check["Location"])

        entry = WaitlistEntry.objects.get()
        assert entry.patient == patient
        assert answer["Location"] == page_of(entry)

    def test_asks_what_becomes_of_a_visit_that_one_has(
        self, signed_in: Client, visit: Appointment
    ) -> None:
        slug, who = visit.clinic.slug, str(visit.patient_id)

        page = signed_in.get(f"/waitlist/join/{slug}/?{self.params(who=who)}")

        assert "What about the visit that you have?" in text(page)
        assert str(visit.pk) in page.content.decode()

    def test_joins_nobody_as_somebody_elses_record(
        self, client: Client, patient: Patient, provider: Provider, visit_type: VisitType
    ) -> None:
        query = self.params(who=str(patient.pk))
        for page in ("", "check/"):
            address = f"/waitlist/join/{provider.clinic.slug}/{page}?{query}"
            assert client.get(address).status_code == 404
            assert answered(client, address, wishes(provider)).status_code == 404

    def test_a_free_time_can_be_kept_at_once(
        self, client: Client, provider: Provider, visit_type: VisitType
    ) -> None:
        join = f"/waitlist/join/{provider.clinic.slug}/?{self.params(time='evening')}"
        check = answered(client, join, wishes(provider, part="afternoon"))
        page = client.get(check["Location"])
        assert "These times are free now" in text(page)
        html = page.content.decode()
        post_to = re.findall(r'action="(/book/[^"]+)"', html)[0].replace("&amp;", "&")
        slot = re.findall(r'name="slot" value="([^"]+)"', html)[0]

        answer = answered(client, post_to, {"slot": slot})

        assert answer["Location"].startswith("/held/")
        assert SlotHold.objects.get().provider == provider


class TestSomebodyNew:
    @pytest.fixture
    def check(self, client: Client, provider: Provider, visit_type: VisitType) -> str:
        """The address with all that they chose."""
        who = "who=me&first=no&type=FOLLOW_UP"
        told = answered(client, f"/waitlist/join/{provider.clinic.slug}/?{who}", wishes(provider))
        return str(told["Location"])

    def test_joins_by_a_code_from_their_mail(
        self, client: Client, check: str, django_capture_on_commit_callbacks: Any
    ) -> None:
        details = answered(client, check)["Location"]
        code = answered(client, details, DETAILS)["Location"]
        assert not Patient.objects.exists()

        answer = answered(client, code, {"code": code_in_mail()})

        entry = WaitlistEntry.objects.get()
        assert answer["Location"] == page_of(entry)
        assert entry.patient.full_name == "Rosa Delgado"
        assert entry.patient.is_provisional
        assert "You are on the waitlist." in text(client.get(answer["Location"]))
        assert client.get("/waitlist/").status_code == 200

    def test_types_the_code_twice_and_waits_once(self, client: Client, check: str) -> None:
        details = answered(client, check)["Location"]
        code = answered(client, details, DETAILS)["Location"]
        other = Client()
        other.cookies = client.cookies
        typed = {"code": code_in_mail()}

        answers = [answered(client, code, typed) for _time in range(2)]

        assert answers[0]["Location"] == page_of(WaitlistEntry.objects.get())
        assert answers[1].status_code == 302
        assert Patient.objects.count() == 1

    def test_is_not_let_in_by_a_wrong_code(self, client: Client, check: str) -> None:
        details = answered(client, check)["Location"]
        code = answered(client, details, DETAILS)["Location"]

        answer = answered(client, code, {"code": "0000 0000"})

        assert answer.status_code == 422
        assert "This is not the code" in text(answer)
        assert not WaitlistEntry.objects.exists()
        assert not Patient.objects.exists()

    def test_cannot_skip_the_code(self, client: Client, check: str) -> None:
        details = answered(client, check)["Location"]
        code = details.replace("/details/", "/code/")

        assert "/details/" in answered(client, code, {"code": "0000 0000"})["Location"]

    def test_may_have_a_new_code(self, client: Client, check: str) -> None:
        details = answered(client, check)["Location"]
        code = answered(client, details, DETAILS)["Location"]
        sent = len(mail.outbox)

        assert answered(client, code, {"again": "yes"})["Location"] == code
        assert len(mail.outbox) == sent + 1
        assert answered(client, code, {"code": code_in_mail()})["Location"].startswith("/waitlist/")

    def test_reads_again_what_was_typed(self, client: Client, check: str) -> None:
        details = answered(client, check)["Location"]

        answer = answered(client, details, {**DETAILS, "email": "not an address"})

        assert answer.status_code == 422
        page = client.get(details).content.decode()
        assert 'value="not an address"' in page
        assert 'value="Delgado"' in page

    def test_leaves_nothing_readable_in_the_session(self, client: Client, check: str) -> None:
        details = answered(client, check)["Location"]
        answered(client, details, DETAILS)

        kept = str(dict(client.session))

        assert "waitlist_draft" in kept
        for value in ("Rosa", "Delgado", "rosa@mail.example", "555"):
            assert value.lower() not in kept.lower()

    def test_asks_too_often(self, client: Client, check: str) -> None:
        details = answered(client, check)["Location"]
        for _time in range(5):
            assert answered(client, details, DETAILS).status_code == 302

        answer = answered(client, details, DETAILS)

        assert answer.status_code == 429
        assert 'value="Delgado"' in answer.content.decode()


class TestThePlaceInLine:
    def test_is_shown_to_its_patient_in_words(
        self, signed_in: Client, entry: WaitlistEntry
    ) -> None:
        words = text(signed_in.get(page_of(entry)))

        assert entry.patient.full_name in words
        assert "Any day, any time, from" in words
        assert entry.provider is not None
        assert entry.provider.name in words

    def test_of_another_and_none_are_the_same_404(
        self, signed_in: Client, provider: Provider, visit_type: VisitType
    ) -> None:
        other = entry_of(provider=provider, visit_type=visit_type)

        for address in (page_of(other), f"/waitlist/{uuid4()}/"):
            assert signed_in.get(address).status_code == 404
            assert answered(signed_in, f"{address}leave/").status_code == 404
        assert fresh(other).status == "WAITING"

    def test_is_not_shown_to_staff_here(self, client: Client, entry: WaitlistEntry) -> None:
        client.force_login(MembershipFactory.create(clinic=entry.clinic).user)

        assert client.get(page_of(entry)).status_code == 404

    def test_opens_by_the_link_of_the_visit_that_it_replaces_and_no_other(
        self, by_link: Client, visit: Appointment, entry: WaitlistEntry
    ) -> None:
        assert by_link.get(page_of(entry))["Location"].startswith("/sign-in/")
        WaitlistEntry.objects.filter(pk=entry.pk).update(replaces=visit)

        page = by_link.get(page_of(entry))

        assert page.status_code == 200
        assert visit.patient.full_name not in text(page)

    def test_shows_an_offer_on_top_with_its_deadline(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider
    ) -> None:
        offer = offer_of(entry, opening_of(provider, at(LATER, "11:00")))

        for address in (page_of(entry), "/waitlist/"):
            page = signed_in.get(address)
            assert reverse("portal:offered", args=[offer.pk]) in page.content.decode()
            assert "You can take it until" in text(page)

    def test_that_is_over_offers_nothing_any_more(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider
    ) -> None:
        offer = offer_of(entry, opening_of(provider, at(LATER, "11:00")))
        WaitlistOffer.objects.update(expires_at=timezone.now())

        page = signed_in.get(page_of(entry)).content.decode()

        assert str(offer.pk) not in page

    def test_changes_and_stays_where_it_is(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider
    ) -> None:
        answer = answered(
            signed_in, page_of(entry, "change/"), wishes(provider, part="evening", notice="2880")
        )

        assert answer["Location"] == page_of(entry)
        assert "You keep your place in the line." in text(signed_in.get(page_of(entry)))
        changed = fresh(entry)
        assert (changed.after_time, changed.minimum_notice_minutes) == (time(17), 2880)
        assert changed.created_at == entry.created_at

    def test_keeps_what_the_clinic_noted_while_it_is_not_changed(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider
    ) -> None:
        """Hours, notice and urgency that the form itself does not offer."""
        noted = {
            "after_time": time(10),
            "before_time": time(15),
            "minimum_notice_minutes": 30,
            "urgency": "URGENT",
            "earliest_desired_date": date(2024, 1, 2),
        }
        WaitlistEntry.objects.filter(pk=entry.pk).update(**noted)
        page = signed_in.get(page_of(entry, "change/"))
        assert "Between 10:00 am and 3:00 pm" in text(page)

        told = wishes(provider, part="kept", notice="30", earliest="2024-01-02")
        answer = answered(signed_in, page_of(entry, "change/"), told)

        assert answer.status_code == 302
        assert WaitlistEntry.objects.values(*noted).get() == noted

    def test_changed_by_the_link_of_an_offer_still_replaces_its_visit(
        self, client: Client, visit: Appointment
    ) -> None:
        entry = entry_of(
            visit.patient,
            provider=visit.provider,
            visit_type=visit.appointment_type,
            replaces=visit,
        )
        offer = offer_of(entry, opening_of(visit.provider, at(LATER - 7 * DAY, "11:00")))
        WaitlistOffer.objects.filter(pk=offer.pk).update(token_digest=digest_of(offer.pk))
        client.get(reverse("portal:offer", args=[token_of(offer.pk)]))
        html = client.get(page_of(entry, "change/")).content.decode()
        form = next(form for form in forms_in(html) if "whom" in form.fields)

        answered(client, page_of(entry, "change/"), {**form.data(), "days": []})

        assert fresh(entry).replaces == visit

    def test_that_would_be_another_one_over_again_is_refused(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider
    ) -> None:
        other = entry_of(
            entry.patient,
            clinic=entry.clinic,
            specialty=provider.specialty,
            visit_type=entry.appointment_type,
        )
        told = wishes(provider)

        answer = answered(signed_in, page_of(other, "change/"), told)

        assert answer.status_code == 409
        assert "Another entry on the waitlist is for the same visit already." in text(answer)

    def test_rests_and_comes_back(self, signed_in: Client, entry: WaitlistEntry) -> None:
        answered(signed_in, page_of(entry, "pause/"))
        assert fresh(entry).status == "PAUSED"
        assert "You keep your place." in text(signed_in.get(page_of(entry)))

        answered(signed_in, page_of(entry, "resume/"))

        assert fresh(entry).status == "WAITING"
        assert fresh(entry).created_at == entry.created_at

    def test_that_rests_lets_go_of_its_offer(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider
    ) -> None:
        offer = offer_of(entry, opening_of(provider, at(LATER, "11:00")))

        answered(signed_in, page_of(entry, "pause/"))

        assert WaitlistOffer.objects.get(pk=offer.pk).status == "DECLINED"

    def test_is_left_only_after_being_asked(self, signed_in: Client, entry: WaitlistEntry) -> None:
        assert "Leave the waitlist?" in text(signed_in.get(page_of(entry, "leave/")))
        assert fresh(entry).status == "WAITING"

        for _time in range(2):
            answer = answered(signed_in, page_of(entry, "leave/"))
            assert answer["Location"] == page_of(entry)

        assert fresh(entry).status == "LEFT"
        assert "You left the waitlist." in text(signed_in.get(page_of(entry)))

    def test_that_has_ended_cannot_be_changed(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider
    ) -> None:
        entries.leave(entry, by=Actor.patient(), now=timezone.now())

        for act in ("pause/", "resume/"):
            answer = answered(signed_in, page_of(entry, act))
            assert answer.status_code == 409
            assert "This place on the waitlist has ended." in text(answer)
        for more in ("change/", "leave/"):
            assert signed_in.get(page_of(entry, more))["Location"] == page_of(entry)
        assert answered(signed_in, page_of(entry, "change/"), wishes(provider)).status_code == 302
        assert fresh(entry).status == "LEFT"

    @pytest.mark.parametrize("act", ["pause", "resume"])
    def test_is_not_changed_by_an_address(
        self, signed_in: Client, entry: WaitlistEntry, act: str
    ) -> None:
        assert signed_in.get(page_of(entry, f"{act}/")).status_code == 405


class TestMyWaitlist:
    def test_is_linked_from_the_appointments(self, signed_in: Client) -> None:
        assert 'href="/waitlist/"' in signed_in.get("/appointments/").content.decode()

    def test_says_when_it_is_empty(self, signed_in: Client) -> None:
        assert "You are not on the waitlist." in text(signed_in.get("/waitlist/"))

    def test_asks_strangers_to_sign_in(self, client: Client, entry: WaitlistEntry) -> None:
        answer = client.get("/waitlist/")

        assert parse_qs(urlsplit(answer["Location"]).query)["next"] == ["/waitlist/"]

    def test_shows_ones_own_and_nobody_elses(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider
    ) -> None:
        ended = entry_of(
            entry.patient,
            provider=ProviderFactory.create(clinic=entry.clinic, working=True),
            status="EXPIRED",
            ended_at=timezone.now(),
        )
        foreign = entry_of(provider=provider)

        page = signed_in.get("/waitlist/").content.decode()

        before, after = page.split("What you waited for before")
        assert page_of(entry) in before
        assert page_of(ended) in after
        assert page_of(foreign) not in page

    def test_tells_a_family_apart(
        self, signed_in: Client, entry: WaitlistEntry, provider: Provider, clinic: Clinic
    ) -> None:
        child = PatientFactory.create(clinic=clinic, user=entry.patient.user, name="Ben Moreno")
        entry_of(child, provider=provider, visit_type=VisitTypeFactory.create())

        words = text(signed_in.get("/waitlist/"))

        assert "For Ben Moreno" in words
        assert f"For {entry.patient.full_name}" in words
