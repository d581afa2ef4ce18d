"""How fast a record system may be asked, and when it is left alone: known to all processes.

A token bucket, a breaker and the pause that the other side asked for, in one row for each
connection. Every change is one statement, so that callers at the same time cannot exceed it.

The bucket: `tokens(now) = min(burst, tokens + rate_per_second * (now - tokens_at))`; one request
takes one, and below one there is none to be had for `(1 - tokens) / rate_per_second` seconds.

The breaker: after FAILURES in a row it is open for `FIRST * 2 ** (failures - FAILURES)`, LONGEST
at the most; wrong credentials open it at once for LONGEST. When that is over, one caller is let
through, and the others wait for what becomes of it or for `timeout_seconds` + PROBE.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database

from emr.failures import BeingEdited, EMRError, NotOffered, TryLater, Unauthorized, Unsure
from emr.models import ConnectionState, EMRConnection

FAILURES = 5
FIRST = timedelta(seconds=30)
LONGEST = timedelta(minutes=15)
PROBE = timedelta(seconds=15)
QUIET = timedelta(seconds=5)  # a success that follows another sooner is not written down
HAIR = timedelta(milliseconds=1)  # where the database rounds otherwise than we do
LONGEST_CODE = 60
MOST_DOUBLINGS = 16

MAKE = """
INSERT INTO emr_connectionstate (connection_id, tokens, tokens_at, failures, last_failure,
    capability, smart, discovered_digest, cursor)
VALUES (%s, %s, %s, 0, '', '{}', '{}', ''::bytea, '{}') ON CONFLICT DO NOTHING
"""
HELD = """least(%(burst)s::float8, tokens + %(rate)s::float8
    * greatest(0, extract(epoch FROM %(now)s - tokens_at))::float8)"""
TAKE = f"""
UPDATE emr_connectionstate SET
    tokens = {HELD} - 1,
    tokens_at = greatest(tokens_at, %(now)s),
    open_until = CASE WHEN open_until IS NULL THEN NULL ELSE %(probe_ends)s END
WHERE connection_id = %(connection)s
    AND {HELD} >= 1
    AND (open_until IS NULL OR open_until <= %(now)s)
    AND (paused_until IS NULL OR paused_until <= %(now)s)
"""  # noqa: S608 - of this module's own words
SUCCEEDED = """
UPDATE emr_connectionstate SET failures = 0, open_until = NULL, last_success_at = %(now)s
WHERE connection_id = %(connection)s AND (failures > 0 OR open_until IS NOT NULL
    OR last_success_at IS NULL OR last_success_at < %(quiet)s)
"""
ANSWERED = """
UPDATE emr_connectionstate SET failures = 0, open_until = NULL
WHERE connection_id = %(connection)s AND (failures > 0 OR open_until IS NOT NULL)
"""
FAILED = """
UPDATE emr_connectionstate SET
    failures = greatest(failures + 1, %(at_least)s),
    open_until = CASE
        WHEN %(at_least)s > 0 THEN greatest(open_until, %(now)s + %(longest)s)
        WHEN failures + 1 >= %(threshold)s THEN %(now)s + least(%(longest)s,
            %(first)s * power(2, least(failures + 1 - %(threshold)s, %(doublings)s)))
        ELSE open_until END,
    last_failure_at = %(now)s,
    last_failure = %(code)s
WHERE connection_id = %(connection)s
"""
PAUSED = """
UPDATE emr_connectionstate SET failures = 0, open_until = NULL,
    paused_until = greatest(paused_until, %(until)s),
    last_failure_at = %(now)s, last_failure = %(code)s
WHERE connection_id = %(connection)s
"""


def take(connection: EMRConnection, *, now: datetime) -> timedelta:
    """Take leave to ask once: zero to go ahead, else how long to wait before trying again.

    Whoever goes ahead says afterwards whether it `succeeded` or `failed`.
    """
    values = {
        "connection": connection.pk,
        "now": now,
        "rate": connection.rate_per_second,
        "burst": connection.burst,
        "probe_ends": now + timedelta(seconds=connection.timeout_seconds) + PROBE,
    }
    if _run(TAKE, values):
        return timedelta()
    _make(connection, now)
    wait = _wait(connection, now)
    if wait or not _run(TAKE, values):
        return wait or HAIR
    return timedelta()  # the row was made meanwhile


def is_left_alone(connection: EMRConnection, *, now: datetime) -> datetime | None:
    """Return until when a connection is not to be asked, or None where it may be."""
    state = ConnectionState.objects.filter(connection=connection).first()
    return _shut_until(state, now) if state else None


def succeeded(connection: EMRConnection, *, now: datetime) -> None:
    """Note that the other side did what it was asked: the breaker shuts."""
    _run(SUCCEEDED, {"connection": connection.pk, "now": now, "quiet": now - QUIET})


def failed(connection: EMRConnection, error: EMRError, *, now: datetime) -> None:
    """Note what went wrong.

    Silence, 5xx and wrong credentials count towards the breaker. A server that says when to come
    back is alive, and is left alone until then; so is one that says no to one request.
    """
    values = {"connection": connection.pk, "now": now, "code": code_of(error)}
    if isinstance(error, NotOffered):
        return
    _make(connection, now)
    if isinstance(error, TryLater) and error.after is not None:
        _run(PAUSED, values | {"until": now + error.after})
    elif isinstance(error, (TryLater, Unsure, Unauthorized)) and not isinstance(error, BeingEdited):
        _run(FAILED, values | _opening(is_locked_out=isinstance(error, Unauthorized)))
    else:
        _run(ANSWERED, values)


def code_of(error: EMRError) -> str:
    """Return what is kept of a failure: its kind and its first code."""
    return " ".join([type(error).__name__, *error.codes[:1]])[:LONGEST_CODE]


def opens_for(failures: int) -> timedelta:
    """Return for how long the breaker is open after so many failures in a row."""
    if failures < FAILURES:
        return timedelta()
    doublings: int = 2 ** min(failures - FAILURES, MOST_DOUBLINGS)
    return min(LONGEST, FIRST * doublings)


def refilled(tokens: float, *, since: timedelta, rate: float, burst: int) -> float:
    """Return how many tokens a bucket holds a while after it held `tokens`."""
    return min(float(burst), tokens + rate * max(0.0, since.total_seconds()))


def _opening(*, is_locked_out: bool) -> dict[str, Any]:
    return {
        "at_least": FAILURES if is_locked_out else 0,
        "threshold": FAILURES,
        "doublings": MOST_DOUBLINGS,
        "first": FIRST,
        "longest": LONGEST,
    }


def _wait(connection: EMRConnection, now: datetime) -> timedelta:
    """Return how long nothing is to be had."""
    state = ConnectionState.objects.get(connection=connection)
    shut = _shut_until(state, now)
    held = refilled(
        state.tokens,
        since=now - state.tokens_at,
        rate=connection.rate_per_second,
        burst=connection.burst,
    )
    missing = timedelta(seconds=max(0.0, 1 - held) / connection.rate_per_second)
    return max(shut - now if shut else timedelta(), missing)


def _shut_until(state: ConnectionState, now: datetime) -> datetime | None:
    ends = [at for at in (state.open_until, state.paused_until) if at is not None and at > now]
    return max(ends, default=None)


def _make(connection: EMRConnection, now: datetime) -> None:
    """Make the row of a connection that has none yet, with a full bucket."""
    with database.cursor() as cursor:
        cursor.execute(MAKE, [connection.pk, connection.burst, now])


def _run(statement: str, values: dict[str, Any]) -> int:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
