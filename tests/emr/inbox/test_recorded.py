"""Whatever is opened to take something in leaves a row: who looked, for what, at whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from emr import tasks
from emr.models import InboundMessage
from patients.models.audit import Act, AuditEntry, Outcome
from patients.privacy import audit
from tests.emr.inbox.conftest import Joined
from tests.emr.inbox.test_hooks import SECRET
from tests.emr.inbox.test_people import disputed

SYSTEM = "system:emr"


@pytest.fixture
def strict(joined: Joined, settings: Any) -> None:
    """Nothing is opened from here on where nobody keeps a record of it."""
    settings.LOOKS_MUST_BE_RECORDED = True


def looks() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=Act.ACCESS, system_actor=SYSTEM))


def test_taking_a_visit_names_its_patient(joined: Joined, strict: None) -> None:
    joined.receive(joined.add(joined.clock(), reasonCode=[{"text": "sore knee"}]))
    tasks.take_in()
    assert InboundMessage.objects.get().state == "DONE"
    (row,) = looks()
    assert (row.purpose, row.outcome) == ("emr", Outcome.DONE)
    assert row.clinic_id == joined.connection.clinic_id


def test_comparing_a_patient_names_them_and_the_fields(joined: Joined, strict: None) -> None:
    with audit.keeping_record(system="system:test", purpose="test"):
        joined.receive(disputed(joined), "Patient")
    tasks.take_in()
    (row,) = looks()
    assert row.patient_ids == [joined.patient.pk]
    assert "phone" in row.field_names


def test_asking_for_changes_is_recorded(joined: Joined, strict: None) -> None:
    with audit.keeping_record(system="system:test", purpose="test"):
        joined.connection.polls_every_minutes = 5
        joined.connection.save()
    tasks.poll()
    joined.add(joined.clock())
    assert tasks.poll(str(joined.connection.pk)) == {"told": 1}
    assert {row.purpose for row in looks()} <= {"emr"}


@pytest.mark.parametrize(("secret", "outcome"), [(SECRET, Outcome.DONE), ("wrong", Outcome.DENIED)])
def test_who_knocks_at_the_door_of_a_connection_is_recorded(
    client: Client, joined: Joined, strict: None, secret: str, outcome: Outcome
) -> None:
    url = reverse("emr_hooks:notified", args=[joined.connection.pk])
    body = json.dumps({"resourceType": "Appointment", "id": "a1"})
    shown = {"Authorization": f"Bearer {secret}"}
    client.post(url, body, content_type="application/json", headers=shown)
    row = AuditEntry.objects.filter(page="emr_hooks:notified").get()
    assert row.outcome == outcome
    assert (row.system_actor == SYSTEM) is (secret == SECRET)
