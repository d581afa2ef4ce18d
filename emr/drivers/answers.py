"""What a driver makes of what it is answered: appointments, versions, ids of what was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emr.failures import Refused, Unsure
from emr.fhir import errors
from emr.fhir.appointment import read_appointment
from emr.fhir.tolerant import part
from emr.transport import Reply
from emr.visits import Remote

_PLACE = re.compile(
    r"(?:^|/)(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.\-]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9.\-]{1,64}))?$"
)


def remote(resource: Mapping[str, Any], *, etag: str = "") -> Remote:
    """Read an appointment; its version is its own, else that of the header. Raises Refused."""
    try:
        found = read_appointment(resource)
    except errors.Refused as error:
        raise Refused("unreadable", error.code) from None
    return found if found.version_id or not etag else replace(found, version_id=etag)


def is_a(resource_type: str, resource: Mapping[str, Any]) -> bool:
    return resource.get("resourceType") == resource_type and isinstance(resource.get("id"), str)


def made(reply: Reply, resource_type: str) -> tuple[str, str]:
    """Return (id, version) of what a create made, from its body or its headers.

    Raises Unsure where neither says: it was made, and must be searched for.
    """
    if is_a(resource_type, reply.body):
        version = part(reply.body.get("meta")).get("versionId")
        return str(reply.body["id"]), str(version or reply.etag)
    place = _PLACE.search(reply.location)
    if place is None or place["type"] != resource_type:
        raise Unsure("no-id")
    return place["id"], reply.etag or place["version"] or ""
