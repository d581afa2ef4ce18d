"""Writes a server's CapabilityStatement from its rules. Pure."""

from __future__ import annotations

from typing import Any

from emr.demo_server.rules import Rules


def capability(rules: Rules, root: str) -> dict[str, Any]:
    """Return what the server says of itself: interactions, search parameters, operations."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "software": {"name": rules.software, "version": "1"},
        "implementation": {"description": rules.software, "url": root},
        "fhirVersion": rules.fhir_version,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(kind, rules) for kind in sorted(rules.types)],
            }
        ],
    }


def _resource(kind: str, rules: Rules) -> dict[str, Any]:
    offered = rules.interactions(kind)
    row: dict[str, Any] = {
        "type": kind,
        "interaction": [{"code": code} for code in sorted(offered)],
        "versioning": "versioned-update" if "update" in offered else "versioned",
    }
    if "create" in offered:
        row["conditionalCreate"] = rules.conditional_create
    if "search-type" in offered:
        row["searchParam"] = [
            {"name": name, "type": "string"} for name in sorted(rules.search_parameters(kind))
        ]
    operations = _operations(kind, rules)
    return row | ({"operation": operations} if operations else {})


def _operations(kind: str, rules: Rules) -> list[dict[str, str]]:
    named = [one for one in rules.operations if one.startswith(f"{kind}-")]
    if kind == "Patient" and rules.patient_match:
        named.append("Patient-match")
    return [
        {
            "name": one.partition("-")[2],
            "definition": f"http://hl7.org/fhir/OperationDefinition/{one}",
        }
        for one in named
    ]
