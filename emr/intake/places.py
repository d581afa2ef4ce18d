"""Makes and changes clinics from Organization and Location resources.

They have no time zone, so they stay inactive until somebody gives them one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from django.utils.text import slugify

from emr.fhir.identity import Identity
from emr.fhir.place import read_place
from emr.intake.kinds import Columns, Reading, Remark, Taken, Target, best_phone, save_changes
from providers.models import Clinic

_LONGEST_NAME, _LONGEST_SLUG = 120, 60
_BAD_PHONE = Remark("phone", "no phone number given could be one: kept without")
_CUT_NAME = Remark("name", f"the name was cut to {_LONGEST_NAME} characters")


class PlaceIntake:
    model = Clinic

    def read(self, identity: Identity, resource: Mapping[str, Any]) -> Reading:
        says = read_place(resource)
        phone = best_phone(says.phones)
        remarks = (
            (_BAD_PHONE, bool(says.phones) and phone is None),
            (_CUT_NAME, len(says.name) > _LONGEST_NAME),
        )
        parts: dict[str, Columns] = {
            "name": {"name": says.name[:_LONGEST_NAME]},
            "address": {"address": says.address},
            "phone": {"phone": phone.number if phone else ""},
        }
        kept = tuple(remark for remark, applies in remarks if applies)
        return Reading(identity=identity, parts=parts, remarks=kept)

    def check(self, row: Clinic, *, target: Target) -> None:
        """The source may speak of every place that it brought."""

    def create(self, reading: Reading, *, target: Target) -> Taken:
        columns = reading.columns()
        slug = _free_slug(columns["name"], reading.identity, target)
        clinic = Clinic(slug=slug, is_active=False, **columns)
        clinic.save(force_insert=True)
        return Taken(clinic)

    def update(
        self, row: Clinic, reading: Reading, *, parts: Collection[str], target: Target
    ) -> Taken:
        save_changes(row, reading.columns(parts))
        return Taken(row)


def _free_slug(name: str, identity: Identity, target: Target) -> str:
    """Return the name as a slug, with a mark of the resource where that is empty or taken."""
    plain = slugify(name)[:_LONGEST_SLUG].strip("-")
    if plain and not Clinic.objects.filter(slug=plain).exists():
        return plain
    whole = f"{target.source}/{identity.resource_type}/{identity.resource_id}"
    mark = hashlib.sha256(whole.encode()).hexdigest()[:12]
    return f"{plain[: _LONGEST_SLUG - len(mark) - 1]}-{mark}".strip("-")
