"""What of the record systems hangs on a patient's record, and how it goes over when two are joined.

Visits take their own messages along. Where both records wait for the same, one of them is enough.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from emr.kinds import LIVE, State, What, Why
from emr.models import (
    EMRLink,
    EMRTask,
    InboundMessage,
    OutboundMessage,
    PatientMatch,
    SyncConflict,
)
from patients.models import Patient
from patients.repointing import Repointing


def on_merge(way: Repointing) -> None:
    """Let the resources that became the one record change the other from now on, and move what is
    to be told, what was told, and what people are asked."""
    links = EMRLink.objects.filter(local_model=Patient._meta.label_lower)
    way.move(links, column="local_id")
    if way.is_joining:
        _ask_once(way)
    for model in (OutboundMessage, InboundMessage, SyncConflict, EMRTask, PatientMatch):
        way.move(model._default_manager.all())


def _ask_once(way: Repointing) -> None:
    """Drop the one record's questions who it is, where the other's are open as well."""
    asked = OutboundMessage.objects.filter(what=What.PATIENT.value, state__in=LIVE)
    for message in _double(asked, way):
        way.change(message, state=State.SKIPPED.value, why=Why.SUPERSEDED.value)
    for match in _double(PatientMatch.objects.filter(closed_at=None), way):
        way.change(match, closed_at=way.at)


def _double(rows: QuerySet[Any], way: Repointing) -> list[Any]:
    """Return the source's rows of connections at which the target has such a row too."""
    kept = rows.filter(patient_id=way.target).values("connection")
    return list(rows.filter(patient_id=way.source, connection__in=kept))
