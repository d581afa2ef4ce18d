"""What a patient reads when a time cannot be had: why, and the three nearest that can."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from providers.models import Provider
from scheduling.availability import nearest
from scheduling.errors import Busy, SchedulingError, SlotTaken, TooManyHolds
from scheduling.policies import terms_for
from scheduling.presenters import clock, long_date
from scheduling.refusal_words import in_words
from scheduling.views.portal_choices import PortalRequest, actor_of, answer
from scheduling.views.portal_offers import offers
from scheduling.wishes import Wish


def refuse(
    request: PortalRequest,
    wish: Wish,
    provider: Provider,
    start: datetime,
    refusal: SchedulingError,
    *,
    post_to: str,
    details_kept: bool = False,
    now: datetime,
) -> HttpResponse:
    """Answer 409 with the refusal in words; each alternative is one click away."""
    local = start.astimezone(wish.clinic.zone)
    passes = isinstance(refusal, TooManyHolds | Busy)  # of any time, and only for a while
    context = {
        "wish": wish,
        "time": clock(local),
        "day": long_date(local),
        "is_taken": isinstance(refusal, SlotTaken),
        "refusal": in_words(refusal),
        "passes": passes,
        "offers": [] if passes else alternatives(request, wish, provider, start, now=now),
        "post_to": post_to,
        "details_kept": details_kept,
    }
    return answer(request, "time_gone", context, status=409)


def alternatives(
    request: PortalRequest, wish: Wish, provider: Provider, start: datetime, *, now: datetime
) -> list[dict[str, Any]]:
    """Return the three free times nearest to a start, this provider's before others'."""
    query = replace(wish.query(*wish.horizon(now)), provider=provider)
    terms = terms_for(actor_of(request))
    return offers(nearest(query, to=start, terms=terms, now=now))
