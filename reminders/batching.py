"""What becomes of the rows of one batch: which go as one message, which wait, which do not go.

Told by verdicts, and written in a constant number of statements. Chooses no rows itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from patients import codes
from reminders.judging import Judge, Row, is_automated, patient_of
from reminders.kinds import Standing, Why
from reminders.models import Delivery, Notice, Reminder
from reminders.otherwise import find_other_ways
from reminders.reach import Route

WRITE = """
UPDATE {table} AS row SET standing = done.standing, why = done.why, due_at = done.due_at,
    delivery_id = done.delivery
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::uuid[])
    AS done(id, standing, why, due_at, delivery)
WHERE row.id = done.id
"""


@dataclass
class Batch:
    """What becomes of the rows of one transaction; `groups` are those that go as one message."""

    now: datetime
    groups: dict[Hashable, list[Row]] = field(default_factory=lambda: defaultdict(list))
    routes: dict[Hashable, Route] = field(default_factory=dict)
    skipped: list[tuple[Row, Why]] = field(default_factory=list)
    waiting: list[Row] = field(default_factory=list)

    def sort(self, row: Row, judge: Judge, key: Hashable) -> None:
        """Put a row where its verdict says."""
        if self._says_less(row, key):
            self.skipped.append((row, Why.TOO_LATE))
            return
        if self.join(row, judge, key):
            return
        verdict = judge.verdict(row)
        if verdict.until is not None:
            row.due_at = verdict.until
            self.waiting.append(row)
        elif verdict.route is None:
            self.skipped.append((row, verdict.why))
        else:
            judge.goes(row, verdict.route)
            self.routes[key] = verdict.route
            self.groups[key].append(row)

    def join(self, row: Row, judge: Judge, key: Hashable) -> bool:
        """Add a row to a message that goes already, if it is true and wanted; say whether."""
        if key not in self.groups or self._says_less(row, key):
            return False
        if not judge.may_go_along(row):
            return False
        self.groups[key].append(row)
        return True

    def write(self) -> None:
        """Write the deliveries and every row's standing."""
        deliveries = {
            key: self._delivery(self.routes[key], rows) for key, rows in self.groups.items()
        }
        Delivery.objects.bulk_create(deliveries.values())
        taken = [(row, deliveries[key].pk) for key, rows in self.groups.items() for row in rows]
        for table in (Reminder, Notice):
            self._write(table, taken)
        find_other_ways(self.skipped, now=self.now)
        for row, _why in self.skipped:
            if isinstance(row, Notice) and row.code is not None:
                codes.sent(row.code)

    def _says_less(self, row: Row, key: Hashable) -> bool:
        """Whether a later step for the same visit goes by the same way."""
        return isinstance(row, Reminder) and any(
            other.appointment_id == row.appointment_id for other in self.groups.get(key, ())
        )

    def _delivery(self, route: Route, rows: Sequence[Row]) -> Delivery:
        first = rows[0]
        patient = patient_of(first)
        visit = first.appointment
        clinic = first.clinic_id if isinstance(first, Notice) else None
        return Delivery(
            clinic_id=visit.clinic_id if visit is not None else clinic,
            patient_id=None if patient is None else patient.pk,
            channel=route.channel.value,
            kinds=sorted({str(row.kind) for row in rows}),
            is_automated=any(map(is_automated, rows)),
            recipient_index=route.index,
            device=route.device,
            not_before=self.now,
            not_after=max(row.not_after for row in rows),
        )

    def _write(self, table: type[Row], taken: Sequence[tuple[Row, UUID]]) -> None:
        planned, done, left = Standing.PLANNED, Standing.TAKEN, Standing.SKIPPED
        lines: list[tuple[Row, Standing, Why, UUID | None]] = [
            *((row, done, Why.NONE, delivery) for row, delivery in taken),
            *((row, left, why, None) for row, why in self.skipped),
            *((row, planned, Why.NONE, None) for row in self.waiting),
        ]
        mine = [line for line in lines if isinstance(line[0], table)]
        if not mine:
            return
        columns = zip(
            *((row.pk, to.value, why.value, row.due_at, on) for row, to, why, on in mine),
            strict=True,
        )
        with connection.cursor() as cursor:
            cursor.execute(WRITE.format(table=table._meta.db_table), [list(c) for c in columns])
