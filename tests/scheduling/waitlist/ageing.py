"""Time that passes for one opening alone, where the database's clock cannot be stopped."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from providers.calendars import bump
from scheduling.models import Opening, SlotHold
from scheduling.waitlist.keeping import holder_of


@transaction.atomic
def grow_old(gap: Opening, *, by: timedelta) -> None:
    """Let an opening's offers, and what keeps its time, be so much older; it is due."""
    earlier = F("expires_at") - by
    SlotHold.objects.filter(holder=holder_of(gap.pk)).update(expires_at=earlier)
    bump([gap.provider_id])
    Opening.objects.filter(pk=gap.pk).update(next_at=timezone.now())
    gap.offers.update(expires_at=earlier, made_at=F("made_at") - by)
