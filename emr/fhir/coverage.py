"""Coverage: by which number an insurer knows a patient. Says nothing of what is covered."""

from __future__ import annotations

from typing import Any

from emr.fhir.building import filled, identifier, reference
from emr.fhir.checking import Invalid, checked
from emr.fhir.patient_out import MEMBER
from emr.visits import Person


def coverage(
    person: Person, *, patient_id: str, payer: str, coverage_id: str = ""
) -> dict[str, Any]:
    """Return the Coverage of a patient whom the other side knows as `patient_id`.

    Raises Invalid, also for somebody without a member number.
    """
    if not (person.member_id and patient_id):
        raise Invalid("no-member-id" if patient_id else "no-patient")
    return checked(
        filled(
            {
                "resourceType": "Coverage",
                "id": coverage_id,
                "identifier": [identifier("", person.member_id, kind=MEMBER)],
                "status": "active",
                "subscriberId": person.member_id,
                "beneficiary": reference("Patient", patient_id),
                "payor": [{"display": payer}],
            }
        )
    )
