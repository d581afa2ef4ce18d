"""The page of the record's verdicts, with one of each kind."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from patients.models import AuditVerification
from patients.privacy.seal import seal
from scheduling.seeding import cast
from tests.browser import visitors
from tests.browser.subjects import Subject


def _verdicts() -> list[Subject]:
    now = timezone.now()
    seal(now=now)
    officer = User.objects.get(username=f"{visitors.STAFF['privacy']}@{cast.DOMAIN}")
    for days, found in enumerate(
        [
            AuditVerification(is_intact=True, rows=18_204, seals=412, asked_by=officer),
            AuditVerification(is_intact=False, damage="DELETED", bad_row=17_310, bad_seal=398),
            AuditVerification(is_intact=None),
        ]
    ):
        found.done_at = now - timedelta(days=days)
        found.save()
    return [Subject("privacy:chain", "privacy", visitors.staff("privacy"))]


WAYS = [_verdicts]
