"""What of the messages goes over with a record that is joined into another, and comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from patients.merging import Choices, merge, unmerge
from patients.models import Patient, PatientMerge
from patients.registration import stamp_of
from providers.models import Clinic, Provider, VisitType
from reminders.models import (
    ConsentChange,
    ContactPreference,
    Delivery,
    InboundText,
    Notice,
    PushSubscription,
    Reminder,
)
from tests.factories import AppointmentFactory, PatientFactory, UserFactory
from tests.rows import one_of_each

pytestmark = pytest.mark.django_db
MOVED: list[Any] = [Notice, Delivery, ConsentChange, PushSubscription, InboundText]


@pytest.fixture
def somebody(db: None) -> User:
    return UserFactory.create()


@pytest.fixture
def keep(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic)


@pytest.fixture
def away(clinic: Clinic, provider: Provider, visit_type: VisitType) -> Patient:
    """A patient with one row of everything."""
    visit = AppointmentFactory.create(provider=provider, visit_type=visit_type)
    one_of_each(visit)
    return visit.patient


def join(keep: Patient, away: Patient, by: User, now: datetime) -> PatientMerge:
    keep, away = (Patient.objects.get(pk=record.pk) for record in (keep, away))
    choices = Choices(seen=(stamp_of(keep), stamp_of(away)))
    return merge(keep=keep, away=away, choices=choices, by=by, now=now)


def of(patient: Patient) -> dict[str, list[Any]]:
    return {
        model.__name__: sorted(model.objects.filter(patient=patient).values_list("pk", flat=True))
        for model in [*MOVED, ContactPreference]
    }


def test_everything_goes_over_and_comes_back(
    keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    had = of(away)
    assert all(had.values())
    done = join(keep, away, somebody, now)
    assert of(keep) == had
    assert not any(of(away).values())
    assert Reminder.objects.filter(appointment__patient=keep).exists(), "with the visit"
    unmerge(merge=done, by=somebody, now=now)
    assert of(away) == had
    assert not any(of(keep).values())


def test_the_survivors_preference_stays_and_both_noes_count(
    keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    mine = ContactPreference.objects.create(patient=keep, email=False)
    theirs = ContactPreference.objects.get(patient=away)
    assert (theirs.email, theirs.sms, theirs.push) == (True, True, False)
    done = join(keep, away, somebody, now)
    mine.refresh_from_db()
    assert (mine.email, mine.sms, mine.push) == (False, True, False)
    assert ContactPreference.objects.get(patient=away) == theirs
    unmerge(merge=done, by=somebody, now=now)
    mine.refresh_from_db()
    assert (mine.email, mine.sms, mine.push) == (False, True, True)


@pytest.mark.parametrize("model", [ContactPreference, ConsentChange, PushSubscription, Notice])
def test_a_joined_record_takes_nothing_new(
    model: Any, keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    join(keep, away, somebody, now)
    row = model.objects.filter(patient=keep).first()
    row.pk, row.patient, row._state.adding = None, away, True
    if model is PushSubscription:
        row = PushSubscription(patient=away, endpoint="x", endpoint_digest=b"x", p256dh="", auth="")
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        row.save(force_insert=True)
    assert refusal.value.__cause__.diag.constraint_name == "patient_not_joined"  # type: ignore[union-attr]


def test_what_was_sent_or_came_in_is_kept_even_then(
    keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    join(keep, away, somebody, now)
    late = Delivery.objects.create(
        patient=away, channel="SMS", kinds=["REMINDER"], not_before=now, not_after=now
    )
    assert Delivery.objects.filter(pk=late.pk, patient=away).exists()
