"""Second records of some invented patients, as online bookings make them, to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from patients.models import Patient
from patients.registration import Details, register_provisional
from patients.suggesting import suggest

ADULTS = (2, 3, 5, 6)  # not the one to sign in as, and no child


def register_doubles(patients: Sequence[Patient]) -> None:
    """Register the same few people once more, each told a little differently."""
    slip, turned, married, spare = (Details.of(patients[n]) for n in ADULTS)
    told = [
        replace(slip, family_name=slip.family_name[:-1], address_line="", insurance_member_id=""),
        replace(turned, phone="", phone_is_textable=False, given_name=turned.given_name.upper()),
        replace(married, family_name="Vanterpool", email="new.name@example.org", address_line=""),
        replace(spare, email="", insurance_member_id="", insurance_plan_id=None),
    ]
    clinic = patients[0].clinic
    new = [register_provisional(clinic=clinic, details=details) for details in told]
    suggest([str(record.pk) for record in new])
