"""A registration form that is sent twice."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from patients.models import Patient
from patients.registration import Details
from providers.models import Clinic
from scheduling.errors import KeyReused
from scheduling.keys import RequestKey
from scheduling.models import IdempotencyKey
from scheduling.registering import register_once

KEY = RequestKey("user:1", "a-key-of-one-form-of-one-visitor")
DETAILS = Details(given_name="Ana", family_name="Torres", dob=date(1961, 4, 7))

pytestmark = pytest.mark.django_db


def test_the_same_form_makes_one_record(clinic: Clinic, now: datetime) -> None:
    first = register_once(clinic=clinic, details=DETAILS, key=KEY, now=now)
    again = register_once(clinic=clinic, details=DETAILS, key=KEY, now=now)
    assert first.pk == again.pk
    assert Patient.objects.count() == 1


def test_another_form_makes_another_record(clinic: Clinic, now: datetime) -> None:
    register_once(clinic=clinic, details=DETAILS, key=KEY, now=now)
    register_once(clinic=clinic, details=DETAILS, key=replace(KEY, key="another" * 4), now=now)
    assert Patient.objects.count() == 2


def test_the_same_form_with_other_details_is_refused(clinic: Clinic, now: datetime) -> None:
    register_once(clinic=clinic, details=DETAILS, key=KEY, now=now)
    with pytest.raises(KeyReused):
        register_once(clinic=clinic, details=replace(DETAILS, given_name="Eva"), key=KEY, now=now)
    assert Patient.objects.count() == 1


def test_what_is_kept_of_the_form_tells_nothing(clinic: Clinic, now: datetime) -> None:
    register_once(clinic=clinic, details=DETAILS, key=KEY, now=now)
    kept = IdempotencyKey.objects.get()
    assert "Torres" not in f"{kept.outcome}{bytes(kept.request_digest)!r}"
