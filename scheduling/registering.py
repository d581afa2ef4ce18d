"""Registration from a form that may be sent twice: the record is made once."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from patients.models import Patient, contact_index
from patients.registration import Details, register
from providers.models import Clinic
from scheduling.keys import RequestKey, claim
from scheduling.transactions import in_one_transaction


@in_one_transaction
def register_once(*, clinic: Clinic, details: Details, key: RequestKey, now: datetime) -> Patient:
    """Make a record, or return the one that the same form made before.

    Raises KeyReused where that form said something else, and Busy.
    """
    # Kept as a keyed digest of keyed digests: a plain one would give names and birthdays away.
    told = json.dumps(asdict(details), sort_keys=True, default=str)
    request = {"clinic": clinic.pk, "told": contact_index("registration", told).hex()}
    patient = register(clinic=clinic, details=details)
    kept = claim(key, request=request, outcome=[patient.pk], now=now)
    if kept == [patient.pk]:
        return patient
    transaction.set_rollback(True)
    return Patient(pk=kept[0], clinic=clinic)
