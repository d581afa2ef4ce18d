"""What is kept of a server's CapabilityStatement and of its SMART configuration, and whether it is
one that this house can speak to.

Pure. The parts keep the shape that FHIR gave them; all the rest, megabytes at some, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from emr.addresses import origin_of
from emr.failures import Refused
from emr.fhir.tolerant import items, part, text, texts

RELEASE = "4.0"
OTHER_RELEASE = "fhir-version"
URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
ENDPOINTS = {
    "token": "token_endpoint",
    "authorize": "authorization_endpoint",
}
ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LISTS = (
    "capabilities",
    "code_challenge_methods_supported",
    "grant_types_supported",
    "scopes_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
)
FLAGS = ("conditionalCreate", "conditionalUpdate", "updateCreate")


def kept_capability(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what drivers ask of a CapabilityStatement.

    Raises Refused for anything else, and for another release than R4 (4.0).
    """
    if said.get("resourceType") != "CapabilityStatement":
        raise Refused("no-capability")
    if not text(said.get("fhirVersion")).startswith(RELEASE):
        raise Refused(OTHER_RELEASE)
    software = part(said.get("software"))
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": text(said.get("fhirVersion")),
        "format": list(texts(said.get("format"))),
        "patchFormat": list(texts(said.get("patchFormat"))),
        "software": {name: text(software.get(name)) for name in ("name", "version")},
        "rest": [_rest(rest) for rest in items(said.get("rest"))],
    }


def kept_configuration(said: Mapping[str, Any], capability: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is used of a SMART configuration, with the addresses that may be asked only.

    Where it names no endpoints, the older extension of the CapabilityStatement does.
    """
    own = {name: address for name in ADDRESSES if (address := text(said.get(name)))}
    named = _from_extension(capability) | own
    kept: dict[str, Any] = {
        name: address for name, address in named.items() if origin_of(address) is not None
    }
    if issuer := text(said.get("issuer")):
        kept["issuer"] = issuer
    for name in LISTS:
        if listed := list(texts(said.get(name))):
            kept[name] = listed
    return kept


def digest(capability: Mapping[str, Any], configuration: Mapping[str, Any]) -> bytes:
    """Return 32 bytes that differ where anything that is kept does."""
    written = json.dumps([capability, configuration], sort_keys=True)
    return sha256(written.encode()).digest()


def _rest(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "mode": text(said.get("mode")),
        "interaction": _codes(said.get("interaction")),
        "operation": _named(said.get("operation")),
        "resource": [_resource(resource) for resource in items(said.get("resource"))],
    }


def _resource(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": text(said.get("type")),
        "versioning": text(said.get("versioning")),
        "interaction": _codes(said.get("interaction")),
        "searchParam": _named(said.get("searchParam")),
        "operation": _named(said.get("operation")),
        **{name: True for name in FLAGS if said.get(name) is True},
    }


def _codes(said: object) -> list[dict[str, str]]:
    return [{"code": text(item.get("code"))} for item in items(said)]


def _named(said: object) -> list[dict[str, str]]:
    return [{"name": text(item.get("name"))} for item in items(said)]


def _from_extension(capability: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for rest in items(capability.get("rest")):
        for outer in items(part(rest.get("security")).get("extension")):
            if text(outer.get("url")) == URIS:
                for inner in items(outer.get("extension")):
                    if name := ENDPOINTS.get(text(inner.get("url"))):
                        found[name] = text(inner.get("valueUri"))
    return found
