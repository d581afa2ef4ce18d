"""What a patient chose is kept, and who said yes or no to which channel is never forgotten."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.signing import Signer

from patients.models import Patient
from reminders import preferences
from reminders.kinds import Channel
from reminders.models import ConsentChange, ContactPreference
from tests.factories import PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
NIGHT = {"quiet_from": time(21), "quiet_until": time(8)}
EVERYTHING: dict[str, Any] = {
    "email": True,
    "sms": True,
    "push": True,
    "muted": [],
    "language": "en",
    **NIGHT,
}


@pytest.fixture
def account(db: None) -> User:
    return UserFactory.create()


def choose(patient: Patient, *, by: User | None, now: datetime, **told: Any) -> ContactPreference:
    wanted = EVERYTHING | told
    source = ConsentChange.Source.PORTAL
    return preferences.choose(patient=patient, **wanted, source=source, by_user=by, now=now)


def said(patient: Patient) -> list[tuple[str, bool, str]]:
    rows = ConsentChange.objects.filter(patient=patient).order_by("at", "channel")
    return [(row.channel, row.given, row.source) for row in rows]


def test_without_a_row_everything_is_on_and_nothing_is_written(patient: Patient) -> None:
    found = preferences.preference_of(patient)
    assert (found.email, found.sms, found.push, found.muted) == (True, True, True, [])
    assert (found.quiet_from, found.quiet_until) == (time(21), time(8))
    assert not ContactPreference.objects.exists()


def test_a_channel_that_was_switched_leaves_a_row_and_the_others_none(
    patient: Patient, account: User, now: datetime
) -> None:
    choose(patient, by=account, now=now, sms=False)
    assert said(patient) == [("SMS", False, "PORTAL")]
    row = ConsentChange.objects.get()
    assert (row.by_user, row.at) == (account, now)
    assert preferences.preference_of(patient).sms is False


def test_the_same_choice_again_leaves_no_second_row(
    patient: Patient, account: User, now: datetime
) -> None:
    for minutes in range(3):
        choose(patient, by=account, now=now + timedelta(minutes=minutes), email=False)
    assert said(patient) == [("EMAIL", False, "PORTAL")]


def test_hours_kinds_and_language_are_kept_without_a_row_of_consent(
    patient: Patient, account: User, now: datetime
) -> None:
    told = {"quiet_from": time(20), "quiet_until": time(9), "muted": ["REQUEST", "FOLLOW_UP"]}
    choose(patient, by=account, now=now, language="es", **told)
    found = preferences.preference_of(Patient.objects.get(pk=patient.pk))
    assert (found.quiet_from, found.quiet_until) == (time(20), time(9))
    assert found.muted == ["FOLLOW_UP", "REQUEST"]
    assert Patient.objects.get(pk=patient.pk).language == "es"
    assert said(patient) == []


def test_one_switch_leaves_the_other_choices_alone(
    patient: Patient, account: User, now: datetime
) -> None:
    choose(patient, by=account, now=now, sms=False, quiet_until=time(10))
    told: Any = {
        "source": ConsentChange.Source.LINK,
        "by_user": None,
        "now": now + timedelta(hours=1),
    }
    preferences.switch(patient=patient, channel=Channel.EMAIL, on=False, **told)
    found = preferences.preference_of(patient)
    assert (found.email, found.sms, found.push, found.quiet_until) == (False, False, True, time(10))
    assert said(patient) == [("SMS", False, "PORTAL"), ("EMAIL", False, "LINK")]


def test_stopping_everything_is_one_row_for_each_channel_that_was_on(
    patient: Patient, account: User, now: datetime
) -> None:
    choose(patient, by=account, now=now, sms=False)
    told: Any = {"source": ConsentChange.Source.PORTAL, "by_user": account}
    preferences.stop_all(patient=patient, **told, now=now + timedelta(hours=1))
    found = preferences.preference_of(patient)
    assert (found.email, found.sms, found.push) == (False, False, False)
    assert sorted(said(patient)) == [
        ("EMAIL", False, "PORTAL"),
        ("PUSH", False, "PORTAL"),
        ("SMS", False, "PORTAL"),
    ]


def test_a_token_names_its_patient_and_nobody_elses(patient: Patient) -> None:
    other = PatientFactory.create(clinic=patient.clinic)
    token = preferences.unsubscribe_token(patient)
    assert preferences.patient_of(token) == patient
    assert preferences.patient_of(preferences.unsubscribe_token(other)) == other
    assert preferences.unsubscribe_url(patient).endswith(f"/stop/{token}/")


@pytest.mark.parametrize("change", ["", "x", "cut", "other salt", "other id"])
def test_a_token_that_is_not_ours_is_refused(patient: Patient, change: str) -> None:
    token = preferences.unsubscribe_token(patient)
    other = PatientFactory.create(clinic=patient.clinic)
    forged = {
        "": "",
        "x": "x" * 40,
        "cut": token[:-1],
        "other salt": Signer(salt="something else", sep=".").sign(patient.pk.hex),
        "other id": other.pk.hex + token[32:],
    }[change]
    with pytest.raises(preferences.LinkInvalid):
        preferences.patient_of(forged)


def test_a_token_of_a_joined_record_leads_to_the_one_that_stayed(patient: Patient) -> None:
    away = PatientFactory.create(clinic=patient.clinic)
    token = preferences.unsubscribe_token(away)
    Patient.objects.filter(pk=away.pk).update(merged_into=patient)
    assert preferences.patient_of(token) == patient


def test_a_token_of_a_record_that_is_gone_is_refused(patient: Patient) -> None:
    token = preferences.unsubscribe_token(patient)
    Patient.objects.filter(pk=patient.pk).delete()
    with pytest.raises(preferences.LinkInvalid):
        preferences.patient_of(token)
