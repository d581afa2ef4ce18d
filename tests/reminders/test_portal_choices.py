"""A signed-in patient chooses how, when and about what the clinic writes, for each own record."""

from __future__ import annotations

import re
from datetime import time
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic
from reminders import devices, preferences
from reminders.kinds import Channel
from reminders.models import ConsentChange, ContactPreference, Suppression
from reminders.suppressions import suppress
from tests.factories import PatientFactory, UserFactory
from tests.factories.waitlist import entry_of
from tests.page_forms import forms_in
from tests.reminders.browser_keys import endpoint, keys

pytestmark = pytest.mark.django_db
TOLD = {
    "email": "on",
    "sms": "on",
    "topics": ["asking", "before", "video"],
    "quiet_from": "21:00",
    "quiet_until": "08:00",
    "language": "en",
}


@pytest.fixture
def account(patient: Patient) -> User:
    user = UserFactory.create(username="p-1", email="")
    Patient.objects.filter(pk=patient.pk).update(user=user, phone_is_textable=True)
    return user


@pytest.fixture
def portal(account: User) -> Client:
    client = Client()
    client.force_login(account)
    return client


def of(patient: Patient) -> str:
    return reverse("portal:choices_of", args=[patient.pk])


def shown(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_one_record_is_gone_to_at_once_and_several_are_asked_for(
    portal: Client, patient: Patient, account: User
) -> None:
    assert portal.get(reverse("portal:choices"))["Location"] == of(patient)
    child = PatientFactory.create(clinic=patient.clinic, user=account, given_name="Junia")
    page = portal.get(reverse("portal:choices"))
    assert "Junia" in shown(page)
    assert {of(patient), of(child)} <= set(re.findall(r'href="([^"]+)"', page.content.decode()))


def test_a_record_that_was_joined_into_another_is_not_asked_about(
    portal: Client, patient: Patient, account: User
) -> None:
    away = PatientFactory.create(clinic=patient.clinic, user=account)
    Patient.objects.filter(pk=away.pk).update(merged_into=patient)
    assert portal.get(reverse("portal:choices"))["Location"] == of(patient)
    assert portal.get(of(away)).status_code == 404


def test_what_is_chosen_is_kept_and_shown_again(portal: Client, patient: Patient) -> None:
    told = TOLD | {"topics": ["before"], "quiet_from": "20:00", "language": "es"}
    del told["sms"]
    answer = portal.post(of(patient), told, follow=True)
    kept = preferences.preference_of(patient)
    assert (kept.email, kept.sms, kept.push) == (True, False, True)
    assert kept.muted == ["FOLLOW_UP", "JOIN", "REQUEST"]
    assert (kept.quiet_from, kept.quiet_until) == (time(20), time(8))
    assert Patient.objects.get(pk=patient.pk).language == "es"
    assert "Your choices are saved." in shown(answer)
    (form,) = [form for form in forms_in(answer.content.decode()) if "quiet_from" in form.fields]
    shown_again = {name: form.fields[name].value for name in ("email", "sms", *TOLD)}
    assert shown_again == told | {"topics": "before", "sms": ""}


def test_who_said_no_and_when_stands_on_the_page(portal: Client, patient: Patient) -> None:
    told = {name: value for name, value in TOLD.items() if name != "email"}
    page = shown(portal.post(of(patient), told, follow=True))
    assert re.search(r"E-mails: no \w+, \w+ \d+, \d{4} · You, on this page", page)
    row = ConsentChange.objects.get()
    assert (row.channel, row.given, row.source) == ("EMAIL", False, "PORTAL")
    assert row.by_user is not None


def test_one_button_stops_everything_whatever_the_form_says(
    portal: Client, patient: Patient
) -> None:
    page = portal.post(of(patient), TOLD | {"act": "stop"}, follow=True)
    kept = preferences.preference_of(patient)
    assert (kept.email, kept.sms, kept.push) == (False, False, False)
    assert "no more messages about visits" in shown(page)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_from": "03:00"},
        {"quiet_until": "25:00"},
        {"quiet_from": ""},
        {"language": "xx"},
        {"language": ""},
        {"topics": ["everything"]},
    ],
)
def test_what_is_not_on_offer_is_asked_again_and_nothing_is_kept(
    portal: Client, patient: Patient, wrong: dict[str, Any]
) -> None:
    answer = portal.post(of(patient), TOLD | wrong)
    assert answer.status_code == 422
    assert "There is a problem" in shown(answer)
    assert not ContactPreference.objects.exists()


def test_hours_that_the_desk_chose_stay_on_offer(portal: Client, patient: Patient) -> None:
    ContactPreference.objects.create(patient=patient, quiet_from=time(16, 30))
    assert portal.post(of(patient), TOLD | {"quiet_from": "16:30"}).status_code == 302
    assert preferences.preference_of(patient).quiet_from == time(16, 30)


