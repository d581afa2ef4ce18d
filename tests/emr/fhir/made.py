"""Visits, people and notes for the mappers' tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from emr.visits import Code, Known, Note, Party, Person, Visit
from scheduling.seeding import cast
from scheduling.transitions import Status

START = datetime(2026, 5, 4, 13, 20, tzinfo=UTC)
VISIT_ID = UUID("0197b9a2-5c1e-7d30-8a44-3f6f0f5f2b10")
MESSAGE_ID = "0197b9a2-5c1e-7d30-8a44-3f6f0f5f2b99"
PATIENT = Party(remote_id="pat-1")
PROVIDER = Party(remote_id="doc-1", name="Dr. Amara Okafor", npi="1234567893")
PLACE = Party(remote_id="loc-1", name="Riverside Clinic")
KINDS = {kind.code: kind for kind in cast.VISIT_TYPES}


def visit(of: str = "FOLLOW_UP", status: Status = Status.SCHEDULED, **rest: Any) -> Visit:
    """Make a visit of one of the demo clinic's types."""
    kind = KINDS[of]
    told: dict[str, Any] = {
        "id": VISIT_ID,
        "reference": "BCDF2345",
        "status": status,
        "start": START,
        "end": START + timedelta(minutes=kind.minutes),
        "patient": PATIENT,
        "provider": PROVIDER,
        "place": PLACE,
        "type_code": kind.code,
        "type_label": kind.label,
        "is_telehealth": kind.is_telehealth,
        "changed_at": START - timedelta(days=1),
        "created_at": START - timedelta(days=9, microseconds=5),
    }
    return Visit(**told | rest)


def note(**rest: Any) -> Note:
    told: dict[str, Any] = {
        "marker": MESSAGE_ID,
        "visit": visit(status=Status.COMPLETED),
        "appointment": Known("app-1", "3"),
        "text": "Seen for a cough — naïve “quotes” kept.\nPlan: rest.",
        "author": PROVIDER,
        "written_at": START + timedelta(hours=1),
    }
    return Note(**told | rest)


def person(**rest: Any) -> Person:
    told: dict[str, Any] = {
        "id": VISIT_ID,
        "given": "Ana María",
        "family": "Torres",
        "dob": date(1984, 2, 29),
        "sex": "female",
        "phone": "+12125550143",
        "email": "ana.torres@example.org",
        "address": {"line": "12 River St", "city": "Salem", "state": "NY", "postal_code": "10599"},
        "language": "es",
        "member_id": "HH-4471",
        "identifiers": (("urn:hospital", "MRN-1"),),
    }
    return Person(**told | rest)


CODE = Code("https://ehr.example/codeset/14249", "4048123", "Office visit")
