"""Seals everything again under the key that writes, while the clinic is at work.

Each value says which key it has, so that a rotation that was stopped goes on where it was. Rows
that somebody else is writing are passed over and met again; no writer is ever waited for, and none
is overwritten. Nothing is shown to anybody, so that no patient is named in the record.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction

from patients.crypto import VERSION, SealBroken
from patients.factor_seals import PURPOSE as FACTOR
from patients.factor_seals import place_of
from patients.fields import SealedMixin
from patients.privacy.sessions import PURPOSE as SESSION
from patients.secrets import cipher, ring

BATCH = 200
IDLE_ROUNDS = 50
PAUSE_SECONDS = 0.2
Row = tuple[Any, ...]
Advance = Callable[[int], None]


class Unfinished(Exception):
    """Some values still have another key. Its words name tables and row ids, never a value."""


class Shelf(Protocol):
    """One table whose sealed values are to get the current key."""

    name: str

    def stale(self) -> int:
        """Return how many rows hold a value with another key."""

    def turn(self, after: Any) -> Turned:
        """Seal a batch of such rows again, those with an id above `after`."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What became of a batch: rows done, ids that cannot be opened, where the next one begins."""

    done: int
    broken: tuple[str, ...]
    last: Any


class SealedTable:
    """The sealed columns of one model."""

    def __init__(self, model: type[models.Model]) -> None:
        self.columns = sealed_columns(model)
        self.name = model._meta.label
        quote = connection.ops.quote_name
        self._table = quote(model._meta.db_table)
        self._names = [quote(column.column) for column in self.columns]
        other_key = " OR ".join(f"NOT starts_with({name}, %(head)s)" for name in self._names)
        self._stale = f"SELECT count(*) FROM {self._table} WHERE {other_key}"  # noqa: S608
        self._pick = (
            f"SELECT id, {', '.join(self._names)} FROM {self._table}"  # noqa: S608
            f" WHERE ({other_key}) AND (%(after)s::uuid IS NULL OR id > %(after)s::uuid)"
            " ORDER BY id LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED"
        )

    def stale(self) -> int:
        return int(_ask(self._stale, {"head": _head()})[0][0])

    def turn(self, after: Any) -> Turned:
        with transaction.atomic():
            rows = _ask(self._pick, {"head": _head(), "after": after, "batch": BATCH})
            fresh, broken = [], []
            for row in rows:
                try:
                    fresh.append((*row, *self._again(row)))
                except SealBroken as error:
                    broken.append(f"{self.name} {row[0]} ({type(error).__name__})")
            done = self._write(fresh) if fresh else 0
        return Turned(done, tuple(broken), rows[-1][0] if rows else None)

    def _again(self, row: Row) -> Iterator[str | None]:
        pk, *values = row
        for column, stored in zip(self.columns, values, strict=True):
            seal = column.cipher
            if stored is None or seal.is_current(stored):
                yield stored
            else:
                yield seal.seal(seal.open(stored, pk.bytes), pk.bytes)

    def _write(self, rows: Sequence[Row]) -> int:
        """Write rows of (id, values as read, values to be); one that differs by now is left."""
        were = [f"was_{place}" for place in range(len(self._names))]
        new = [f"new_{place}" for place in range(len(self._names))]
        sets = ", ".join(f"{name} = told.{to}" for name, to in zip(self._names, new, strict=True))
        same = " AND ".join(
            f"row.{name} IS NOT DISTINCT FROM told.{was}"
            for name, was in zip(self._names, were, strict=True)
        )
        arrays = ", ".join(["%s::uuid[]", *["%s::text[]"] * (len(were) + len(new))])
        sql = (
            f"UPDATE {self._table} AS row SET {sets}"  # noqa: S608
            f" FROM unnest({arrays}) AS told(id, {', '.join((*were, *new))})"
            f" WHERE row.id = told.id AND {same}"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])
            return int(cursor.rowcount)


