"""Expressions by which PostgreSQL hands over many rows as one string of bytes.

Ten thousand rows are then one value to read, and no row is an object here. Integers are
big-endian, as PostgreSQL itself sends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates.mixins import OrderableAggMixin
from django.db import models

_BYTES: models.Field[Any, Any] = models.BinaryField()


class UUIDBytes(models.Func):
    """The 16 bytes of an id."""

    function = "UUID_SEND"
    output_field = _BYTES


class BigintBytes(models.Func):
    """The 8 bytes of a signed integer."""

    function = "INT8SEND"
    output_field = _BYTES


class MicrosecondBytes(models.Func):
    """The microseconds from 2000, UTC, to an instant, as 8 bytes: as the server keeps it."""

    function = "TIMESTAMPTZ_SEND"
    output_field = _BYTES


class SpanBytes(models.Func):
    """What a range of instants has in common with others: 25 bytes, and never without an end.

    A byte of flags, and the microseconds from 2000, UTC, to both ends, each after its length (4).
    """

    template = "RANGE_SEND(%(expressions)s)"
    arg_joiner = " * "
    output_field = _BYTES


class Packed(OrderableAggMixin, models.Aggregate):
    """The bytes of some columns of all rows, end to end; None where there are no rows."""

    template = "STRING_AGG(%(expressions)s, ''::bytea %(order_by)s)"
    arg_joiner = " || "
    output_field = _BYTES


class Clock(models.Aggregate):
    """The instant at which an aggregate is done, read once however many rows it had."""

    template = "CLOCK_TIMESTAMP()"
    output_field = models.DateTimeField()


class IsAmong(models.Func):
    """Whether a column's id is one of many, which go to the server as one text."""

    template = "%(expressions)s::uuid[])"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()

    def __init__(self, column: str, ids: Iterable[UUID]) -> None:
        listed = ",".join([one.hex for one in ids])
        given = models.Value(f"{{{listed}}}", output_field=models.TextField())
        super().__init__(models.F(column), given)


class TimeBytes(models.Func):
    """The microseconds from midnight to a time of day, as 8 bytes."""

    function = "TIME_SEND"
    output_field = _BYTES


class DateBytes(models.Func):
    """The days from 2000-01-01 to a date, as 4 bytes; the greatest number where there is none."""

    template = "DATE_SEND(COALESCE(%(expressions)s, 'infinity'::date))"
    output_field = _BYTES


class SmallintBytes(models.Func):
    """The 2 bytes of a signed integer that is small."""

    function = "INT2SEND"
    output_field = _BYTES


class TextBytes(models.Func):
    """A text in UTF-8."""

    template = "CONVERT_TO(%(expressions)s, 'UTF8')"
    output_field = _BYTES


class UUIDOrZeroBytes(models.Func):
    """The 16 bytes of an id; zeros where there is none."""

    template = "UUID_SEND(COALESCE(%(expressions)s, '00000000-0000-0000-0000-000000000000'::uuid))"
    output_field = _BYTES
