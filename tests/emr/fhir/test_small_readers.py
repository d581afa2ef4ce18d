"""Outcomes, slots and moments of others, read for what may be kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from emr.fhir import instants
from emr.fhir.errors import Refused
from emr.fhir.operation_outcome import codes
from emr.fhir.references import target, type_of
from emr.fhir.slot import read_slot


def _outcome(*issues: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def test_an_outcome_says_its_codes_and_never_its_text() -> None:
    issue = {
        "severity": "error",
        "code": "business-rule",
        "details": {"coding": [{"system": "urn:oid:1.2", "code": "4130"}], "text": "Ana Torres"},
        "diagnostics": "Ana Torres was born 1984-02-29",
    }
    assert codes(_outcome(issue, issue)) == ("business-rule", "4130")


def test_a_warning_is_no_reason_and_names_are_no_codes() -> None:
    warning = {"severity": "warning", "code": "informational"}
    odd = {"severity": "fatal", "code": "Ana Torres", "details": {"coding": [{"code": "x" * 90}]}}
    assert codes(_outcome(warning, odd)) == ()


def test_an_outcome_inside_a_bundle_is_found() -> None:
    inner = _outcome({"severity": "error", "code": "not-found"})
    assert codes({"resourceType": "Bundle", "entry": [{"resource": inner}]}) == ("not-found",)
    answer = {"response": {"status": "412", "outcome": inner}}
    assert codes({"resourceType": "Bundle", "entry": [answer]}) == ("not-found",)


@pytest.mark.parametrize("body", [{}, {"resourceType": "OperationOutcome"}, {"issue": 4}])
def test_a_body_without_an_outcome_has_no_codes(body: dict[str, Any]) -> None:
    assert codes(body) == ()


@pytest.mark.parametrize("odd", [{}, {"start": "2026-05-04T10:00:00Z"}, {"start": "x", "end": 1}])
def test_a_slot_without_its_time_is_refused(odd: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read_slot({"resourceType": "Slot", "id": "1"} | odd)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Patient/1", "Patient"),
        ("Patient/1/_history/2", "Patient"),
        ("https://ehr.example/api/FHIR/R4/Slot/a.b-C", "Slot"),
        ("urn:uuid:0197b9a2-5c1e-7d30-8a44-3f6f0f5f2b10", ""),
        ("#inside", ""),
        ("Patient/a b", None),
        ("patient/1", None),
        ("javascript:Patient/1", None),
        ("Patient", None),
        ("", None),
    ],
)
def test_a_reference_is_well_formed_or_not(written: str, kind: str | None) -> None:
    assert target(written) == kind


def test_a_reference_without_a_type_in_it_may_say_it_besides() -> None:
    assert type_of({"reference": "#d", "type": "Practitioner"}) == "Practitioner"
    assert type_of({"reference": "Patient/1", "type": "Practitioner"}) == "Patient"
    assert type_of("nothing") == ""


def test_moments_are_written_and_read_in_utc() -> None:
    at = datetime(2026, 5, 4, 13, 20, 5, 999, tzinfo=UTC)
    assert instants.utc(at) == "2026-05-04T13:20:05Z"
    assert instants.read("2026-05-04T09:20:05-04:00") == at.replace(microsecond=0)
    assert instants.read("2026-05-04T09:20:05") is None
    assert instants.read("x" * 900) is None
