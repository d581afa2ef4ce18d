"""Who may be the patient that is looked for: a small `$match`, by what people share. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emr.demo_server.rules import Refusal

_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_WEIGHTS = {"identifier": 0.6, "family": 0.25, "given": 0.2, "birthDate": 0.35, "telecom": 0.15}
_CERTAIN, _PROBABLE, _POSSIBLE = 0.9, 0.7, 0.6


def matches(
    parameters: Mapping[str, Any], patients: Sequence[Mapping[str, Any]], root: str
) -> dict[str, Any]:
    """Return a searchset of candidates, the best first. Raises Refusal for other parameters."""
    given = {one.get("name"): one for one in parameters.get("parameter", [])}
    wanted = given.get("resource", {}).get("resource")
    if parameters.get("resourceType") != "Parameters" or not isinstance(wanted, Mapping):
        raise Refusal(422, "required")
    only_certain = bool(given.get("onlyCertainMatches", {}).get("valueBoolean"))
    count = int(given.get("count", {}).get("valueInteger", 10))
    scored = sorted(((_score(wanted, one), one) for one in patients), key=lambda pair: -pair[0])
    least = _CERTAIN if only_certain else _POSSIBLE
    hits = [_entry(score, one, root) for score, one in scored if score >= least][:count]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(hits)}
    return bundle | ({"entry": hits} if hits else {})


def _entry(score: float, patient: Mapping[str, Any], root: str) -> dict[str, Any]:
    grade = "certain" if score >= _CERTAIN else "probable" if score >= _PROBABLE else "possible"
    return {
        "fullUrl": f"{root}/Patient/{patient['id']}",
        "resource": patient,
        "search": {
            "mode": "match",
            "score": round(score, 2),
            "extension": [{"url": _GRADE, "valueCode": grade}],
        },
    }


def _score(wanted: Mapping[str, Any], patient: Mapping[str, Any]) -> float:
    ours, theirs = _facts(wanted), _facts(patient)
    total = sum(weight for name, weight in _WEIGHTS.items() if ours[name] & theirs[name])
    return min(1.0, total)


def _facts(patient: Mapping[str, Any]) -> dict[str, set[str]]:
    names = patient.get("name", [])
    return {
        "identifier": {
            f"{one.get('system', '')}|{one.get('value', '')}"
            for one in patient.get("identifier", [])
        },
        "family": {str(name.get("family", "")).casefold() for name in names} - {""},
        "given": {part.casefold() for name in names for part in name.get("given", [])[:1]},
        "birthDate": {str(patient.get("birthDate", ""))} - {""},
        "telecom": {str(one.get("value", "")) for one in patient.get("telecom", [])} - {""},
    }
