"""Passes on what was offered to somebody who could not be told by any way, so that nobody waits
for an answer that cannot come. Asked of the rows as they stand: it makes up for any missed time.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from reminders.kinds import NoticeKind, Standing, State
from reminders.models import Notice
from scheduling.errors import Busy
from scheduling.models import WaitlistOffer
from scheduling.waitlist import claims

logger = logging.getLogger(__name__)

MOST = 200


def pass_on(*, now: datetime) -> int:
    """Let offers be gone of which every message failed or stayed; return how many.

    A message that perhaps arrived counts as told. Where a calendar is busy the next run does it.
    """
    passed = 0
    for pk in _untold(now=now):
        try:
            claims.unreachable(pk, now=now)
        except Busy:
            logger.info("offer not passed on yet", extra={"offer": str(pk)})
        else:
            passed += 1
    return passed


def _untold(*, now: datetime) -> list[UUID]:
    """Return live offers by message with no message that goes, went or may have gone."""
    on_the_way = Q(standing=Standing.PLANNED.value)
    may_have_gone = Q(standing=Standing.TAKEN.value) & ~Q(
        delivery__state__in=[State.FAILED.value, State.SKIPPED.value]
    )
    told = Notice.objects.filter(
        on_the_way | may_have_gone, offer=OuterRef("pk"), kind=NoticeKind.OFFER.value
    )
    live = WaitlistOffer.objects.filter(
        ~Exists(told),
        status=WaitlistOffer.Status.OFFERED,
        via=WaitlistOffer.Via.MESSAGE,
        expires_at__gt=now,
    )
    return list(live.order_by("made_at", "pk").values_list("pk", flat=True)[:MOST])
