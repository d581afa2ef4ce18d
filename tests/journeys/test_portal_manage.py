"""A patient looks after a visit: by the link in the mail, or signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from icalendar import Calendar

from patients.models import Patient
from providers.models import Provider, VisitType
from scheduling import booking, links
from scheduling.actors import Actor
from scheduling.forms.portal import slot_value
from scheduling.models import Appointment
from scheduling.transitions import Status
from tests.factories import (
    AppointmentFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    at,
    next_monday,
)

DAY = timedelta(days=1)
MONDAY = next_monday(1)
Commit = Callable[..., AbstractContextManager[list[Callable[[], object]]]]


@pytest.fixture
def visit(provider: Provider, patient: Patient, visit_type: VisitType) -> Appointment:
    """Next week's Monday at 9:00, with a provider who works 8:00 to 17:00."""
    return AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=visit_type, start=at(MONDAY, "09:00")
    )


@pytest.fixture
def own(client: Client, visit: Appointment, now: datetime) -> Client:
    """A browser that has opened the link."""
    client.get(f"/v/{links.issue(visit, now=now)}/")
    return client


@pytest.fixture
def signed_in(client: Client, visit: Appointment) -> Client:
    """A browser in which the patient has signed in."""
    visit.patient.user = User.objects.create(username="p-ada")
    visit.patient.save()
    client.force_login(visit.patient.user)
    return client


def page_of(visit: Appointment, more: str = "") -> str:
    return f"/visit/{visit.pk}/{more}"


def close_to_patients(visit: Appointment) -> None:
    """Put the visit within its clinic's cut-off."""
    visit.clinic.patient_cutoff_hours = 24 * 60
    visit.clinic.save(update_fields=["patient_cutoff_hours"])


def fresh(visit: Appointment) -> Appointment:
    return Appointment.objects.get(pk=visit.pk)


def confirm(client: Client, visit: Appointment) -> Any:
    """Press the button of a page that shows the visit as it is passed in."""
    return client.post(page_of(visit, "confirm/"), {"sequence": visit.sequence})


def text(answer: Any) -> str:
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(words.split())


class TestTheLink:
    def test_leaves_the_address_at_once_and_is_told_to_nobody(
        self, client: Client, visit: Appointment, now: datetime
    ) -> None:
        answer = client.get(f"/v/{links.issue(visit, now=now)}/")

        assert (answer.status_code, answer["Location"]) == (302, page_of(visit))
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_changes_nothing_when_a_mail_scanner_follows_it(
        self, client: Client, visit: Appointment, now: datetime, method: str
    ) -> None:
        token = links.issue(visit, now=now)
        for address in (f"/v/{token}/", page_of(visit), page_of(visit, "cancel/")):
            getattr(client, method)(address)
        getattr(client, method)(page_of(visit, "confirm/"))

        assert (fresh(visit).status, fresh(visit).version) == (Status.SCHEDULED, 0)

    @pytest.mark.parametrize("token", ["x", "x" * 2000, "%E9"])
    def test_that_is_none_is_a_404_with_a_way_out(
        self, client: Client, db: None, token: str
    ) -> None:
        answer = client.get(f"/v/{token}/")

        assert answer.status_code == 404
        assert answer["Referrer-Policy"] == "no-referrer"

    def test_with_a_character_that_no_address_has_is_refused(
        self, client: Client, db: None
    ) -> None:
        assert client.get("/v/%00/").status_code == 400

    def test_shows_the_visit_but_neither_name_nor_reason(
        self, own: Client, visit: Appointment
    ) -> None:
        visit.reason_for_visit = "A rash"
        visit.save(update_fields=["reason_for_visit"])

        words = text(own.get(page_of(visit)))

        for fact in ("9:00 am to 9:30 am", "Dr. Amara Diallo", "Riverside Clinic", visit.reference):
            assert fact in words
        for secret in ("A rash", visit.patient.family_name, str(visit.provider.specialty)):
            assert secret not in words

    def test_opens_no_other_visit(self, own: Client, visit: Appointment) -> None:
        other = AppointmentFactory.create()

        answers = [own.get(page_of(v)) for v in (other,)] + [own.get(f"/visit/{uuid4()}/")]

        assert [a["Location"].split("?")[0] for a in answers] == ["/sign-in/", "/sign-in/"]

    def test_is_shut_out_once_it_has_ended(
        self, own: Client, visit: Appointment, now: datetime
    ) -> None:
        visit.links.update(expires_at=now)

        assert own.get(page_of(visit))["Location"].startswith("/sign-in/")


