"""From the start page to the green panel, and what may go wrong on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from patients.registration import ACCOUNT_PREFIX
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, SlotHold
from tests.factories import ClinicFactory, PatientFactory, UserFactory
from tests.journeys.portal_booking import (
    DETAILS,
    address,
    choices_in,
    code_in_mail,
    end,
    finish,
    first_day,
    held,
    keep,
    offered,
    values,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _open(provider: Provider, visit_type: VisitType) -> None:
    """Riverside Clinic with one provider and one visit, and nobody who asked too often."""
    cache.clear()


def take(hold: SlotHold, patient: Patient) -> Appointment:
    """Have the desk book a held time for somebody else, once the hold has ended."""
    return booking.book(
        patient=patient,
        provider=hold.provider,
        clinic=hold.clinic,
        visit_type=hold.visit_type,
        start=hold.visit_start,
        by=Actor.staff(UserFactory.create().pk),
        now=timezone.now(),
    )


def test_a_stranger_books_from_the_start_page_to_the_green_panel(
    client: Client, clinic: Clinic
) -> None:
    assert b"Start now" in client.get("/").content
    who = reverse("portal:who", args=[clinic.slug])
    response = client.post(who, {"who": "me", "first": "no"})
    response = client.post(response["Location"], {"type": "FOLLOW_UP"})
    assert choices_in(response["Location"]) == {"who": "me", "first": "no", "type": "FOLLOW_UP"}
    days = values(client.get(response["Location"]), "day")
    response = client.post(response["Location"], {"day": days[0]})
    slot = values(client.get(response["Location"]), "slot")[0]
    response = client.post(response["Location"], {"slot": slot})
    details = response["Location"]
    assert b"We are keeping" in client.get(details).content
    response = client.post(details, DETAILS)
    check = client.get(response["Location"])
    for told in ("Rosa Delgado", "April 7, 1961", "rosa@mail.example", "(212) 555-0147"):
        assert told in check.content.decode()
    response = client.post(response["Location"])
    response = client.post(response["Location"], {"code": code_in_mail()})
    panel = client.get(response["Location"])
    visit = Appointment.objects.get()
    assert panel.status_code == 200
    assert visit.reference in panel.content.decode()
    assert (visit.patient.email, visit.patient.phone) == ("rosa@mail.example", "+12125550147")
    assert (visit.patient.is_provisional, visit.reason_for_visit) == (True, "A cough that stays")
    assert not SlotHold.objects.exists()
    assert visit.reference in str(mail.outbox[-1].body)
    assert client.get(reverse("portal:calendar", args=[visit.pk])).status_code == 200


def test_somebody_elses_contact_is_the_bookers_own(client: Client) -> None:
    hold = held(client, who="other")
    page = client.get(reverse("portal:details", args=[hold.pk])).content.decode()
    assert "The patient’s details" in page
    assert "Your e-mail" in page
    assert "bday-year" not in page


def test_a_signed_in_patient_books_for_the_own_record_without_a_code(
    client: Client, clinic: Clinic
) -> None:
    account = UserFactory.create(username=f"{ACCOUNT_PREFIX}1", email="")
    record = PatientFactory.create(clinic=clinic, user=account)
    client.force_login(account)
    who = reverse("portal:who", args=[clinic.slug])
    assert record.full_name in client.get(who).content.decode()
    hold = held(client, who=str(record.pk))
    details = client.get(reverse("portal:details", args=[hold.pk])).content.decode()
    assert 'name="given_name"' not in details
    client.post(reverse("portal:details", args=[hold.pk]), {"reason": "My knee"})
    response = client.post(reverse("portal:check", args=[hold.pk]))
    assert response["Location"] == reverse("portal:booked", args=[hold.pk])
    visit = Appointment.objects.get()
    assert (visit.patient, visit.reason_for_visit) == (record, "My knee")
    assert [message.to for message in mail.outbox] == [[record.email]]


def test_another_patients_record_is_not_found(client: Client, clinic: Clinic) -> None:
    stranger = PatientFactory.create(clinic=clinic, user=UserFactory.create())
    account = UserFactory.create()
    PatientFactory.create(clinic=clinic, user=account)
    client.force_login(account)
    slot = offered(client, first_day(client))[0]
    response = client.post(address("times", who=str(stranger.pk)), {"slot": slot})
    assert response.status_code == 404
    assert not SlotHold.objects.exists()


def test_a_held_page_is_its_own_browsers_only(client: Client) -> None:
    hold = held(client)
    stranger = Client()
    for name in ("details", "check", "code", "booked"):
        assert stranger.get(reverse(f"portal:{name}", args=[hold.pk])).status_code == 404
    assert stranger.post(reverse("portal:extend", args=[hold.pk])).status_code == 404
    hold.refresh_from_db()
    assert hold.extensions == 0


def test_the_panel_is_its_own_browsers_only(client: Client) -> None:
    hold = held(client)
    panel = finish(client, hold)["Location"]
    assert client.get(panel).status_code == 200
    assert Client().get(panel).status_code == 404


def test_the_code_of_another_address_books_nothing(client: Client) -> None:
    hold = held(client)
    client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    client.post(reverse("portal:check", args=[hold.pk]))
    code = code_in_mail()
    client.post(
        reverse("portal:details", args=[hold.pk]), {**DETAILS, "email": "other@mail.example"}
    )
    response = client.post(reverse("portal:code", args=[hold.pk]), {"code": code})
    assert response.status_code == 422
    assert not Appointment.objects.exists()
    assert not Patient.objects.exists()


def test_a_wrong_code_can_be_typed_again(client: Client) -> None:
    hold = held(client)
    client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    client.post(reverse("portal:check", args=[hold.pk]))
    code = code_in_mail()
    wrong = "0000 0000" if code != "0000 0000" else "1111 1111"
    address_of_code = reverse("portal:code", args=[hold.pk])
    response = client.post(address_of_code, {"code": wrong})
    assert response.status_code == 422
    assert b"There is a problem" in response.content
    assert client.post(address_of_code, {"code": code}).status_code == 302
    assert Appointment.objects.count() == 1


def test_five_wrong_codes_burn_the_code(client: Client) -> None:
    hold = held(client)
    client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    client.post(reverse("portal:check", args=[hold.pk]))
    code = code_in_mail()
    wrong = "00000000" if code != "0000 0000" else "11111111"
    for _try in range(5):
        client.post(reverse("portal:code", args=[hold.pk]), {"code": wrong})
    assert client.post(reverse("portal:code", args=[hold.pk]), {"code": code}).status_code == 422
    assert not Appointment.objects.exists()


def test_sending_the_last_form_twice_books_once_and_answers_the_same(client: Client) -> None:
    hold = held(client)
    first = finish(client, hold)
    second = client.post(reverse("portal:code", args=[hold.pk]), {"code": code_in_mail()})
    assert second["Location"] == first["Location"]
    assert Appointment.objects.count() == Patient.objects.count() == 1
    assert len(mail.outbox) == 2  # the code, and what was booked


def test_the_back_button_after_booking_leads_to_the_panel(client: Client) -> None:
    hold = held(client)
    panel = finish(client, hold)["Location"]
    for name in ("details", "check", "code"):
        assert client.get(reverse(f"portal:{name}", args=[hold.pk]))["Location"] == panel


def test_more_time_keeps_what_was_typed_so_far(client: Client) -> None:
    hold = held(client)
    response = client.post(
        reverse("portal:extend", args=[hold.pk]), {"given_name": "Rosa", "reason": ""}
    )
    page = client.get(response["Location"]).content.decode()
    assert 'value="Rosa"' in page
    assert "We keep your time until" in page
    longer = SlotHold.objects.get()
    assert longer.expires_at - hold.expires_at == timedelta(minutes=2)


def test_more_time_can_be_asked_for_ten_times(client: Client) -> None:
    hold = held(client)
    extend = reverse("portal:extend", args=[hold.pk])
    for _time in range(11):
        response = client.post(extend)
    page = client.get(response["Location"]).content.decode()
    assert "cannot be kept any longer" in page
    assert "I need more time" not in page
    assert SlotHold.objects.get().extensions == 10


def test_looking_at_an_ended_hold_keeps_nothing(client: Client) -> None:
    hold = held(client)
    end(hold)
    for name in ("details", "check", "code"):
        client.get(reverse(f"portal:{name}", args=[hold.pk]))
    page = client.get(reverse("portal:details", args=[hold.pk])).content.decode()
    assert "The time ran out" in page
    assert SlotHold.objects.live().count() == 0


def test_an_ended_hold_is_quietly_kept_again_when_details_come(client: Client) -> None:
    hold = held(client)
    end(hold)
    response = client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    again = SlotHold.objects.live().get()
    assert again.visit_start == hold.visit_start
    assert response["Location"] == reverse("portal:check", args=[again.pk])
    assert "Rosa Delgado" in client.get(response["Location"]).content.decode()


def test_a_late_code_still_books_while_the_time_is_free(client: Client) -> None:
    hold = held(client)
    client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    client.post(reverse("portal:check", args=[hold.pk]))
    end(hold)
    response = client.post(reverse("portal:code", args=[hold.pk]), {"code": code_in_mail()})
    assert response["Location"] == reverse("portal:booked", args=[hold.pk])
    assert Appointment.objects.get().scheduled_start == hold.visit_start
    assert not SlotHold.objects.exists()


def test_a_lost_race_offers_alternatives_and_keeps_the_details(
    client: Client, patient: Patient
) -> None:
    hold = held(client)
    client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    client.post(reverse("portal:check", args=[hold.pk]))
    end(hold)
    take(hold, patient)
    response = client.post(reverse("portal:code", args=[hold.pk]), {"code": code_in_mail()})
    assert response.status_code == 409
    slots = values(response, "slot")
    assert len(slots) == 3
    response = client.post(reverse("portal:again", args=[hold.pk]), {"slot": slots[0]})
    check = response["Location"]
    assert "Rosa Delgado" in client.get(check).content.decode()
    panel = client.post(check)["Location"]  # the address is proved: no second code
    assert client.get(panel).status_code == 200
    assert Appointment.objects.count() == 2
    assert Patient.objects.exclude(pk=patient.pk).count() == 1


def test_details_that_come_too_late_are_kept_for_another_time(
    client: Client, patient: Patient
) -> None:
    hold = held(client)
    end(hold)
    take(hold, patient)
    response = client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    assert response.status_code == 409
    assert "What you typed is kept" in response.content.decode()
    slot = values(response, "slot")[0]
    response = client.post(reverse("portal:again", args=[hold.pk]), {"slot": slot})
    assert "Rosa Delgado" in client.get(response["Location"]).content.decode()


def test_choosing_another_time_moves_the_hold_and_the_details(client: Client) -> None:
    hold = held(client)
    client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    day = first_day(client)
    other = offered(client, day)[3]
    moved = keep(client, other)
    assert [kept.pk for kept in SlotHold.objects.live()] == [moved]
    page = client.get(reverse("portal:check", args=[moved])).content.decode()
    assert "Rosa Delgado" in page
    assert client.get(reverse("portal:details", args=[hold.pk]))["Location"] == reverse(
        "portal:details", args=[moved]
    )


def test_details_do_not_follow_to_somebody_else(client: Client) -> None:
    hold = held(client)
    client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    other = offered(client, first_day(client))[3]
    moved = keep(client, other, who="other")
    assert "Rosa" not in client.get(reverse("portal:details", args=[moved])).content.decode()


def test_a_time_taken_meanwhile_answers_409_with_alternatives(
    client: Client, patient: Patient
) -> None:
    slot = offered(client, first_day(client))[0]
    rival = Client()
    keep(rival, slot)
    response = client.post(address("times"), {"slot": slot})
    assert response.status_code == 409
    assert slot not in values(response, "slot")
    assert len(values(response, "slot")) == 3
    assert client.post(address("times"), {"slot": values(response, "slot")[0]}).status_code == 302


def test_the_own_hold_takes_nothing_away_from_its_browser(client: Client) -> None:
    day = first_day(client)
    before = offered(client, day)
    keep(client, before[0])
    assert offered(client, day) == before
    assert offered(Client(), day) == before[1:]


def test_one_network_keeps_five_times_and_no_more(client: Client) -> None:
    slots = offered(client, first_day(client))
    for slot in slots[:5]:
        keep(Client(), slot)
    response = client.post(address("times"), {"slot": slots[5]})
    assert response.status_code == 409
    assert "Too many times" in response.content.decode()


def test_several_clinics_are_listed_and_one_is_not(client: Client, clinic: Clinic) -> None:
    assert b"Which clinic" not in client.get("/").content
    ClinicFactory.create(name="Hillside Clinic")
    page = client.get("/").content.decode()
    assert "Hillside Clinic" in page
    assert reverse("portal:clinic", args=[clinic.slug]) in page


def test_nothing_typed_stands_in_the_session_or_in_an_address(client: Client) -> None:
    hold = held(client)
    response = client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    kept = repr(dict(client.session.items())) + response["Location"]
    for told in ("Rosa", "Delgado", "1961", "mail.example", "5550147", "cough"):
        assert told not in kept