def test_a_language_that_we_do_not_write_in_stays_the_patients(
    portal: Client, patient: Patient
) -> None:
    Patient.objects.filter(pk=patient.pk).update(language="zh-Hans")
    page = portal.get(of(patient)).content.decode()
    assert '<option value="zh-Hans" selected>' in page
    portal.post(of(patient), TOLD | {"language": "zh-Hans"})
    assert Patient.objects.get(pk=patient.pk).language == "zh-Hans"


def test_without_an_address_or_number_the_choice_is_closed_and_stays(
    portal: Client, patient: Patient
) -> None:
    row = Patient.objects.get(pk=patient.pk)
    row.email = row.phone = ""
    row.save(update_fields=["email", "phone"])
    page = shown(portal.get(of(patient)))
    assert "We have no e-mail address of yours" in page
    assert "We have no phone number of yours" in page
    told = {name: value for name, value in TOLD.items() if name not in ("email", "sms")}
    portal.post(of(patient), told)
    assert not ConsentChange.objects.exists()
    assert preferences.preference_of(patient).sms is True


def test_a_number_that_cannot_get_texts_says_so(portal: Client, patient: Patient) -> None:
    Patient.objects.filter(pk=patient.pk).update(phone_is_textable=False)
    assert "The number that we have cannot get texts." in shown(portal.get(of(patient)))


@pytest.mark.parametrize(
    ("sender", "words"),
    [("+12125550100", "text START to (212) 555-0100"), ("", "answer one of our texts with START")],
)
def test_a_number_that_said_stop_is_not_lifted_by_a_tick(
    portal: Client, patient: Patient, now: Any, settings: Any, sender: str, words: str
) -> None:
    settings.TWILIO_FROM = sender
    stop = {"recipient": patient.phone, "cause": Suppression.Cause.STOP, "now": now}
    suppress(channel=Channel.SMS, **stop)
    page = shown(portal.post(of(patient), TOLD, follow=True))
    assert "Your number said STOP" in page
    assert words in page
    assert Suppression.objects.get().lifted_at is None


def test_an_address_to_which_nothing_goes_is_told(
    portal: Client, patient: Patient, now: Any
) -> None:
    bounce = {"recipient": patient.email, "cause": Suppression.Cause.BOUNCE, "now": now}
    suppress(channel=Channel.EMAIL, **bounce)
    assert "We send nothing to your e-mail address" in shown(portal.get(of(patient)))


def test_texts_are_not_offered_where_the_clinic_sends_none(
    portal: Client, patient: Patient, settings: Any
) -> None:
    settings.CHANNELS = settings.CHANNELS | {"SMS": "reminders.channels.off.Off"}
    page = portal.get(of(patient)).content.decode()
    assert 'name="sms"' not in page
    told = {name: value for name, value in TOLD.items() if name != "sms"}
    portal.post(of(patient), told)
    assert preferences.preference_of(patient).sms is True
    assert not ConsentChange.objects.exists()


def test_notifications_can_be_ticked_off_once_a_device_is_there(
    portal: Client, patient: Patient, now: Any
) -> None:
    assert 'name="push"' not in portal.get(of(patient)).content.decode()
    told = {"endpoint": endpoint(), **keys(), "language": "en", "by_user": None, "now": now}
    devices.subscribe(patient=patient, **told)
    assert 'name="push"' in portal.get(of(patient)).content.decode()
    portal.post(of(patient), TOLD)
    assert preferences.preference_of(patient).push is False


def test_somebody_elses_record_is_no_page(portal: Client, clinic: Clinic) -> None:
    other = PatientFactory.create(clinic=clinic)
    assert portal.get(of(other)).status_code == 404
    assert portal.post(of(other), TOLD).status_code == 404
    assert not ContactPreference.objects.exists()


def test_the_page_is_found_from_every_page_of_the_portal(portal: Client) -> None:
    choices = reverse("portal:choices")
    for name in ("portal:appointments", "portal:start"):
        page = portal.get(reverse(name), follow=True).content.decode()
        assert f'href="{choices}"' in page


def test_who_waits_for_a_time_is_led_to_where_offers_are_stopped(
    portal: Client, patient: Patient
) -> None:
    waitlist = f'href="{reverse("portal:waitlist")}"'
    assert waitlist not in portal.get(of(patient)).content.decode().partition("<main")[2]
    entry = entry_of(patient)
    assert waitlist in portal.get(of(patient)).content.decode().partition("<main")[2]
    entry.status, entry.ended_at = entry.Status.LEFT, entry.created_at
    entry.save()
    assert waitlist not in portal.get(of(patient)).content.decode().partition("<main")[2]
