from __future__ import annotations

from datetime import timedelta
from time import monotonic
from uuid import uuid4

import pytest
from django.db import IntegrityError

from providers import remembered
from providers.models import Clinic, VisitType
from reminders.due import Cadence
from reminders.kinds import Channel
from reminders.models import ReminderPolicy
from reminders.policies import Policy, is_on, policy_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_without_a_row_the_defaults_stand(clinic: Clinic, visit_type: VisitType) -> None:
    assert policy_of(clinic.pk, visit_type.pk) == Policy()
    assert Policy().cadence == Cadence(
        request=72 * HOUR, follow_up=48 * HOUR, reminder=24 * HOUR, join=2 * HOUR, release=24 * HOUR
    )


def test_a_types_own_row_comes_before_the_clinics(clinic: Clinic, visit_type: VisitType) -> None:
    ReminderPolicy.objects.create(clinic=clinic, request_hours=100, sms=False)
    assert policy_of(clinic.pk, visit_type.pk).cadence.request == 100 * HOUR
    ReminderPolicy.objects.create(clinic=clinic, visit_type=visit_type, request_hours=None)
    own = policy_of(clinic.pk, visit_type.pk)
    assert own.cadence.request is None
    assert is_on(own, Channel.SMS)
    assert policy_of(clinic.pk, uuid4()).cadence.request == 100 * HOUR


def test_another_clinics_row_counts_for_nobody_here(clinic: Clinic, visit_type: VisitType) -> None:
    other = Clinic.objects.create(name="Other", slug="other", is_active=False)
    ReminderPolicy.objects.create(clinic=other, email=False)
    assert policy_of(clinic.pk, visit_type.pk) == Policy()


def test_every_way_can_be_switched_off_alone() -> None:
    assert [c for c in Channel if is_on(Policy(email=False), c)] == [Channel.SMS, Channel.PUSH]
    assert [c for c in Channel if is_on(Policy(sms=False), c)] == [Channel.EMAIL, Channel.PUSH]
    assert [c for c in Channel if is_on(Policy(push=False), c)] == [Channel.EMAIL, Channel.SMS]


def test_it_is_read_once_in_half_a_minute(
    clinic: Clinic,
    visit_type: VisitType,
    django_assert_num_queries: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [monotonic()]
    monkeypatch.setattr(remembered, "monotonic", lambda: clock[0])
    for seconds, statements in [(0, 1), (29, 0), (2, 1)]:
        clock[0] += seconds
        with django_assert_num_queries(statements):  # type: ignore[operator]
            policy_of(clinic.pk, visit_type.pk)


def test_a_change_counts_at_once_in_the_process_that_made_it(
    clinic: Clinic, visit_type: VisitType
) -> None:
    policy_of(clinic.pk, visit_type.pk)
    row = ReminderPolicy.objects.create(clinic=clinic, push=False)
    assert not policy_of(clinic.pk, visit_type.pk).push
    row.delete()
    assert policy_of(clinic.pk, visit_type.pk).push


@pytest.mark.parametrize(
    "steps",
    [{"request_hours": 48, "follow_up_hours": 48}, {"follow_up_hours": 24, "release_hours": 24}],
)
def test_the_database_refuses_steps_in_the_wrong_order(
    clinic: Clinic, steps: dict[str, int]
) -> None:
    with pytest.raises(IntegrityError, match="reminder_policy_in_order"):
        ReminderPolicy.objects.create(clinic=clinic, **steps)
