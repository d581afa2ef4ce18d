"""What the worker does to prove the audit. Arguments are ids only, and every task may run twice."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from patients.models import AuditVerification
from patients.privacy import verifications
from patients.privacy.seal import seal

LONGEST = timedelta(seconds=40)  # the queue ends a task after a minute


def seal_audit() -> dict[str, int]:
    """Seal what can be sealed by now; return how much. What is left comes with the next run.

    Raises NoSealKey, AnchorMissing, AnchorAhead, AnchorBroken: a person has to look.
    """
    if not settings.AUDIT_SEALED_BY_WORKER:
        return {}
    done = seal(within=LONGEST, now=timezone.now())
    return {"seals": done.seals, "rows": done.rows}


def verify_daily() -> None:
    """Have the record verified, on nobody's request."""
    verifications.ask(by=None, now=timezone.now())


def verify_audit(verification_id: str) -> None:
    """Answer a request to verify the record, unless that was done."""
    asked = AuditVerification.objects.filter(pk=verification_id, done_at=None).first()
    if asked is not None:
        verifications.answer(asked, now=timezone.now())
