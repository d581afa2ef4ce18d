"""What may not leave does not, and the refusal tells where and never what."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from emr.failures import Refused
from emr.fhir.appointment import appointment
from emr.fhir.bindings import RESOURCE_CODES, TARGETS
from emr.fhir.checking import Invalid, checked
from emr.fhir.patient_out import person as patient
from scheduling.transitions import Status
from tests.emr.fhir.judging import OPEN
from tests.emr.fhir.made import person, visit

Json = dict[str, Any]
SAID = {"actor": {"reference": "Patient/1"}, "status": "accepted"}


def _refusal(resource: Json) -> tuple[str, ...]:
    with pytest.raises(Invalid) as refusal:
        checked(resource)
    return refusal.value.codes


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "done"}, "code:Appointment.status"),
        ({"participant": [SAID | {"status": "ok"}]}, "code:Appointment.participant.status"),
        ({"participant": [SAID | {"required": "yes"}]}, "code:Appointment.participant.required"),
        ({"participant": [{"status": "accepted"}]}, "app-1"),
        ({"participant": None}, "structure:participant"),
        ({"end": None}, "app-2"),
        ({"start": None, "end": None}, "app-3"),
        ({"cancelationReason": {"text": "x"}}, "app-4"),
        ({"end": "2026-05-04T13:20:00Z"}, "order:Appointment"),
        ({"start": "2026-05-04T09:20:00-04:00"}, "moment:start"),
        ({"start": 5}, "moment:start"),
        ({"created": "2026-05-04"}, "moment:created"),
        ({"minutesDuration": "20"}, "integer:minutesDuration"),
        ({"minutesDuration": True}, "integer:minutesDuration"),
        ({"slot": [{"reference": "Patient/1"}]}, "reference:Appointment.slot"),
        ({"slot": [{"reference": "Slot/a b"}]}, "reference:Appointment.slot"),
        ({"slot": [{"display": "at nine"}]}, "reference:Appointment.slot"),
        ({"reasonCode": [{}]}, "ele-1:reasonCode"),
        ({"reasonCode": []}, "ele-1:reasonCode"),
        ({"identifier": [{"use": "best", "value": "1"}]}, "code:identifier.use"),
        (
            {"requestedPeriod": [{"start": "2026-05-05", "end": "2026-05-04"}]},
            "per-1:requestedPeriod",
        ),
        ({"reason": [{"text": "x"}]}, "structure:reason"),
        ({"resourceType": "Nonsense"}, "structure:resourceType"),
        ({"resourceType": None}, "structure:resourceType"),
    ],
)
def test_a_broken_resource_is_noticed(change: Json, code: str) -> None:
    broken = appointment(visit()) | change
    assert code in _refusal({key: value for key, value in broken.items() if value is not None})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"gender": "f"}, "code:Patient.gender"),
        ({"telecom": [{"system": "mobile", "value": "1"}]}, "code:telecom.system"),
        ({"telecom": [{"value": "1"}]}, "cpt-2:telecom"),
        ({"name": [{"use": "legal", "family": "X"}]}, "code:name.use"),
        ({"active": "true"}, "boolean:active"),
    ],
)
def test_a_broken_patient_is_noticed_also_inside_of_others(change: Json, code: str) -> None:
    broken = patient(person()) | change
    assert code in _refusal(broken)
    entry = {"resource": broken}
    assert code in _refusal({"resourceType": "Bundle", "type": "collection", "entry": [entry]})
    asked = {"name": "resource", "resource": broken}
    assert code in _refusal({"resourceType": "Parameters", "parameter": [asked]})


def test_a_refusal_never_repeats_a_value() -> None:
    broken = appointment(visit(reason="SECRET")) | {"status": "SECRET", "nope": "SECRET"}
    with pytest.raises(Invalid) as refusal:
        checked(broken)
    assert "SECRET" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_a_refusal_is_final_for_whoever_sends() -> None:
    assert issubclass(Invalid, Refused)


def test_what_may_leave_is_a_copy() -> None:
    made = appointment(visit(status=Status.CANCELLED))
    assert checked(made) == made
    assert checked(made) is not made


@pytest.mark.parametrize(
    ("kind", "path"),
    [(kind, path) for kind, paths in RESOURCE_CODES.items() for path in paths],
)
def test_the_codes_are_those_that_the_definitions_list(kind: str, path: str) -> None:
    declared = _declared(kind, path).get("enum_values")
    if declared and not OPEN & set(declared):
        ours, is_narrower = RESOURCE_CODES[kind][path], path == "fhirVersion"
        assert ours < set(declared) if is_narrower else ours == set(declared)


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, paths in TARGETS.items() for path in paths]
)
def test_the_targets_are_those_that_the_definitions_list(kind: str, path: str) -> None:
    declared = set(_declared(kind, path)["enum_reference_types"])
    assert TARGETS[kind][path] == declared


def _declared(kind: str, path: str) -> dict[str, Any]:
    """Return what fhir.resources knows of the element at a path."""
    model: Any = get_fhir_model_class(kind)
    name, _, rest = path.partition(".")
    while rest:
        kind = f"{model.__name__}{name[0].upper()}{name[1:]}"
        model = get_fhir_model_class(kind)
        name, _, rest = rest.partition(".")
    extra: dict[str, Any] = model.model_fields[name].json_schema_extra
    return extra
