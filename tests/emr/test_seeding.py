"""A clinic joined to the demo's record system: it is told of visits, and some need a person."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from emr import seeding, tasks
from emr.demo_server.serving import ROOT, DemoServer
from emr.demo_server.store import Store
from emr.kinds import ConflictKind, State, TaskKind
from emr.models import (
    EMRConnection,
    EMRLink,
    EMRTask,
    OutboundMessage,
    PatientMatch,
    SyncConflict,
)
from emr.outbox import replaying
from providers.models import Clinic, Provider, VisitType
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, UserFactory, at, next_monday

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def records(settings: Any) -> Iterator[DemoServer]:
    """The demo's record system, of which the settings know."""
    server = DemoServer(port=0, store=Store())
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    settings.EMR_DEMO_URL = f"{server.address}{ROOT}"
    settings.EMR_DEMO_SECRET = "hush"
    yield server
    server.shutdown()
    server.close()
    thread.join()


@pytest.fixture
def coming(provider: Provider, visit_type: VisitType, jobs_wait: None) -> list[Appointment]:
    """Five visits of five patients next Monday; the worker does nothing by itself."""
    clocks = ("09:00", "10:00", "11:00", "13:00", "14:00")
    names = ("Ada Moreno", "Ben Okafor", "Chloe Lindqvist", "Dev Ramanathan", "Esther Kahananui")
    return [
        AppointmentFactory.create(
            provider=provider,
            visit_type=visit_type,
            start=at(next_monday(), clock),
            patient__name=name,
            patient__clinic=provider.clinic,
        )
        for clock, name in zip(clocks, names, strict=True)
    ]


def seeded(coming: list[Appointment]) -> None:
    """Seed as a day and a half before the visits; what that queued is due now."""
    seeding.seed(coming[0].clinic, now=coming[0].scheduled_start - 1.5 * DAY)
    OutboundMessage.objects.filter(state=State.QUEUED).update(not_before=timezone.now())


def test_nothing_is_joined_without_an_address(clinic: Clinic, settings: Any) -> None:
    settings.EMR_DEMO_URL = ""
    seeding.seed(clinic, now=timezone.now())
    assert not EMRConnection.objects.exists()


def test_a_seeded_clinic_has_something_of_each_kind(
    records: DemoServer, coming: list[Appointment]
) -> None:
    seeded(coming)
    tasks.take_in()
    for _turn in range(4):
        tasks.push()
    assert SyncConflict.objects.get(closed_at=None).kind == ConflictKind.BOTH_MOVED
    assert len(PatientMatch.objects.get(closed_at=None).candidates) > 0
    assert set(EMRTask.objects.values_list("kind", flat=True)) == {TaskKind.ORDER, TaskKind.RESULT}
    dead = OutboundMessage.objects.get(state=State.DEAD)
    assert dead.codes == ["422", "business-rule"]
    told = EMRLink.objects.filter(resource_type="Appointment").values_list("local_id", flat=True)
    assert {coming[3].pk, coming[4].pk, coming[0].pk} == set(told)


def test_what_was_refused_is_taken_when_it_is_sent_again(
    records: DemoServer, coming: list[Appointment]
) -> None:
    seeded(coming)
    dead = OutboundMessage.objects.get(state=State.DEAD)
    replaying.replay(dead, by=UserFactory.create(), now=timezone.now())
    for _turn in range(3):
        tasks.push()
    dead.refresh_from_db()
    assert dead.state == State.DONE


def test_a_second_start_adds_nothing(records: DemoServer, coming: list[Appointment]) -> None:
    before = coming[0].scheduled_start - 1.5 * DAY
    seeding.seed(coming[0].clinic, now=before)
    counts = [model.objects.count() for model in (EMRLink, OutboundMessage, SyncConflict)]
    there = len(records.store.everything())
    seeding.seed(coming[0].clinic, now=before)
    assert [model.objects.count() for model in (EMRLink, OutboundMessage, SyncConflict)] == counts
    assert len(records.store.everything()) == there


def test_a_record_system_that_forgot_all_is_met_anew(
    records: DemoServer, coming: list[Appointment]
) -> None:
    before = coming[0].scheduled_start - 1.5 * DAY
    seeding.seed(coming[0].clinic, now=before)
    for one in records.store.everything():
        records.store.delete(one["resourceType"], one["id"])
    seeding.seed(coming[0].clinic, now=before)
    links = EMRLink.objects.filter(resource_type="Practitioner")
    known = {one["id"] for one in records.store.all("Practitioner")}
    assert {link.resource_id for link in links} == known != set()
