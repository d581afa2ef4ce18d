"""The judge itself can fail: whatever is broken on purpose is noticed."""

from __future__ import annotations

from typing import Any

import pytest

from emr.fhir.appointment import appointment
from scheduling.transitions import Status
from tests.emr.fhir.judging import complaints
from tests.emr.fhir.made import visit

BROKEN: dict[str, dict[str, Any]] = {
    "Appointment.status: done": {"status": "done"},
    "AppointmentParticipant.status": {
        "participant": [{"actor": {"reference": "Patient/1"}, "status": "ok"}]
    },
    "app-1": {"participant": [{"status": "accepted"}]},
    "app-2": {"end": None, "status": "cancelled"},
    "app-3": {"start": None, "end": None},
    "app-4": {"cancelationReason": {"text": "Patient asked"}},
    "Appointment.slot: Patient/1": {"slot": [{"reference": "Patient/1"}]},
    "participant": {"participant": None},
    "reason": {"reason": [{"text": "R5"}]},
}


@pytest.mark.parametrize("complaint", BROKEN)
def test_what_is_broken_is_noticed(complaint: str) -> None:
    broken = appointment(visit()) | BROKEN[complaint]
    told = complaints({name: value for name, value in broken.items() if value is not None})
    assert any(complaint in one for one in told), told


def test_what_is_whole_is_left_alone() -> None:
    assert complaints(appointment(visit(status=Status.CANCELLED))) == []
