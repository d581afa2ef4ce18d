"""Visits, patients and notes as drivers are given them, and how connections are written to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from emr.hl7v2.parts import Wire
from emr.visits import Code, Known, Note, Party, Person, Visit
from scheduling.transitions import Status

ID = UUID("0192b3c4-5d6e-7f80-9123-456789abcdef")
PATIENT = UUID("0192b3c4-0000-7000-8000-00000000000a")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
MARKER = "9A4F00C2D3E4F501"
VERSIONS = ("2.3", "2.5.1")
TYPES = {
    "NEW_PATIENT": "New patient",
    "FOLLOW_UP": "Follow-up",
    "URGENT_CARE": "Urgent care",
    "TELEHEALTH": "Telehealth",
}


def wire(version: str = "2.5.1", **changes: Any) -> Wire:
    made = Wire(version=version, zone=NEW_YORK, here="DAYSHEET|RIVERSIDE", there="EPIC|HOSPITAL")
    return replace(made, **changes)


def person(**changes: Any) -> Person:
    made = Person(
        id=PATIENT,
        given="Rosa María",
        family="O'Neil-Ñandú",
        dob=date(1980, 2, 29),
        sex="female",
        phone="+12125550123",
        email="rosa@example.org",
        address={"line": "1 High St", "city": "Troy", "state": "NY", "postal_code": "12180"},
        language="es",
        member_id="XYZ1",
    )
    return replace(made, **changes)


def visit(type_code: str = "FOLLOW_UP", **changes: Any) -> Visit:
    made = Visit(
        id=ID,
        reference="7KQ2",
        status=Status.SCHEDULED,
        start=START,
        end=START + timedelta(minutes=30),
        patient=Party(remote_id="MRN7"),
        provider=Party(
            remote_id="E9",
            name="Dr. Amara Diallo",
            given="Amara",
            family="Diallo",
            npi="1234567893",
        ),
        place=Party(remote_id="RIV1", name="Riverside Clinic"),
        type_code=type_code,
        type_label=TYPES.get(type_code, type_code.title()),
        code=Code("", "1004", "Office visit"),
        is_telehealth=type_code == "TELEHEALTH",
        reason="Knee | pain ^ since ~ May & \\ worse",
        changed_at=NOW,
        created_at=NOW - timedelta(days=1),
        marker=MARKER,
        person=person(),
    )
    return replace(made, **changes)


def note(**changes: Any) -> Note:
    made = Note(
        marker="77AA00C2D3E4F501",
        visit=visit(status=Status.COMPLETED),
        appointment=Known(ID.hex),
        text="Visit of 24 Nov.\nTo be completed | signed.",
        author=visit().provider,
        written_at=NOW,
    )
    return replace(made, **changes)
