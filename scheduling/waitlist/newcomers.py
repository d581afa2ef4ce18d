"""Somebody whom the clinic does not know yet joins the waitlist: a code proves their address first.

A form that is sent twice makes one record. Knows nothing of what they wait for.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from patients import codes
from patients.models import OneTimeCode, Patient
from patients.registration import Details, register_provisional
from providers.models import Clinic
from scheduling import keys
from scheduling.keys import RequestKey


def ask_for_code(*, email: str, browser: str, network: str, now: datetime) -> UUID:
    """Have a code sent to an address; return its id. Raises TooManyRequests."""
    return codes.request_code(
        purpose=OneTimeCode.Purpose.BOOKING,
        contact=email,
        browser=browser,
        network=network,
        now=now,
    )


def prove(
    *, code_id: UUID, code: str, details: Details, clinic: Clinic, browser: str, now: datetime
) -> Patient:
    """Use the code up and register who typed it; whoever sends it again gets the same record.

    Raises CodeRefused.
    """
    key = RequestKey(browser, f"waits:{code_id}")
    made = _made_before(key)
    if made is not None:
        return made
    try:
        return _register(key, code_id, code, details, clinic, now)
    except codes.CodeEnded:
        made = _made_before(key)  # by the same form, at the same moment
        if made is None:
            raise
        return made


def _made_before(key: RequestKey) -> Patient | None:
    found = keys.find(key, request={"key": key.key})
    return Patient.objects.get(pk=found[0]) if found else None


def _register(
    key: RequestKey,
    code_id: UUID,
    code: str,
    details: Details,
    clinic: Clinic,
    now: datetime,
) -> Patient:
    refusal: codes.CodeRefused | None = None
    with transaction.atomic():
        try:
            codes.redeem(
                purpose=OneTimeCode.Purpose.BOOKING,
                code_id=code_id,
                browser=key.actor,
                code=code,
                now=now,
                contact=details.email,
            )
        except codes.CodeRefused as error:
            refusal = error  # raised below, after the try has been counted
        else:
            patient = register_provisional(clinic=clinic, details=details)
            keys.claim(key, request={"key": key.key}, outcome=[patient.pk], now=now)
    if refusal is not None:
        raise refusal
    return patient
