"""What is kept for an offer nobody else finds, and the cache of free time is carried over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from providers.models import Provider, VisitType
from scheduling.availability import Query, search
from scheduling.models import Opening
from scheduling.placing import Terms
from scheduling.waitlist import offering
from tests.factories import at, next_monday
from tests.factories.waitlist import entry_of, opening_of
from tests.scheduling.oracle import Offer, fresh_search
from tests.scheduling.waitlist.ageing import grow_old

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]
MONDAY = next_monday(1)
START = at(MONDAY, "10:00")
TERMS = Terms()
WITHOUT_ROWS = 2  # who matches, and who they are that are shown


@pytest.fixture(autouse=True)
def _any_time(jobs_wait: None, redis_server: object) -> Iterator[None]:
    """Everybody can be told at any hour. Settings end in the order in which Redis's do."""
    with override_settings(OFFER_REACH="tests.scheduling.waitlist.reaching.anybody"):
        yield


def query_of(provider: Provider, visit_type: VisitType) -> Query:
    return Query(visit_type, MONDAY, MONDAY, (provider.clinic,))


def found(query: Query, now: datetime) -> tuple[list[Offer], int]:
    with CaptureQueriesContext(connection) as statements:
        slots = search(query, terms=TERMS, now=now, limit=100)
    return [Offer(s.start, s.end, s.provider.pk, s.clinic.pk) for s in slots], len(statements)


def test_search_follows_every_step_of_an_offer(provider: Provider, visit_type: VisitType) -> None:
    query, now = query_of(provider, visit_type), timezone.now()
    entry_of(provider=provider, visit_type=visit_type)
    gap = opening_of(provider, START)

    def starts() -> set[datetime]:
        offers, _statements = found(query, now)
        assert offers == fresh_search(query, TERMS, now)
        return {offer.start for offer in offers}

    assert START in starts()
    offering.advance(gap.pk, now=now)
    assert found(query, now)[1] == WITHOUT_ROWS
    assert START not in starts()
    grow_old(gap, by=timedelta(hours=2))
    starts()
    offering.advance(gap.pk, now=now)
    assert Opening.objects.get(pk=gap.pk).ended == "EXHAUSTED"
    assert found(query, now)[1] == WITHOUT_ROWS
    assert START in starts()
