"""Appointments in the shapes that record systems send are read, whatever else they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from emr.fhir.appointment import read_appointment
from emr.fhir.errors import Refused
from emr.visits import Code

ORACLE: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "4822366",
    "meta": {"versionId": "0", "lastUpdated": "2026-02-07T15:22:12.000Z"},
    "text": {"status": "generated", "div": "<div>…</div>"},
    "status": "booked",
    "serviceType": [
        {
            "coding": [
                {
                    "system": "https://fhir.cerner.com/tenant-1/codeSet/14249",
                    "code": "4047611",
                    "display": "Cardiology Follow Up",
                    "userSelected": True,
                },
                {"system": "http://snomed.info/sct", "code": "408443003"},
            ],
            "text": "Cardiology Follow Up",
        }
    ],
    "reasonCode": [{"text": "I have a cramp"}],
    "description": "Cardiology Follow Up",
    "start": "2026-02-10T15:00:00Z",
    "end": "2026-02-10T15:20:00Z",
    "minutesDuration": 20,
    "slot": [{"reference": "Slot/21265426-633867-3121665-10"}],
    "participant": [
        {
            "actor": {"reference": "Patient/12724066", "display": "A, B"},
            "required": "required",
            "status": "accepted",
        },
        {
            "type": [{"coding": [{"code": "PPRF"}]}],
            "actor": {"reference": "Practitioner/4594010"},
            "required": "required",
            "status": "accepted",
        },
        {"actor": {"reference": "Location/21304876"}, "status": "accepted"},
    ],
    "requestedPeriod": [{"start": "2026-02-10T15:00:00Z"}],
}
EPIC_STU3: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "eFzgq",
    "identifier": [{"use": "official", "system": "urn:oid:1.2.840.114350.1", "value": "11001"}],
    "status": "booked",
    "appointmentType": {"coding": [{"system": "urn:oid:1.2.840.3", "code": "1004"}]},
    "reason": [{"text": "Office Visit"}],
    "start": "2026-03-22T10:00:00-05:00",
    "end": "2026-03-22T10:20:00-05:00",
    "participant": [
        {
            "actor": {
                "reference": "https://hospital.example/interconnect/api/FHIR/STU3/Patient/eAB3mD"
            },
            "status": "accepted",
        },
        {
            "actor": {
                "type": "Practitioner",
                "reference": "urn:uuid:7b0c5f0e-7a1d-4d0e-9a53-0b8a6f1d2c41",
            }
        },
        {"status": "accepted"},
    ],
    "contained": [{"resourceType": "Slot", "id": "x"}],
    "extension": [{"url": "http://open.epic.com/x", "valueString": "…"}],
}
R5: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "r5",
    "status": "booked",
    "serviceType": [{"concept": {"coding": [{"system": "urn:s", "code": "V"}]}}],
    "reason": [{"concept": {"coding": [{"display": "Cough"}]}}],
    "start": "2026-03-22T10:00:00.123456789Z",
    "subject": {"reference": "Patient/9/_history/2"},
    "participant": [{"required": True, "actor": {"reference": "PractitionerRole/7"}}],
}


def test_one_of_oracles_is_read() -> None:
    read = read_appointment(ORACLE)
    assert (read.remote_id, read.version_id, read.status) == ("4822366", "0", "booked")
    assert read.start == datetime(2026, 2, 10, 15, tzinfo=UTC)
    assert read.changed_at == datetime(2026, 2, 7, 15, 22, 12, tzinfo=UTC)
    assert (read.patient_id, read.provider_ids) == ("12724066", ("4594010",))
    assert (read.place_ids, read.slot_ids) == (("21304876",), ("21265426-633867-3121665-10",))
    assert (read.reason, read.identifiers) == ("I have a cramp", ())
    assert read.codes[0].code == "4047611"


def test_one_of_epics_older_release_is_read() -> None:
    read = read_appointment(EPIC_STU3)
    assert (read.patient_id, read.reason) == ("eAB3mD", "Office Visit")
    assert read.provider_ids == ("7b0c5f0e-7a1d-4d0e-9a53-0b8a6f1d2c41",)
    assert read.identifiers == (("urn:oid:1.2.840.114350.1", "11001"),)
    assert read.start == datetime(2026, 3, 22, 15, tzinfo=UTC)
    assert read.codes == (Code("urn:oid:1.2.840.3", "1004"),)


def test_one_of_a_newer_release_is_read_without_an_end() -> None:
    read = read_appointment(R5)
    assert (read.patient_id, read.provider_ids, read.reason) == ("9", ("7",), "Cough")
    assert read.end is None
    assert read.start == datetime(2026, 3, 22, 10, 0, 0, 123456, tzinfo=UTC)
    assert read.codes == (Code("urn:s", "V"),)


def test_next_to_nothing_is_read_as_that() -> None:
    read = read_appointment({"resourceType": "Appointment", "id": "1"})
    assert (read.status, read.start, read.patient_id, read.slot_ids) == ("", None, "", ())


@pytest.mark.parametrize(
    "odd",
    [
        {"participant": "nobody"},
        {"participant": [None, 3, {"actor": []}, {"actor": {"reference": 5}}]},
        {
            "participant": [
                {"actor": {"reference": "Patient/"}},
                {"actor": {"reference": "x" * 900}},
            ]
        },
        {"start": "2026-02-10", "end": "soon", "meta": []},
        {"start": "2026-02-10T10:00:00"},
        {"start": "9999-12-31T23:59:59-14:00"},
        {"identifier": [{"value": {}}, "x", {"system": "urn:a"}]},
        {"serviceType": [[]], "reasonCode": {"text": 5}, "slot": {"reference": None}},
        {"meta": {"tag": ["x", {"system": None}], "versionId": 4}},
    ],
)
def test_odd_shapes_are_read_as_empty(odd: dict[str, Any]) -> None:
    read = read_appointment({"resourceType": "Appointment", "id": "1", "status": "booked"} | odd)
    assert (read.start, read.end, read.patient_id, read.reason) == (None, None, "", "")
    assert (read.identifiers, read.slot_ids, read.is_confirmed) == ((), (), False)


def test_a_long_reason_is_cut_and_not_refused() -> None:
    read = read_appointment({"id": "1", "reasonCode": [{"text": "x" * 4000}]})
    assert len(read.reason) == 255


def test_without_an_id_it_could_not_be_recognised_again() -> None:
    with pytest.raises(Refused):
        read_appointment({"resourceType": "Appointment", "status": "booked"})


def test_what_was_read_shows_no_reason_and_no_raw_text() -> None:
    assert "cramp" not in repr(read_appointment(ORACLE))
