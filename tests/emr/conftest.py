"""Runs of the import on resources written in a test, and record systems to speak with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from emr.findings import Finding, Tally
from emr.importing import import_files
from emr.intake.kinds import Target
from providers.models import Clinic
from tests.emr.peers import Peer, epic_peer, generic_peer, oracle_peer

Resource = dict[str, Any]


@dataclass
class Run:
    """What one run counted and told."""

    tally: Tally
    findings: list[Finding]

    def count(self, resource_type: str, outcome: str) -> int:
        return self.tally.outcomes[resource_type, outcome]

    @property
    def codes(self) -> list[str]:
        return [finding.code for finding in self.findings]


@dataclass
class Importer:
    """Writes bundles to files, one for each list of resources, and imports them in that order."""

    folder: Path
    target: Target
    runs: int = field(default=0)

    def __call__(self, *bundles: list[Resource], target: Target | None = None) -> Run:
        self.runs += 1
        files = [self._write(number, bundle) for number, bundle in enumerate(bundles)]
        findings: list[Finding] = []
        tally = import_files(
            files, target=target or self.target, tell=findings.append, advance=lambda _count: None
        )
        return Run(tally, findings)

    def _write(self, number: int, resources: list[Resource]) -> Path:
        path = self.folder / f"{self.runs}-{number}.json"
        entries = [{"resource": resource} for resource in resources]
        path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}))
        return path


@pytest.fixture
def run_import(clinic: Clinic, tmp_path: Path) -> Importer:
    return Importer(tmp_path, Target(clinic=clinic, source="test"))


@pytest.fixture
def resource() -> Callable[..., Resource]:
    """Make a resource with a name, of a type and id, and whatever else is given."""

    def make(resource_type: str = "Patient", resource_id: str = "1", **rest: Any) -> Resource:
        person = [{"family": "Doe", "given": ["Jo"]}]
        name = person if resource_type in {"Patient", "Practitioner"} else f"Place {resource_id}"
        return {"resourceType": resource_type, "id": resource_id, "name": name} | rest

    return make


@pytest.fixture
def generic() -> Iterator[Peer]:
    """A record system that speaks plain R4."""
    with generic_peer() as peer:
        yield peer


@pytest.fixture
def oracle() -> Iterator[Peer]:
    with oracle_peer() as peer:
        yield peer


@pytest.fixture
def epic() -> Iterator[Peer]:
    with epic_peer() as peer:
        yield peer
