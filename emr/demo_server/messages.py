"""What a FHIR server is asked and answers, apart from any socket. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

FHIR_JSON = "application/fhir+json"
PATCH_JSON = "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is below the FHIR root, without a slash at either end; header names are lower-case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def json(self) -> Any:
        """Return the body. Raises ValueError."""
        return json.loads(self.body)

    @property
    def version(self) -> str:
        """The version that If-Match names, bare; empty without one."""
        return self.headers.get("if-match", "").removeprefix("W/").strip('"')


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def query_of(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(text, keep_blank_values=True))


def said(status: int, body: Mapping[str, Any], **headers: str) -> Answer:
    """Answer with a resource; `etag` and `location` are headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    written = json.dumps(body).encode()
    return Answer(status, written, {"content-type": f"{FHIR_JSON}; charset=utf-8", **named})


def kept(status: int, resource: Mapping[str, Any], *, root: str) -> Answer:
    """Answer with a resource as it is kept, its version and where it is."""
    version = resource["meta"]["versionId"]
    place = f"{root}/{resource['resourceType']}/{resource['id']}/_history/{version}"
    return said(status, resource, etag=f'W/"{version}"', location=place)


def refused(status: int, code: str, details: str = "", *, text: str = "") -> Answer:
    """Answer with an OperationOutcome: `code` is its issue type, `details` a code of the server."""
    issue: dict[str, Any] = {"severity": "error", "code": code}
    if details:
        issue["details"] = {"coding": [{"code": details}], "text": text or details}
    if text:
        issue["diagnostics"] = text
    return said(status, {"resourceType": "OperationOutcome", "issue": [issue]})
