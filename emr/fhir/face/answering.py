"""The envelopes of answers: bundles of what was found, refusals, and the list of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from emr.fhir import instants
from emr.fhir.building import filled
from emr.fhir.checking import checked

Json = dict[str, Any]


def searchset(
    resources: Sequence[Json],
    *,
    base: str,
    kind: str,
    params: Mapping[str, Sequence[str]],
    total: int,
    following: Mapping[str, str] | None = None,
) -> Json:
    """Return what a search found. `base` is the FHIR root; `following` are the parameters that
    lead to the next page, beside those of this one."""
    links = [{"relation": "self", "url": _address(base, kind, params)}]
    if following:
        more = {**params, **{name: [value] for name, value in following.items()}}
        links.append({"relation": "next", "url": _address(base, kind, more)})
    entries = [
        {
            "fullUrl": f"{base}/{kind}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": total,
        "link": links,
        "entry": entries,
    }
    return checked(filled(bundle))


def outcome(code: str, reason: str) -> Json:
    """Return why a request is not answered."""
    issue = {"severity": "error", "code": code, "diagnostics": reason}
    return checked({"resourceType": "OperationOutcome", "issue": [issue]})


def manifest(files: Iterable[tuple[str, str]], *, request: str, at: datetime) -> Json:
    """Return the list of published files, as (resource type, address); it is no FHIR resource."""
    return {
        "transactionTime": instants.utc(at),
        "request": request,
        "output": [{"type": kind, "url": url} for kind, url in files],
        "error": [],
    }


def _address(base: str, kind: str, params: Mapping[str, Sequence[str]]) -> str:
    written = urlencode(sorted(params.items()), doseq=True)
    return f"{base}/{kind}?{written}" if written else f"{base}/{kind}"