class Sessions:
    """Everybody's sessions. One that cannot be opened is none; those that ended do not count."""

    name = "Sessions"
    _old = (
        "expire_date > now() AND NOT starts_with(session_data, %(head)s)"
        f" AND starts_with(session_data, '{VERSION}.')"
    )

    def stale(self) -> int:
        table = Session._meta.db_table
        sql = f"SELECT count(*) FROM {table} WHERE {self._old}"  # noqa: S608
        return int(_ask(sql, {"head": _head()})[0][0])

    def turn(self, after: Any) -> Turned:
        sql = (
            f"SELECT session_key, session_data FROM {Session._meta.db_table}"  # noqa: S608
            f" WHERE {self._old} AND session_key > %(after)s"
            " ORDER BY session_key LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED"
        )
        done = 0
        with transaction.atomic():
            rows = _ask(sql, {"head": _head(), "after": after or "", "batch": BATCH})
            for key, stored in rows:
                fresh = _reseal(SESSION, key, stored)
                same = Session.objects.filter(session_key=key, session_data=stored)
                # One that nobody can open signs nobody in: it goes, rather than hold up a key.
                done += same.update(session_data=fresh) if fresh else same.delete()[0]
        return Turned(done, (), rows[-1][0] if rows else None)


class SecondFactors:
    """The secrets of second factors, wherever they stand in an authenticator's data."""

    name = "Second factors"

    def stale(self) -> int:
        return sum(1 for row in Authenticator.objects.all() if _old_texts(row.data))

    def turn(self, after: Any) -> Turned:
        done, broken, last = 0, [], None
        with transaction.atomic():
            rows = Authenticator.objects.select_for_update(skip_locked=True, no_key=True)
            for row in rows.filter(pk__gt=after or 0).order_by("pk"):
                last = row.pk
                for old in _old_texts(row.data):
                    fresh = _reseal(FACTOR, place_of(row.user_id), old)
                    if fresh is None:
                        broken.append(f"second factor {row.pk}")
                        continue
                    row.data = json.loads(json.dumps(row.data).replace(old, fresh))
                    row.save(update_fields=["data"])
                    done += 1
        return Turned(done, tuple(broken), last)


def _old_texts(data: Any) -> list[str]:
    """Return the sealed texts in JSON data that have another key than the current one."""
    if isinstance(data, dict):
        return [text for value in data.values() for text in _old_texts(value)]
    if isinstance(data, list):
        return [text for value in data for text in _old_texts(value)]
    is_old = isinstance(data, str) and data.startswith(f"{VERSION}.")
    return [data] if is_old and not data.startswith(_head()) else []


def _reseal(purpose: str, row: str, stored: str) -> str | None:
    seal = cipher(purpose)
    try:
        return seal.seal(seal.open(stored, row.encode()), row.encode())
    except SealBroken:
        return None


def _head() -> str:
    """Return how every value that has the current key begins."""
    return f"{VERSION}.{ring().ids[0]}."


def _ask(sql: str, parameters: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[Row] = cursor.fetchall()
    return found


def sealed_columns(model: type[models.Model]) -> list[Any]:
    return [column for column in model._meta.concrete_fields if isinstance(column, SealedMixin)]


def shelves() -> list[Shelf]:
    """Return every place in which sealed values are kept: all models of all apps, and the rest."""
    tables = [SealedTable(model) for model in apps.get_models() if sealed_columns(model)]
    return [*tables, Sessions(), SecondFactors()]


def turn_all(shelf: Shelf, *, advance: Advance) -> int:
    """Seal a shelf's values again until none has another key; return how many rows were written.

    Raises Unfinished where a value cannot be opened, or its row stayed locked for ten seconds.
    """
    done = idle = 0
    broken: set[str] = set()
    while (left := shelf.stale()) > len(broken) and idle < IDLE_ROUNDS:
        if round_done := _round(shelf, broken, advance):
            done, idle = done + round_done, 0
        else:
            idle += 1
            time.sleep(PAUSE_SECONDS)
    if broken:
        raise Unfinished(f"cannot be opened: {', '.join(sorted(broken)[:5])}")
    if left:
        raise Unfinished(f"{shelf.name}: {left} rows stayed locked")
    return done


def _round(shelf: Shelf, broken: set[str], advance: Advance) -> int:
    done, after = 0, None
    while True:
        turned = shelf.turn(after)
        broken.update(turned.broken)
        done += turned.done
        advance(turned.done)
        if turned.last is None:
            return done
        after = turned.last
