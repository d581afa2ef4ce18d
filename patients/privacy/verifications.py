"""Verifies the audit on request, away from the page that asks, and keeps what was found."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.models import User
from django.db import transaction
from django_q.tasks import async_task

from patients.models import AuditVerification
from patients.privacy.verify import CannotVerify, verify
from patients.tampering import Verdict

logger = logging.getLogger(__name__)

MOST_SECONDS = 540  # below the time after which the queue would start it a second time
GIVEN_UP = timedelta(seconds=MOST_SECONDS + 60)


def running(*, now: datetime) -> AuditVerification | None:
    """Return the verification that is under way; one that was killed is not, after ten minutes."""
    return (
        AuditVerification.objects.filter(done_at=None, asked_at__gt=now - GIVEN_UP)
        .order_by("-asked_at")
        .first()
    )


@transaction.atomic
def ask(*, by: User | None, now: datetime) -> AuditVerification:
    """Have the worker verify the whole record; return the request, or the one under way."""
    under_way = running(now=now)
    if under_way is not None:
        return under_way
    asked = AuditVerification.objects.create(asked_by=by)
    task = partial(async_task, "patients.tasks.verify_audit", str(asked.pk), timeout=MOST_SECONDS)
    transaction.on_commit(task)
    return asked


def answer(asked: AuditVerification, *, now: datetime) -> AuditVerification:
    """Verify, and write down the finding: the worker's part. Damage is logged as an error too."""
    try:
        _take(asked, verify())
    except CannotVerify as error:
        asked.finding = str(error)
        logger.error("audit.cannot_be_verified")
    asked.done_at = now
    asked.save()
    return asked


def _take(asked: AuditVerification, verdict: Verdict) -> None:
    asked.is_intact, asked.finding = verdict.intact, str(verdict)
    asked.rows, asked.seals, asked.unsealed = verdict.rows, verdict.seals, verdict.unsealed
    asked.head = verdict.head
    if verdict.damage is not None:
        asked.damage = verdict.damage.kind.name
        asked.bad_row, asked.bad_seal = verdict.damage.row, verdict.damage.seal
        logger.error("audit.damaged", extra={"row": asked.bad_row, "seal": asked.bad_seal})
