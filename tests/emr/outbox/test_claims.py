"""Who may send what: in order, one at a time, and nobody whose lease is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from emr.kinds import State, What, Why
from emr.models import EMRConnection, OutboundMessage
from emr.outbox import claims, writing
from patients.models import AuditEntry, Patient
from providers.models import Clinic, Provider
from scheduling.models import Appointment
from tests.factories import AppointmentFactory
from tests.factories.emr import EMRConnectionFactory, link_to

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
RECORD: dict[str, Any] = {"action": 7, "system": "system:emr", "patients": [], "fields": []}


@pytest.fixture
def joined(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(clinic=clinic)


@pytest.fixture
def visit(joined: EMRConnection, provider: Provider) -> Appointment:
    return AppointmentFactory.create(provider=provider)


def add(visit: Appointment, joined: EMRConnection, version: int, **columns: Any) -> OutboundMessage:
    values: dict[str, Any] = {
        "connection": joined,
        "what": What.VISIT.value,
        "act": "MOVE",
        "patient_id": visit.patient_id,
        "appointment": visit,
        "version": version,
        "not_before": timezone.now() - MINUTE,
    }
    return OutboundMessage.objects.create(**values | columns)


def take(joined: EMRConnection, most: int = 10) -> list[OutboundMessage]:
    return claims.claim(joined, most=most, now=timezone.now())


def begin(message: OutboundMessage, *, version: int | None = 0) -> bool:
    return claims.begin(
        message,
        visit_version=version,
        timeout=timedelta(seconds=1),
        record=RECORD,
        now=timezone.now(),
    )


def lapse() -> None:
    OutboundMessage.objects.update(lease_until=timezone.now() - MINUTE)


def first() -> OutboundMessage:
    return OutboundMessage.objects.order_by("version", "rank").first() or OutboundMessage()


def test_of_each_visit_the_first_alone(
    visit: Appointment, joined: EMRConnection, provider: Provider
) -> None:
    add(visit, joined, 1)
    other = AppointmentFactory.create(provider=provider)
    assert {(row.appointment, row.version) for row in take(joined)} == {(visit, 0), (other, 0)}
    assert take(joined) == []


def test_as_many_as_were_asked_for_and_no_more(joined: EMRConnection, provider: Provider) -> None:
    for _visit in range(5):
        AppointmentFactory.create(provider=provider)
    assert [len(take(joined, most)) for most in (1, 1, 2, 10, 1)] == [1, 1, 2, 1, 0]


@pytest.mark.parametrize("state", [State.WAITING, State.UNKNOWN, State.SENDING])
def test_nothing_overtakes_what_is_not_settled(
    visit: Appointment, joined: EMRConnection, state: State
) -> None:
    later = timezone.now() + MINUTE
    OutboundMessage.objects.update(state=state.value, not_before=later)
    add(visit, joined, 1)
    assert take(joined) == []


@pytest.mark.parametrize("state", [State.DONE, State.SKIPPED, State.DEAD])
def test_what_has_ended_holds_nothing_up(
    visit: Appointment, joined: EMRConnection, state: State
) -> None:
    OutboundMessage.objects.update(state=state.value)
    add(visit, joined, 1)
    assert [row.version for row in take(joined)] == [1]


def test_a_replayed_one_waits_for_a_later_one_that_is_on_its_way(
    visit: Appointment, joined: EMRConnection
) -> None:
    OutboundMessage.objects.update(state=State.DEAD.value)
    add(visit, joined, 1)
    [later] = take(joined)
    OutboundMessage.objects.filter(version=0).update(state=State.QUEUED.value)
    assert take(joined) == []
    claims.skip(later, why=Why.NOTHING_TO_SAY, now=timezone.now())
    assert [row.version for row in take(joined)] == [0]


def test_nothing_leaves_before_its_time(visit: Appointment, joined: EMRConnection) -> None:
    OutboundMessage.objects.update(not_before=timezone.now() + MINUTE)
    assert take(joined) == []
    assert claims.count_due(joined, most=4, now=timezone.now()) == 0
    assert claims.count_due(joined, most=4, now=timezone.now() + 2 * MINUTE) == 1


def test_two_of_one_visit_are_never_on_their_way_at_once(
    visit: Appointment, joined: EMRConnection
) -> None:
    add(visit, joined, 1, state=State.SENDING.value)
    with (
        pytest.raises(IntegrityError, match="emr_one_sending_of_visit"),
        transaction.atomic(),
    ):
        OutboundMessage.objects.filter(version=0).update(state=State.SENDING.value)
    OutboundMessage.objects.filter(version=1).update(state=State.DONE.value)
    [claimed] = take(joined)
    OutboundMessage.objects.filter(version=1).update(state=State.SENDING.value)
    assert not begin(claimed)
    assert first().state == State.CLAIMED


def test_a_patient_is_asked_after_once(visit: Appointment, joined: EMRConnection) -> None:
    writing.ask_for_patient(visit.patient, connection=joined, now=timezone.now())
    with pytest.raises(IntegrityError, match="emr_patient_asked_once"), transaction.atomic():
        add(visit, joined, 0, what=What.PATIENT.value, appointment=None)


def test_beginning_counts_a_try_and_writes_the_record(
    visit: Appointment, joined: EMRConnection
) -> None:
    before = AuditEntry.objects.count()
    [claimed] = take(joined)
    assert begin(claimed)
    row = first()
    assert (row.state, row.attempts, row.sending_at is not None) == (State.SENDING, 1, True)
    assert AuditEntry.objects.count() == before + 1


def test_what_was_read_of_a_visit_that_changed_since_is_not_sent(
    visit: Appointment, joined: EMRConnection
) -> None:
    before = AuditEntry.objects.count()
    [claimed] = take(joined)
    Appointment.objects.update(version=1)
    assert not begin(claimed)
    assert claims.is_held(claimed)
    assert AuditEntry.objects.count() == before
    assert begin(claimed, version=1)


def test_whoever_lost_the_lease_writes_nothing(visit: Appointment, joined: EMRConnection) -> None:
    [old] = take(joined)
    lapse()
    assert not begin(old)
    claims.sweep(joined, look_after=MINUTE)
    [new] = take(joined)
    assert new.fence == old.fence + 1
    assert begin(new)
    now = timezone.now()
    assert not claims.done(old, now=now)
    assert not claims.dead(old, why=Why.REFUSED, now=now)
    assert not claims.retry(old, not_before=now)
    assert not claims.unsure(old, look_at=now)
    assert first().state == State.SENDING
    assert claims.done(new, now=now)


def test_a_dead_workers_claim_is_free_again_and_what_it_had_begun_is_unknown(
    visit: Appointment, joined: EMRConnection
) -> None:
    [claimed] = take(joined)
    lapse()
    assert claims.sweep(joined, look_after=MINUTE) == 1
    assert first().state == State.QUEUED
    [claimed] = take(joined)
    begin(claimed)
    assert claims.sweep(joined, look_after=MINUTE) == 0
    lapse()
    assert claims.sweep(joined, look_after=MINUTE) == 1
    row = first()
    assert row.state == State.UNKNOWN
    assert row.sending_at is not None
    assert row.not_before == row.sending_at + MINUTE


def test_a_claim_of_something_unknown_that_is_given_up_stays_unknown(
    visit: Appointment, joined: EMRConnection
) -> None:
    now = timezone.now()
    OutboundMessage.objects.update(state=State.UNKNOWN.value, sending_at=now)
    [claimed] = take(joined)
    claims.hand_back(claimed, not_before=now)
    assert first().state == State.UNKNOWN
    [claimed] = take(joined)
    lapse()
    claims.sweep(joined, look_after=MINUTE)
    assert first().state == State.UNKNOWN


def test_what_arrives_makes_earlier_failures_of_the_visit_needless(
    visit: Appointment, joined: EMRConnection
) -> None:
    OutboundMessage.objects.update(state=State.DEAD.value)
    note = add(visit, joined, 0, rank=1, what=What.NOTE.value, state=State.DEAD.value)
    add(visit, joined, 1)
    [claimed] = take(joined)
    begin(claimed)
    claims.done(claimed, now=timezone.now())
    assert (first().state, first().why) == (State.SKIPPED, Why.SUPERSEDED)
    note.refresh_from_db()
    assert note.state == State.DEAD


def test_whom_nobody_woke_the_sweep_wakes(
    visit: Appointment, joined: EMRConnection, patient: Patient
) -> None:
    [claimed] = take(joined)
    claims.wait(claimed, why=Why.NO_PATIENT)
    claims.sweep(joined, look_after=MINUTE)
    assert first().state == State.WAITING
    link_to(joined, visit.patient, "Patient", "77", ended_at=timezone.now())
    claims.sweep(joined, look_after=MINUTE)
    assert first().state == State.WAITING
    link_to(joined, visit.patient, "Patient", "78")
    claims.sweep(joined, look_after=MINUTE)
    assert (first().state, first().why) == (State.QUEUED, Why.NONE)


def test_codes_are_kept_short_and_few(visit: Appointment, joined: EMRConnection) -> None:
    [claimed] = take(joined)
    begin(claimed)
    claims.dead(claimed, why=Why.REFUSED, codes=["x" * 200] * 20, now=timezone.now())
    assert len(first().codes) == 8
    assert {len(code) for code in first().codes} == {60}
