"""Somebody without an account who asks our FHIR face."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.utils import timezone

from emr.fhir.face.offers import Offer
from emr.offering.rows import on_offer
from providers.models import Provider, VisitType
from tests.emr.fhir.judging import complaints

Json = dict[str, Any]
SITE = "http://127.0.0.1:8000"


@dataclass
class Visitor:
    client: Client = field(default_factory=Client)

    def get(self, address: str, params: Json | None = None, **headers: str) -> Any:
        """Ask for a FHIR address, relative to the root or whole."""
        path = address.removeprefix(SITE)
        if not path.startswith("/"):
            path = f"/fhir/{path}"
        return self.client.get(path, params, headers=headers)

    def read(self, address: str, params: Json | None = None, *, status: int = 200) -> Json:
        """Return the resource that is answered, which is valid."""
        response = self.get(address, params)
        assert response.status_code == status, response.content
        assert response["Content-Type"] == "application/fhir+json"
        said: Json = json.loads(response.content)
        assert complaints(said) == []
        return said

    def all(self, address: str, params: Json | None = None) -> list[Json]:
        """Return what is found on all pages."""
        bundle = self.read(address, params)
        found = resources(bundle)
        while following := link(bundle, "next"):
            bundle = self.read(following)
            found += resources(bundle)
        assert len(found) == bundle["total"]
        return found

    def lines(self, address: str) -> list[Json]:
        response = self.get(address)
        assert response["Content-Type"] == "application/fhir+ndjson"
        return [json.loads(line) for line in response.content.decode().splitlines()]


def resources(bundle: Json) -> list[Json]:
    return [entry["resource"] for entry in bundle.get("entry", [])]


def link(bundle: Json, relation: str) -> str:
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), "")


def offer_of(provider: Provider, kind: VisitType) -> Offer:
    every = on_offer(now=timezone.now())
    wanted = (provider.pk, kind.pk)
    return next(one.offer for one in every if (one.provider.pk, one.kind.pk) == wanted)
