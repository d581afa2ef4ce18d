"""What the database holds of the reminders: each rule is broken, and says its name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from providers.models import Clinic, Provider, VisitType
from reminders.kinds import State
from reminders.models import (
    CallItem,
    ConsentChange,
    ContactPreference,
    Delivery,
    InboundText,
    Notice,
    PushSubscription,
    Reminder,
    ReminderPolicy,
    Suppression,
    VendorReport,
)
from scheduling.models import Appointment
from tests.factories import AppointmentFactory
from tests.rows import one_of_each

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def visit(provider: Provider, visit_type: VisitType) -> Appointment:
    """A visit with one of everything."""
    visit = AppointmentFactory.create(provider=provider, visit_type=visit_type)
    one_of_each(visit)
    return visit


def refused(model: Any, **values: Any) -> str:
    """Return which rule of the database refuses a row."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        model.objects.create(**values)
    return str(refusal.value.__cause__.diag.constraint_name)  # type: ignore[union-attr]


def refused_change(row: Any, **values: Any) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**values)
    return str(refusal.value.__cause__.diag.constraint_name)  # type: ignore[union-attr]


def same(row: Any, *without: str) -> dict[str, Any]:
    """Return the values of a row, to be written once more under another id."""
    skipped = {"id", *without}
    columns = [f.attname for f in row._meta.concrete_fields if f.attname not in skipped]
    return {name: getattr(row, name) for name in columns}


@pytest.mark.parametrize(
    ("model", "without", "rule"),
    [
        (Reminder, [], "reminder_once"),
        (Notice, [], "notice_once"),
        (Delivery, [], "delivery_vendor_id_once"),
        (InboundText, [], "inbound_text_once"),
        (CallItem, [], "call_open_once"),
        (VendorReport, [], "vendor_report_once"),
        (ReminderPolicy, [], "reminder_policy_once"),
        (Suppression, [], "suppression_once"),
    ],
)
def test_once_is_once(model: Any, without: list[str], rule: str, visit: Appointment) -> None:
    assert refused(model, **same(model.objects.first(), *without)) == rule


def test_an_address_of_a_browser_stands_once(visit: Appointment) -> None:
    values = same(PushSubscription.objects.get())
    with pytest.raises(IntegrityError, match="endpoint_digest"), transaction.atomic():
        PushSubscription.objects.create(**values)


def test_a_patient_has_one_preference(visit: Appointment) -> None:
    with pytest.raises(IntegrityError, match="patient_id"), transaction.atomic():
        ContactPreference.objects.create(patient=visit.patient)


def test_a_clinic_has_one_policy_for_all_types(clinic: Clinic) -> None:
    ReminderPolicy.objects.create(clinic=clinic)
    assert refused(ReminderPolicy, clinic=clinic) == "reminder_policy_once"


def test_a_call_that_was_closed_and_a_stop_that_was_lifted_may_come_again(
    visit: Appointment, now: datetime
) -> None:
    call, stop = CallItem.objects.get(appointment=visit), Suppression.objects.get()
    CallItem.objects.filter(pk=call.pk).update(closed_at=now)
    Suppression.objects.filter(pk=stop.pk).update(lifted_at=now)
    CallItem.objects.create(**same(call))
    Suppression.objects.create(**same(stop))
    assert CallItem.objects.filter(appointment=visit).count() == 2
    assert Suppression.objects.count() == 2


@pytest.mark.parametrize("model", [Reminder, Notice])
def test_what_is_only_planned_has_no_delivery(model: Any, visit: Appointment) -> None:
    row = model.objects.exclude(delivery=None).first()
    rule = f"{model.__name__.lower()}_taken_has_delivery"
    assert refused_change(row, standing="PLANNED") == rule


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"state": "LOST"}, "delivery_state_known"),
        ({"state": State.CLAIMED.value, "lease_until": None}, "delivery_claimed_has_lease"),
        ({"state": State.SENDING.value, "lease_until": None}, "delivery_claimed_has_lease"),
    ],
)
def test_a_delivery_stands_where_it_can(
    values: dict[str, Any], rule: str, visit: Appointment
) -> None:
    assert refused_change(Delivery.objects.get(patient=visit.patient), **values) == rule


@pytest.mark.parametrize(
    "values",
    [
        {"request_hours": 48, "follow_up_hours": 48},
        {"request_hours": 24, "follow_up_hours": 48},
        {"follow_up_hours": 24, "release_hours": 24},
        {"follow_up_hours": 12, "release_hours": 24},
    ],
)
def test_a_cadence_comes_nearer_step_by_step(clinic: Clinic, values: dict[str, int]) -> None:
    assert refused(ReminderPolicy, clinic=clinic, **values) == "reminder_policy_in_order"
    with pytest.raises(ValidationError, match="each nearer to the visit"):
        ReminderPolicy(clinic=clinic, **values).full_clean()


@pytest.mark.parametrize("values", [{"request_hours": 0}, {"reminder_hours": 169}])
def test_hours_ahead_are_from_one_to_a_week(clinic: Clinic, values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        ReminderPolicy(clinic=clinic, **values).full_clean()


def test_a_step_may_be_switched_off(clinic: Clinic) -> None:
    off = ReminderPolicy(clinic=clinic, follow_up_hours=None, release_hours=None, join_hours=None)
    off.full_clean()
    off.save()


class TestConsent:
    @pytest.fixture
    def change(self, visit: Appointment) -> ConsentChange:
        return ConsentChange.objects.get(patient=visit.patient)

    @pytest.mark.parametrize(
        "values", [{"given": True}, {"channel": "SMS"}, {"source": "DESK"}, {"at": None}]
    )
    def test_is_never_changed(self, change: ConsentChange, values: dict[str, Any]) -> None:
        if "at" in values:
            values = {"at": change.at - HOUR}
        assert refused_change(change, **values) == "consent_change_unchanged"

    def test_is_never_removed(self, change: ConsentChange) -> None:
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            change.delete()
        assert refusal.value.__cause__.diag.constraint_name == "consent_change_stays"  # type: ignore[union-attr]

    def test_may_be_written_again_as_it_is(self, change: ConsentChange) -> None:
        assert ConsentChange.objects.filter(pk=change.pk).update(given=change.given) == 1
