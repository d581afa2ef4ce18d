"""Who waits, time that came free, and what was offered: rows as the engine finds them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from psycopg.types.range import Range

from patients.models import Patient
from providers.fields import new_id
from providers.models import Clinic, Provider, VisitType
from scheduling.models import Mode, Opening, WaitlistEntry, WaitlistOffer, WaitlistPolicy
from tests.factories.patients import PatientFactory
from tests.factories.providers import ProviderFactory, VisitTypeFactory

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def entry_of(
    patient: Patient | None = None,
    *,
    provider: Provider | None = None,
    visit_type: VisitType | None = None,
    clinic: Clinic | None = None,
    **values: Any,
) -> WaitlistEntry:
    """Let somebody wait for a provider, from today on and without any notice.

    `specialty=` instead of a provider waits for anybody of it; then `clinic=` is needed.
    """
    if provider is None and "specialty" not in values:
        provider = ProviderFactory.create(working=True)
    where = clinic or (provider.clinic if provider else None)
    if where is None:
        raise ValueError("an entry for a specialty needs its clinic")
    defaults: dict[str, Any] = {
        "earliest_desired_date": timezone.localdate(timezone=where.zone),
        "minimum_notice_minutes": 0,
    }
    return WaitlistEntry.objects.create(
        patient=patient or PatientFactory.create(clinic=where),
        clinic=where,
        provider=provider,
        appointment_type=visit_type or VisitTypeFactory.create(),
        **(defaults | values),
    )


def opening_of(
    provider: Provider,
    start: datetime,
    *,
    minutes: int = 30,
    cause: Opening.Cause = Opening.Cause.CANCEL,
    clinic: Clinic | None = None,
    **values: Any,
) -> Opening:
    """Let a provider's time come free from an instant on; nobody has looked at it yet."""
    return Opening.objects.create(
        provider=provider,
        clinic=clinic or provider.clinic,
        span=Range(start, start + minutes * MINUTE),
        cause=cause,
        **values,
    )


def offer_of(entry: WaitlistEntry, opening: Opening, **values: Any) -> WaitlistOffer:
    """Write an offer of an opening's whole time, for two hours from now; keeps no time.

    For pages and reports. What the engine offers is made by `scheduling.waitlist.offering`.
    """
    if opening.span.lower is None or opening.span.upper is None:
        raise ValueError("an opening has two ends")
    defaults: dict[str, Any] = {
        "visit_type": entry.appointment_type,
        "visit_start": opening.span.lower,
        "visit_end": opening.span.upper,
        "expires_at": timezone.now() + 2 * HOUR,
        "token_digest": new_id().bytes * 2,
    }
    return WaitlistOffer.objects.create(entry=entry, opening=opening, **(defaults | values))


def waitlist_policy(
    clinic: Clinic, visit_type: VisitType | None = None, **values: Any
) -> WaitlistPolicy:
    """Write how a clinic offers: one after the other, unless `mode=` says otherwise."""
    defaults: dict[str, Any] = {"mode": Mode.SEQUENTIAL}
    return WaitlistPolicy.objects.create(
        clinic=clinic, visit_type=visit_type, **(defaults | values)
    )
