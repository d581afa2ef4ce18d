"""What became of a clinic's freed time, and of what was offered, over some days: counts, and
nobody's name. Refuses to know how they are shown.

Each is one statement, whatever the clinic's size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from providers.models import Clinic
from scheduling.models import Opening, WaitlistOffer

# How long before its start time came free: where one band ends and the next begins, in hours.
BAND_ENDS = (24, 72, 168, 336)
Cause, Ended, Status = Opening.Cause, Opening.Ended, WaitlistOffer.Status
FILLED = frozenset({Ended.CLAIMED, Ended.BOOKED})
# Such time was offered as far as it went; what came back, was not worked any more or was not to be
# offered says nothing about offering.
COUNTED = FILLED | {Ended.EXHAUSTED, Ended.TOO_LATE}

OPENINGS = """
SELECT cause, ended,
    width_bucket(extract(epoch FROM lower(span) - created_at) / 3600, %(ends)s::numeric[]),
    count(*)
FROM scheduling_opening
WHERE clinic_id = %(clinic)s AND created_at >= %(since)s AND created_at < %(until)s
GROUP BY 1, 2, 3
"""
# An answer's time is counted from when the first message went out.
OFFERS = """
SELECT offer.status, count(*),
    percentile_cont(0.5) WITHIN GROUP (
        ORDER BY extract(epoch FROM answered_at - coalesce(sent_at, made_at)))
        FILTER (WHERE offer.status IN ('CLAIMED', 'DECLINED')),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY days_gained)
        FILTER (WHERE offer.status = 'CLAIMED'),
    coalesce(sum(days_gained) FILTER (WHERE offer.status = 'CLAIMED'), 0),
    GROUPING(offer.status) = 1
FROM scheduling_waitlistoffer offer
JOIN scheduling_opening opening ON opening.id = offer.opening_id
WHERE opening.clinic_id = %(clinic)s AND made_at >= %(since)s AND made_at < %(until)s
GROUP BY GROUPING SETS ((offer.status), ())
"""


@dataclass(frozen=True, slots=True)
class Freed:
    """One kind of freed time: why it came free, how that ended (None: not yet), and how long
    before its start it was, as a place in the bands."""

    cause: Opening.Cause
    ended: Opening.Ended | None
    band: int


@dataclass(frozen=True, slots=True)
class Filling:
    """How much freed time was `counted`, and was taken from the waitlist or booked by others."""

    counted: int
    claimed: int
    booked: int

    @property
    def filled(self) -> int:
        return self.claimed + self.booked


@dataclass(frozen=True, slots=True)
class Openings:
    """All freed time of a span, by its kind."""

    counts: Counter[Freed]

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def filling(self) -> Filling:
        """Of all of it together."""
        return self._filling(self.counts)

    @property
    def by_band(self) -> list[Filling]:
        """For each band, the shortest notice first."""
        bands = range(len(BAND_ENDS) + 1)
        return [self._filling(kind for kind in self.counts if kind.band == band) for band in bands]

    @property
    def by_cause(self) -> dict[Opening.Cause, Counter[Opening.Ended | None]]:
        """How it ended, for each cause that there was, in the order of causes."""
        found: dict[Opening.Cause, Counter[Opening.Ended | None]] = {}
        for cause in Cause:
            ends = Counter[Opening.Ended | None]()
            for freed, count in self.counts.items():
                if freed.cause == cause:
                    ends[freed.ended] += count
            if ends:
                found[cause] = ends
        return found

    def _filling(self, kinds: Iterable[Freed]) -> Filling:
        ends = Counter[Opening.Ended | None]()
        for kind in kinds:
            ends[kind.ended] += self.counts[kind]
        counted = sum(ends[end] for end in COUNTED)
        return Filling(counted, ends[Ended.CLAIMED], ends[Ended.BOOKED])


@dataclass(frozen=True, slots=True)
class Offers:
    """What was offered in a span. `answered_in` is the median time to a yes or a no.

    `days_gained` are all days by which visits came earlier, `median_days` those of one such visit.
    """

    by_status: Counter[WaitlistOffer.Status]
    answered_in: timedelta | None
    median_days: float | None
    days_gained: int

    @property
    def made(self) -> int:
        return self.by_status.total()


def openings(clinic: Clinic, *, since: datetime, until: datetime) -> Openings:
    """Count the time that came free at a clinic in [since, until)."""
    rows = _rows(OPENINGS, clinic, since, until, ends=list(BAND_ENDS))
    counts = Counter[Freed]()
    for cause, ended, band, count in rows:
        counts[Freed(Cause(cause), Ended(ended) if ended else None, band)] += count
    return Openings(counts)


def offers(clinic: Clinic, *, since: datetime, until: datetime) -> Offers:
    """Count what a clinic offered in [since, until), whatever has become of it by now."""
    by_status = Counter[WaitlistOffer.Status]()
    seconds = median = days = None
    for status, count, answered, half, gained, is_all in _rows(OFFERS, clinic, since, until):
        if is_all:
            seconds, median, days = answered, half, gained
        else:
            by_status[Status(status)] = count
    return Offers(
        by_status=by_status,
        answered_in=None if seconds is None else timedelta(seconds=float(seconds)),
        median_days=median,
        days_gained=int(days or 0),
    )


def _rows(
    statement: str, clinic: Clinic, since: datetime, until: datetime, **values: Any
) -> list[tuple[Any, ...]]:
    where: dict[str, Any] = {"clinic": clinic.pk, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(statement, where | values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
