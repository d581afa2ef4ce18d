"""What a member of staff decides about two records that may be one person's, short of joining."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from patients.models import MatchCandidate
from patients.models.audit import Act
from patients.privacy import audit

PURPOSE = "telling_records_apart"


@transaction.atomic
def tell_apart(*, pair: MatchCandidate, by: User, now: datetime) -> bool:
    """Note that two records are two people's; say whether nobody had decided it before."""
    open_pair = MatchCandidate.objects.filter(pk=pair.pk, state=MatchCandidate.State.OPEN)
    decided = open_pair.update(state=MatchCandidate.State.DISTINCT, decided_by=by, decided_at=now)
    if decided:
        audit.record(
            action=Act.REVIEW,
            patients=[pair.one_id, pair.other_id],
            about=pair,
            purpose=PURPOSE,
            clinic=pair.clinic,
            by=by,
        )
    return bool(decided)