class TestSignedIn:
    def test_patients_see_name_and_reason_of_their_own_visit(
        self, signed_in: Client, visit: Appointment
    ) -> None:
        visit.reason_for_visit = "A rash"
        visit.save(update_fields=["reason_for_visit"])

        words = text(signed_in.get(page_of(visit)))

        assert "A rash" in words
        assert visit.patient.full_name in words

    def test_another_patients_visit_and_none_are_the_same_404(
        self, signed_in: Client, visit: Appointment
    ) -> None:
        other = AppointmentFactory.create()

        answers = [signed_in.get(a) for a in (page_of(other), f"/visit/{uuid4()}/")]

        assert [a.status_code for a in answers] == [404, 404]

    def test_staff_reach_no_patients_page(self, client: Client, visit: Appointment) -> None:
        client.force_login(MembershipFactory.create(clinic=visit.clinic).user)

        assert client.get(page_of(visit)).status_code == 404
        assert client.post(page_of(visit, "cancel/")).status_code == 404
        assert client.get("/appointments/").status_code == 404

    def test_the_list_shows_visits_to_come_and_earlier_ones(
        self, signed_in: Client, visit: Appointment
    ) -> None:
        past = AppointmentFactory.create(
            provider=visit.provider, patient=visit.patient, start=at(next_monday(-3), "10:00")
        )
        AppointmentFactory.create()

        coming, earlier = text(signed_in.get("/appointments/")).split("Past and cancelled")

        assert "9:00 am" in coming
        assert "10:00 am" in earlier
        assert past.provider.name in earlier

    def test_a_family_sees_whose_visit_is_whose(
        self, signed_in: Client, visit: Appointment
    ) -> None:
        assert "For " not in text(signed_in.get("/appointments/"))
        child = PatientFactory.create(
            clinic=visit.clinic, user=visit.patient.user, name="Ben Moreno"
        )
        AppointmentFactory.create(provider=visit.provider, patient=child, start=at(MONDAY, "11:00"))

        words = text(signed_in.get("/appointments/"))

        assert "For Ben Moreno" in words
        assert f"For {visit.patient.full_name}" in words

    def test_the_list_takes_the_same_number_of_queries_for_any_number_of_visits(
        self, signed_in: Client, visit: Appointment, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(7):
            signed_in.get("/appointments/")
        for clock in ("10:00", "11:00", "12:00"):
            AppointmentFactory.create(
                provider=visit.provider, patient=visit.patient, start=at(MONDAY, clock)
            )
        with django_assert_num_queries(7):
            signed_in.get("/appointments/")


class TestConfirming:
    def test_is_a_post_and_then_says_so(self, own: Client, visit: Appointment) -> None:
        assert "Will you come on" in text(own.get(page_of(visit)))

        answer = confirm(own, visit)

        assert answer["Location"] == page_of(visit)
        assert "Your appointment is confirmed" in text(own.get(page_of(visit)))
        assert fresh(visit).status == Status.CONFIRMED

    def test_twice_is_the_same_as_once(self, own: Client, visit: Appointment) -> None:
        answers = [confirm(own, visit) for _ in range(2)]

        assert [a.status_code for a in answers] == [302, 302]
        assert visit.events.count() == 2

    def test_of_a_cancelled_visit_answers_409_and_shows_that_it_is(
        self, own: Client, visit: Appointment, now: datetime
    ) -> None:
        booking.cancel(appointment=visit, reason="OTHER", by=Actor.system("test"), now=now)

        answer = confirm(own, visit)

        assert answer.status_code == 409
        assert "This appointment is cancelled" in text(answer)

    def test_is_written_down_as_the_patients_own_act(
        self, signed_in: Client, visit: Appointment
    ) -> None:
        confirm(signed_in, visit)

        event = visit.events.last()
        assert (event.by_kind, event.by_user) == ("PATIENT", visit.patient.user)  # type: ignore[union-attr]

    def test_by_an_address_is_refused_on_get(self, own: Client, visit: Appointment) -> None:
        assert own.get(page_of(visit, "confirm/")).status_code == 405

    def test_says_nothing_about_a_time_that_was_not_shown(
        self, own: Client, visit: Appointment, desk: Actor, now: datetime
    ) -> None:
        assert 'name="sequence" value="0"' in own.get(page_of(visit)).content.decode()
        booking.reschedule(appointment=visit, start=at(MONDAY, "11:00"), by=desk, now=now)

        for sent in ({"sequence": 0}, {"sequence": "x"}, {}):
            answer = own.post(page_of(visit, "confirm/"), sent)
            assert answer.status_code == 409
            assert "11:00" in text(answer)
        assert fresh(visit).status == Status.SCHEDULED


class TestCancelling:
    def test_asks_first(self, own: Client, visit: Appointment) -> None:
        words = text(own.get(page_of(visit, "cancel/")))

        assert "Cancel your appointment?" in words
        assert "Keep it" in words
        assert fresh(visit).status == Status.SCHEDULED

    @pytest.mark.parametrize("reason", ["", "PATIENT_BETTER"])
    def test_frees_the_time_at_once(self, own: Client, visit: Appointment, reason: str) -> None:
        own.post(page_of(visit, "cancel/"), {"reason": reason})

        assert fresh(visit).status == Status.CANCELLED
        event = visit.events.last()
        assert event is not None
        assert event.details["reason"] == (reason or "PATIENT_REQUEST")
        assert "This appointment is cancelled" in text(own.get(page_of(visit)))
        AppointmentFactory.create(provider=visit.provider, start=visit.scheduled_start)

    @pytest.mark.parametrize("reason", ["PROVIDER_AWAY", "nonsense", "\x00"])
    def test_takes_no_reason_that_is_not_a_patients(
        self, own: Client, visit: Appointment, reason: str
    ) -> None:
        assert own.post(page_of(visit, "cancel/"), {"reason": reason}).status_code == 422
        assert fresh(visit).status == Status.SCHEDULED

    def test_within_the_cut_off_points_to_the_telephone(
        self, own: Client, visit: Appointment
    ) -> None:
        close_to_patients(visit)

        assert own.get(page_of(visit, "cancel/"))["Location"] == page_of(visit)
        answer = own.post(page_of(visit, "cancel/"))

        assert answer.status_code == 409
        assert "call the clinic: (212) 555-0100" in text(answer)
        assert fresh(visit).status == Status.SCHEDULED


def slot(visit: Appointment, clock: str, provider: Provider | None = None) -> str:
    return slot_value(at(MONDAY, clock), provider or visit.provider)


class TestChanging:
    def test_goes_by_day_and_time_to_a_look_at_old_and_new(
        self, own: Client, visit: Appointment
    ) -> None:
        days = own.get(page_of(visit, "change/")).content.decode()
        # On a Monday the ten days that are shown first end before the Monday after the next.
        assert re.search(r'value="\d{4}-\d\d-\d\d"', days)
        times = own.get(page_of(visit, "change/times/"), {"day": MONDAY.isoformat()})
        assert slot(visit, "10:00") in times.content.decode()
        assert slot(visit, "09:00") not in times.content.decode()

        words = text(own.get(page_of(visit, "change/check/"), {"slot": slot(visit, "10:00")}))

        assert "10:00 am" in words
        assert "9:00 am" in words
        assert fresh(visit).scheduled_start == at(MONDAY, "09:00")

    def test_moves_the_visit_by_a_post(self, own: Client, visit: Appointment) -> None:
        answer = own.post(page_of(visit, "change/check/"), {"slot": slot(visit, "10:00")})

        assert fresh(visit).scheduled_start == at(MONDAY, "10:00")
        words = text(own.get(answer["Location"]))
        assert "Your appointment was moved" in words
        assert "10:00 am" in words

    def test_sent_twice_moves_once(self, own: Client, visit: Appointment) -> None:
        for _ in range(2):
            answer = own.post(page_of(visit, "change/check/"), {"slot": slot(visit, "10:00")})
            assert answer.status_code == 302

        assert fresh(visit).sequence == 1

    def test_a_time_taken_meanwhile_answers_409_and_keeps_the_visit(
        self, own: Client, visit: Appointment
    ) -> None:
        AppointmentFactory.create(provider=visit.provider, start=at(MONDAY, "10:00"))

        answers = [
            own.post(page_of(visit, "change/check/"), {"slot": slot(visit, "10:00")}),
            own.get(page_of(visit, "change/check/"), {"slot": slot(visit, "10:00")}),
        ]

        for answer in answers:
            assert answer.status_code == 409
            assert "You still have" in text(answer)
            assert "9:00 am" in text(answer)
            assert slot(visit, "10:30") in answer.content.decode()
        assert fresh(visit).scheduled_start == at(MONDAY, "09:00")

    def test_a_time_outside_hours_answers_409_and_says_what_the_visit_still_is(
        self, own: Client, visit: Appointment
    ) -> None:
        answer = own.post(page_of(visit, "change/check/"), {"slot": slot(visit, "20:00")})

        assert answer.status_code == 409
        assert re.search(r"You still have .* 9:00 am", text(answer))

    def test_other_providers_of_the_specialty_are_offered_when_asked_for(
        self, own: Client, visit: Appointment
    ) -> None:
        peer = ProviderFactory.create(
            clinic=visit.clinic, specialty=visit.provider.specialty, working=True
        )
        stranger = ProviderFactory.create(clinic=visit.clinic, working=True)
        address, day = page_of(visit, "change/times/"), {"day": MONDAY.isoformat()}
        assert str(peer.pk) not in own.get(address, day).content.decode()

        offered = own.get(address, {**day, "with": "anyone"}).content.decode()

        assert str(peer.pk) in offered
        assert str(stranger.pk) not in offered
        check = page_of(visit, "change/check/")
        assert own.post(check, {"slot": slot(visit, "09:00", stranger)}).status_code == 404
        own.post(check, {"slot": slot(visit, "09:00", peer)})
        assert fresh(visit).provider == peer

    def test_within_the_cut_off_is_not_offered(self, own: Client, visit: Appointment) -> None:
        close_to_patients(visit)

        for more in ("change/", "change/times/", f"change/check/?slot={slot(visit, '10:00')}"):
            assert own.get(page_of(visit, more))["Location"] == page_of(visit)
        answer = own.post(page_of(visit, "change/check/"), {"slot": slot(visit, "15:00")})
        assert answer.status_code == 409
        assert fresh(visit).scheduled_start == at(MONDAY, "09:00")

    def test_without_a_day_or_a_time_asks_again(self, own: Client, visit: Appointment) -> None:
        day = {"day": MONDAY.isoformat()}

        assert own.get(page_of(visit, "change/times/")).status_code == 422
        assert own.get(page_of(visit, "change/check/"), day).status_code == 422

    @pytest.mark.parametrize(
        ("step", "query"),
        [
            ("change/", "from=yesterday"),
            ("change/", "from=%00"),
            ("change/times/", "day=2026-13-45"),
            ("change/times/", "day=" + "9" * 4000),
            ("change/check/", ""),
            ("change/check/", "slot="),
            ("change/check/", "slot=20260609T1930Z.nobody"),
            ("change/check/", "slot=99999999T9999Z.00000000-0000-0000-0000-000000000000"),
        ],
    )
    def test_what_is_no_day_and_no_time_is_a_400(
        self, own: Client, visit: Appointment, step: str, query: str
    ) -> None:
        assert own.get(f"{page_of(visit, step)}?{query}").status_code == 400

    @pytest.mark.parametrize("day", ["0001-01-01", "1999-01-01", "9999-12-31"])
    def test_a_day_out_of_reach_offers_others(
        self, own: Client, visit: Appointment, day: str
    ) -> None:
        assert own.get(page_of(visit, "change/times/"), {"day": day}).status_code == 409
        assert own.get(page_of(visit, "change/"), {"from": day}).status_code == 200


class TestTheCalendarFile:
    def test_is_handed_out_as_a_file(self, own: Client, visit: Appointment) -> None:
        answer = own.get(page_of(visit, "appointment.ics"))

        assert answer["Content-Type"].startswith("text/calendar")
        assert answer["Content-Disposition"] == 'attachment; filename="appointment.ics"'
        (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
        start: Any = event["DTSTART"]
        assert start.dt == visit.scheduled_start

    def test_is_for_the_patient_only(self, client: Client, visit: Appointment) -> None:
        assert client.get(page_of(visit, "appointment.ics")).status_code == 302


class TestALostLink:
    def ask(self, client: Client, reference: str, email: str) -> Any:
        return client.post("/lost-link/", {"reference": reference, "contact": email})

    def test_is_sent_again_to_the_contact_on_file(
        self,
        client: Client,
        visit: Appointment,
        django_capture_on_commit_callbacks: Commit,
    ) -> None:
        typed = f"{visit.reference[:4].lower()}-{visit.reference[4:]}"
        with django_capture_on_commit_callbacks(execute=True):
            self.ask(client, typed, visit.patient.email.upper())

        token = mail.outbox[0].body.split("/v/")[1].split("/")[0]
        assert client.get(f"/v/{token}/")["Location"] == page_of(visit)

    def test_is_answered_alike_for_strangers(
        self,
        client: Client,
        visit: Appointment,
        django_capture_on_commit_callbacks: Commit,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            answers = [
                self.ask(client, visit.reference, visit.patient.email),
                self.ask(client, visit.reference, "nobody@mail.example"),
                self.ask(client, "22222222", visit.patient.email),
            ]

        assert {(a.status_code, a["Location"]) for a in answers} == {(302, "/lost-link/sent/")}
        assert len(mail.outbox) == 1
        assert client.get("/lost-link/sent/").status_code == 200

    @pytest.mark.parametrize("reference", ["", "123", "AEIOU000", "\x00" * 8, "B" * 41])
    def test_needs_a_reference_that_can_be_one(
        self, client: Client, db: None, reference: str
    ) -> None:
        assert self.ask(client, reference, "ada@mail.example").status_code == 422

    def test_is_asked_for_too_often(self, client: Client, db: None) -> None:
        for _ in range(5):
            self.ask(client, "22222222", "ada@mail.example")
        answer = self.ask(client, "22222222", "ada@mail.example")

        assert answer.status_code == 429
        assert b"22222222" in answer.content
