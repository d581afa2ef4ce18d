"""Whatever is opened to tell a record system leaves a row; the house's own secrets are nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emr import tasks
from emr.models import OutboundMessage
from patients.models.audit import Act, AuditEntry, Outcome
from providers.models import Provider, VisitType
from tests.emr.outbox.scene import Scene, scene_at
from tests.emr.peers import generic_peer

pytestmark = pytest.mark.django_db


@pytest.fixture
def guarded(provider: Provider, visit_type: VisitType) -> Iterator[Scene]:
    """A record system that asks who we are, before anything was sent."""
    with generic_peer(auth=True, client_secret="hush") as peer:
        yield scene_at(peer, provider, visit_type)


def looks() -> list[AuditEntry]:
    rows = AuditEntry.objects.filter(action__in=[Act.ACCESS, Act.SEND], system_actor="system:emr")
    return list(rows.order_by("id"))


def test_a_visit_that_is_told_names_its_patient_and_the_fields(
    guarded: Scene, settings: Any
) -> None:
    visit = guarded.book()
    settings.LOOKS_MUST_BE_RECORDED = True
    tasks.push(str(guarded.connection.pk))
    assert OutboundMessage.objects.get(appointment=visit).state == "DONE"
    assert guarded.peer.tokens
    (row,) = [row for row in looks() if row.action == Act.SEND]
    assert (row.purpose, row.outcome) == ("emr", Outcome.DONE)
    assert row.patient_ids == [visit.patient_id]
    assert row.field_names == ["reason_for_visit"]


def test_asking_what_a_server_offers_opens_nothing(guarded: Scene, settings: Any) -> None:
    settings.LOOKS_MUST_BE_RECORDED = True
    assert tasks.discover() == {"answered": 1, "failed": 0}
    assert looks() == []
