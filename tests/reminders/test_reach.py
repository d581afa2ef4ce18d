"""By which ways somebody can be reached, and the reason where not."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as site
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.settings.vendors import channels
from patients.indexes import contact_index
from patients.looks import Unrecorded
from patients.models import Patient
from patients.privacy import audit
from providers.models import Clinic
from reminders.channels.registry import way
from reminders.kinds import Channel, Kind, NoticeKind, Why
from reminders.models import ContactPreference, PushSubscription, Suppression
from reminders.reach import Route, known_of, way_to
from reminders.suppressions import suppress
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db
EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, phone="+19172000001", phone_is_textable=True)


def device_of(patient: Patient, name: str) -> PushSubscription:
    return PushSubscription.objects.create(
        patient=patient,
        endpoint=f"https://updates.push.services.mozilla.com/{name}",
        endpoint_digest=name.encode(),
        p256dh="point",
        auth="secret",
    )


def why_not(patient: Patient, channel: Channel, kind: str = Kind.REMINDER) -> Route | Why:
    return way_to(Patient.objects.get(pk=patient.pk), channel, kind=kind)


def test_a_patient_with_everything_is_reached_by_everything(patient: Patient) -> None:
    newest = [device_of(patient, name) for name in ("old", "new")][-1]
    found = {channel: way_to(patient, channel, kind=Kind.JOIN) for channel in Channel}
    assert {channel: route.to for channel, route in found.items() if isinstance(route, Route)} == {
        EMAIL: patient.email,
        SMS: patient.phone,
        PUSH: newest.endpoint,
    }


@pytest.mark.parametrize(
    ("channel", "lacks", "why"),
    [
        (EMAIL, {"email": ""}, Why.NO_EMAIL),
        (SMS, {"phone": ""}, Why.NO_PHONE),
        (SMS, {"phone_is_textable": False}, Why.NOT_TEXTABLE),
        (PUSH, {}, Why.NO_DEVICE),
    ],
)
def test_the_reason_is_what_is_not_there(
    patient: Patient, channel: Channel, lacks: dict[str, Any], why: Why
) -> None:
    for name, value in lacks.items():
        setattr(patient, name, value)
    patient.save()
    assert why_not(patient, channel) is why


@pytest.mark.parametrize("channel", Channel)
def test_a_channel_that_was_switched_off_is_not_used(patient: Patient, channel: Channel) -> None:
    device_of(patient, "phone")
    ContactPreference.objects.create(patient=patient, **{channel.lower(): False})
    assert why_not(patient, channel) is Why.OPTED_OUT


def test_a_kind_that_was_switched_off_is_not_sent_and_others_are(patient: Patient) -> None:
    ContactPreference.objects.create(patient=patient, muted=[Kind.FOLLOW_UP])
    assert why_not(patient, SMS, Kind.FOLLOW_UP) is Why.OPTED_OUT
    assert isinstance(why_not(patient, SMS, Kind.REMINDER), Route)


def test_what_was_asked_for_right_now_goes_whatever_was_chosen_before(patient: Patient) -> None:
    ContactPreference.objects.create(patient=patient, email=False, sms=False)
    for channel in (EMAIL, SMS):
        assert isinstance(why_not(patient, channel, NoticeKind.LINK), Route)
        assert why_not(patient, channel, NoticeKind.BOOKED) is Why.OPTED_OUT


def test_nothing_goes_against_a_stop_but_a_code_to_an_address_that_unsubscribed(
    patient: Patient,
) -> None:
    now = timezone.now()
    for channel, to, cause in (
        (SMS, patient.phone, Suppression.Cause.STOP),
        (EMAIL, patient.email, Suppression.Cause.UNSUBSCRIBED),
    ):
        suppress(channel=channel, recipient=to, cause=cause, now=now)
        assert why_not(patient, channel) is Why.SUPPRESSED
        assert why_not(patient, channel, NoticeKind.BOOKED) is Why.SUPPRESSED
    assert why_not(patient, SMS, NoticeKind.LINK) is Why.SUPPRESSED
    assert isinstance(why_not(patient, EMAIL, NoticeKind.LINK), Route)


def test_a_stop_holds_for_everybody_with_the_number_and_for_nobody_else(patient: Patient) -> None:
    same = PatientFactory.create(clinic=patient.clinic, phone=patient.phone, phone_is_textable=True)
    other = PatientFactory.create(
        clinic=patient.clinic, phone="+19172000002", phone_is_textable=True
    )
    cause = Suppression.Cause.STOP
    suppress(channel=SMS, recipient=patient.phone, cause=cause, now=timezone.now())
    assert why_not(same, SMS) is Why.SUPPRESSED
    assert isinstance(why_not(other, SMS), Route)


def test_a_stop_is_found_by_either_key_while_the_key_changes(
    patient: Patient, settings: Any
) -> None:
    cause = Suppression.Cause.STOP
    suppress(channel=SMS, recipient=patient.phone, cause=cause, now=timezone.now())
    former, settings.BLIND_INDEX_KEY_OLD = site.BLIND_INDEX_KEY, site.BLIND_INDEX_KEY
    settings.BLIND_INDEX_KEY = former[::-1]
    assert why_not(patient, SMS) is Why.SUPPRESSED
    patient.phone_index = contact_index("phone", patient.phone)
    Patient.objects.filter(pk=patient.pk).update(phone_index=patient.phone_index)
    assert why_not(patient, SMS) is Why.SUPPRESSED
    settings.BLIND_INDEX_KEY_OLD = ""
    assert isinstance(why_not(patient, SMS), Route)  # the control: under the new key alone


def test_a_channel_that_the_site_does_not_use_is_switched_off(
    patient: Patient, settings: Any
) -> None:
    settings.CHANNELS = channels(email="smtp", sms="off", push="off")
    way.cache_clear()
    assert why_not(patient, SMS) is Why.SWITCHED_OFF
    assert isinstance(why_not(patient, EMAIL), Route)


def test_a_record_that_was_joined_into_another_is_not_reached(patient: Patient) -> None:
    survivor = PatientFactory.create(clinic=patient.clinic)
    Patient.objects.filter(pk=patient.pk).update(merged_into=survivor)
    assert why_not(patient, SMS) is Why.RECORD_JOINED


def test_an_address_is_opened_only_when_it_is_used(patient: Patient, settings: Any) -> None:
    settings.LOOKS_MUST_BE_RECORDED = True
    route = why_not(patient, EMAIL)
    assert isinstance(route, Route)
    with pytest.raises(Unrecorded):
        route.to  # noqa: B018
    with audit.keeping_record(system="system:test", purpose="test") as kept:
        assert route.to.endswith("@mail.example")
    assert kept.look.patients == {patient.pk}


def test_many_people_cost_as_much_as_one(clinic: Clinic) -> None:
    people = [PatientFactory.create(clinic=clinic) for _person in range(9)]
    for some in (people[:1], people):
        with CaptureQueriesContext(connection) as asked:
            known = known_of(some, list(Channel))
            for one in some:
                for channel in Channel:
                    way_to(one, channel, kind=Kind.REMINDER, known=known)
        assert len(asked) == 3
