"""A clinic's figures over some days: who did not come, by whom, what and when it was booked, and
whether a message had reached them; and what became of the messages. Counts, and nobody's name.

Each report is one statement, whatever the clinic's size.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from django.db import connection

from providers.models import Clinic
from reminders.figures import BANDS, Rate
from reminders.kinds import Channel, State, Why

# A visit counts once it is closed, one way or the other. Days are counted on the clinic's calendar
# from the day it was first booked. A message reached its patient if it was delivered before the
# visit began, for the time at which the visit was in the end.
NO_SHOWS = """
WITH visit AS (
    SELECT a.provider_id, a.appointment_type_id, a.status = 'NO_SHOW' AS missed,
        (a.scheduled_start AT TIME ZONE %(zone)s)::date
            - (a.created_at AT TIME ZONE %(zone)s)::date AS days,
        COALESCE(ending.from_status = 'CONFIRMED', false) AS confirmed,
        EXISTS (
            SELECT FROM reminders_reminder r JOIN reminders_delivery d ON d.id = r.delivery_id
            WHERE r.appointment_id = a.id AND r.sequence = a.sequence
                AND COALESCE(d.delivered_at, d.sent_at) < a.scheduled_start
                AND (d.state = 'DELIVERED' OR d.state = 'SENT' AND d.channel = 'EMAIL'
                    AND COALESCE(own.sent_counts_as_delivered, every.sent_counts_as_delivered))
        ) AS reached
    FROM scheduling_appointment a
    LEFT JOIN reminders_reminderpolicy own
        ON own.clinic_id = a.clinic_id AND own.visit_type_id = a.appointment_type_id
    LEFT JOIN reminders_reminderpolicy every
        ON every.clinic_id = a.clinic_id AND every.visit_type_id IS NULL
    LEFT JOIN LATERAL (
        SELECT e.from_status FROM scheduling_appointmentevent e
        WHERE e.appointment_id = a.id AND e.kind IN ('COMPLETE', 'MARK_NO_SHOW')
        ORDER BY e.at DESC, e.id DESC LIMIT 1
    ) ending ON true
    WHERE a.clinic_id = %(clinic)s AND a.status IN ('COMPLETED', 'NO_SHOW')
        AND a.scheduled_start >= %(since)s AND a.scheduled_start < %(until)s
), counted AS (
    SELECT provider_id, appointment_type_id, band, reached, confirmed,
        GROUPING(provider_id, appointment_type_id, band, reached, confirmed) AS left_out,
        count(*) FILTER (WHERE missed) AS missed, count(*) AS visits
    FROM visit CROSS JOIN LATERAL (
        SELECT min(place) - 1 AS band
        FROM unnest(%(ends)s::int[]) WITH ORDINALITY AS ends (last_day, place)
        WHERE days <= last_day
    ) lead
    GROUP BY GROUPING SETS
        ((), (provider_id), (appointment_type_id), (band), (reached), (confirmed))
)
SELECT left_out, COALESCE(p.name, t.label, ''), band, reached, confirmed, missed, visits
FROM counted
LEFT JOIN providers_provider p ON p.id = counted.provider_id
LEFT JOIN providers_visittype t ON t.id = counted.appointment_type_id
ORDER BY left_out, 2, band, reached DESC, confirmed DESC
"""
NO_END = 2**31 - 1

# Of a message that a delivery carried, the delivery tells; of one that came to none, its plan.
MESSAGES = """
SELECT channel, state, why, count(*) FROM reminders_delivery
WHERE clinic_id = %(clinic)s AND created_at >= %(since)s AND created_at < %(until)s
GROUP BY channel, state, why
UNION ALL
SELECT planned.channel, 'SKIPPED', planned.why, count(*)
FROM scheduling_appointment a
JOIN (
    SELECT appointment_id, channel, why FROM reminders_reminder
    WHERE standing = 'SKIPPED' AND delivery_id IS NULL
    UNION ALL
    SELECT appointment_id, channel, why FROM reminders_notice
    WHERE standing = 'SKIPPED' AND delivery_id IS NULL
) planned ON planned.appointment_id = a.id
WHERE a.clinic_id = %(clinic)s
    AND a.scheduled_start >= %(since)s AND a.scheduled_start < %(until)s
GROUP BY planned.channel, planned.why
"""


class By(Enum):
    """What visits are put together by. Values are what GROUPING() answers: a bit for each left out.

    The order is that of the columns in the statement.
    """

    PROVIDER = 0b01111
    VISIT_TYPE = 0b10111
    LEAD_TIME = 0b11011
    REACHED = 0b11101
    CONFIRMED = 0b11110
    ALL = 0b11111


@dataclass(frozen=True, slots=True)
class Span:
    """[since, until) as instants."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class NoShows:
    """`groups` hold, by what: a provider's name, a type's label, a place in BANDS, or a yes or no,
    with its rate, in an order to be shown."""

    overall: Rate
    groups: dict[By, list[tuple[str | int | bool, Rate]]]


def no_shows(clinic: Clinic, span: Span) -> NoShows:
    """Count a clinic's closed visits that began in a span, each way at once."""
    ends = [NO_END if last is None else last for _, last in BANDS]
    values = {"zone": clinic.time_zone_id, "ends": ends}
    groups: dict[By, list[tuple[str | int | bool, Rate]]] = {by: [] for by in By}
    for left_out, name, band, reached, confirmed, missed, visits in _rows(
        NO_SHOWS, clinic, span, **values
    ):
        by = By(left_out)
        key = {By.LEAD_TIME: band, By.REACHED: reached, By.CONFIRMED: confirmed}.get(by, name)
        groups[by].append((key, Rate(missed, visits)))
    ((_, overall),) = groups.pop(By.ALL)
    return NoShows(overall, groups)


@dataclass(slots=True)
class Ways:
    """What became of the messages of one channel; `sent` are all that went out."""

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    unsure: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Messages:
    """`by_channel` has every channel; `not_sent` the reasons there were, most frequent first."""

    by_channel: dict[Channel, Ways]
    not_sent: list[tuple[Why, int]]


@dataclass(slots=True)
class _Tally:
    ways: dict[Channel, Ways] = field(default_factory=lambda: {one: Ways() for one in Channel})
    not_sent: dict[Why, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, channel: Channel, state: State, why: Why, count: int) -> None:
        way = self.ways[channel]
        if state is State.SKIPPED:
            self.not_sent[why] += count
        elif state is State.UNKNOWN:
            way.unsure += count
        elif state is State.FAILED:
            way.failed += count
        elif state in {State.SENT, State.DELIVERED}:
            way.sent += count
            way.delivered += count if state is State.DELIVERED else 0
        else:
            way.waiting += count


def messages(clinic: Clinic, span: Span) -> Messages:
    """Count the messages that a clinic handed on in a span, and those left out of its visits."""
    tally = _Tally()
    for channel, state, why, count in _rows(MESSAGES, clinic, span):
        tally.add(Channel(channel), State(state), Why(why), count)
    reasons = sorted(tally.not_sent.items(), key=lambda one: (-one[1], one[0]))
    return Messages(tally.ways, reasons)


def _rows(statement: str, clinic: Clinic, span: Span, **values: Any) -> list[tuple[Any, ...]]:
    where: dict[str, Any] = {"clinic": clinic.pk, "since": span.since, "until": span.until}
    with connection.cursor() as cursor:
        cursor.execute(statement, where | values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
