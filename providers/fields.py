"""Column types and functions of PostgreSQL that Django does not bring."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, IntegerRangeField
from django.db import models
from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a time-ordered UUID (version 7), so that inserts stay at one end of the index."""
    return uuid7()


class UUIDModel(models.Model):
    """A row whose id is made in the application, known before the row is written."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


class TransactionIdField(models.Field[int | None, int | None]):
    """PostgreSQL's 64-bit transaction id (xid8): compared, never interpreted."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: str | None, *_args: Any) -> int | None:
        return None if value is None else int(value)


class MinuteRange(models.Func):
    """The minutes [start, end) of a day between two times; an end of 00:00 is the day's end."""

    output_field = IntegerRangeField()

    def __init__(self, start: str, end: str) -> None:
        super().__init__(start, end)

    def as_sql(  # type: ignore[override]  # the template's options have no meaning here
        self, compiler: Any, connection: Any, **_extra: Any
    ) -> tuple[str, list[Any]]:
        """Validation puts values in the columns' place, so both sides are compiled as they are."""
        (start, given), (end, limit) = map(compiler.compile, self.get_source_expressions())
        sql = (
            f"int4range((extract(epoch from {start}::time) / 60)::int,"
            f" CASE WHEN {end}::time = '00:00' THEN 1440"
            f" ELSE (extract(epoch from {end}::time) / 60)::int END)"
        )
        return sql, [*given, *limit, *limit]


class ClockTimestamp(models.Func):
    """The instant at which PostgreSQL evaluates it, where now() is the transaction's start."""

    template = "clock_timestamp()"
    output_field = models.DateTimeField()


class DateTimeRange(models.Func):
    """[start, end) as a range of instants."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class DateRange(models.Func):
    """[from, until] as a range of dates, both ends included; no end means for ever."""

    template = "daterange(%(expressions)s, '[]')"
    output_field = DateRangeField()
