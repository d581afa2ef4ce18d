"""Makes and changes providers from Practitioner resources. None of them becomes bookable here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from emr.fhir.identity import Identity
from emr.fhir.practitioner import read_practitioner
from emr.intake.kinds import Columns, Reading, Remark, Taken, Target, save_changes
from providers.models import Provider
from providers.npi import is_valid_npi

_LONGEST_NAME = 120
_BAD_NPI = Remark("npi", "the NPI is not valid: kept without, not yet bookable")
_CUT_NAME = Remark("name", f"the name was cut to {_LONGEST_NAME} characters")
_KNOWN_NPI = Remark("npi-known", "a provider with this NPI was here: joined to that row")
_TAKEN_NPI = Remark("npi-taken", "another provider has this NPI: kept without")


class PractitionerIntake:
    model = Provider

    def read(self, identity: Identity, resource: Mapping[str, Any]) -> Reading:
        says = read_practitioner(resource)
        npi = next(filter(is_valid_npi, says.npis), None)
        remarks = (
            (_BAD_NPI, bool(says.npis) and npi is None),
            (_CUT_NAME, len(says.name) > _LONGEST_NAME),
        )
        parts: dict[str, Columns] = {
            "name": {"name": says.name[:_LONGEST_NAME]},
            "npi": {"npi_number": npi},
            "languages": {"languages": list(says.languages)},
        }
        kept = tuple(remark for remark, applies in remarks if applies)
        return Reading(identity=identity, parts=parts, remarks=kept)

    def check(self, row: Provider, *, target: Target) -> None:
        """A provider is one person at whichever clinic: the source may speak of any."""

    def create(self, reading: Reading, *, target: Target) -> Taken:
        """Make a provider, or find the one with this NPI: one person is one row, left as it is."""
        columns = reading.columns()
        known = Provider.objects.filter(npi_number=columns["npi_number"] or "").first()
        if known:
            return Taken(known, (_KNOWN_NPI,))
        provider = Provider(clinic=target.clinic, is_active=False, **columns)
        provider.save(force_insert=True)
        return Taken(provider)

    def update(
        self, row: Provider, reading: Reading, *, parts: Collection[str], target: Target
    ) -> Taken:
        """Write what changed, but take no NPI away: without it nobody is bookable."""
        columns = reading.columns(parts)
        npi = columns.pop("npi_number", None)
        taken = npi and Provider.objects.filter(npi_number=npi).exclude(pk=row.pk).exists()
        save_changes(row, columns | ({"npi_number": npi} if npi and not taken else {}))
        return Taken(row, (_TAKEN_NPI,) if taken else ())
