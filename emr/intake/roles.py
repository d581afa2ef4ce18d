"""Gives providers their specialty from PractitionerRole resources; reads no hours or places."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from emr.fhir.errors import Refused
from emr.fhir.identity import Identity
from emr.fhir.practitioner import read_role
from emr.intake.kinds import Columns, Reading, Remark, Taken, Target, save_changes
from emr.models import EMRLink
from providers.models import Provider, Specialty

ROLE, PRACTITIONER = "PractitionerRole", "Practitioner"
_NUCC_CODE = re.compile(r"[0-9A-Za-z]{10}")
_LONGEST_NAME = 80
_HAS_ONE = Remark("specialty", "the provider has another specialty already: left as it is")


class RoleIntake:
    """Comes after all practitioners; the row of a role is the provider's."""

    model = Provider

    def read(self, identity: Identity, resource: Mapping[str, Any]) -> Reading:
        says = read_role(resource)
        parts: dict[str, Columns] = {
            "practitioner": {"practitioner_id": says.practitioner_id},
            "specialty": {"code": says.specialty.code, "display": says.specialty.display},
        }
        return Reading(identity=identity, parts=parts)

    def check(self, row: Provider, *, target: Target) -> None:
        """As for practitioners: the source may speak of any."""

    def create(self, reading: Reading, *, target: Target) -> Taken:
        return _give(reading, target, may_replace=False)

    def update(
        self, row: Provider, reading: Reading, *, parts: Collection[str], target: Target
    ) -> Taken:
        """Replace the specialty only where no other role of the provider could have given it."""
        others = EMRLink.objects.filter(resource_type=ROLE, local_id=row.pk).exclude(
            source_system=target.source, resource_id=reading.identity.resource_id
        )
        return _give(reading, target, may_replace=not others.exists())


def _give(reading: Reading, target: Target, *, may_replace: bool) -> Taken:
    columns = reading.columns()
    provider = _provider(columns["practitioner_id"], target)
    specialty = _specialty(columns["code"], columns["display"])
    if provider.specialty_id not in {None, specialty.pk} and not may_replace:
        return Taken(provider, (_HAS_ONE,))
    save_changes(provider, {"specialty_id": specialty.pk})
    return Taken(provider)


def _provider(practitioner_id: str, target: Target) -> Provider:
    links = EMRLink.objects.filter(
        source_system=target.source, resource_type=PRACTITIONER, resource_id=practitioner_id
    )
    provider = Provider.objects.filter(pk__in=links.values("local_id")).first()
    if provider is None:
        raise Refused("unknown-practitioner", "the practitioner of the role is not known here")
    return provider


def _specialty(code: str, display: str) -> Specialty:
    known = Specialty.objects.filter(nucc_code=code).first()
    if known:
        return known
    if not _NUCC_CODE.fullmatch(code):
        raise Refused("specialty-code", "the specialty's code is no NUCC taxonomy code")
    name = display[:_LONGEST_NAME]
    if not name:
        raise Refused("specialty-unnamed", "the specialty is new here and has no name")
    if Specialty.objects.filter(name=name).exists():
        raise Refused("specialty-name", "a specialty of this name has another code here")
    return Specialty.objects.create(nucc_code=code, name=name)
