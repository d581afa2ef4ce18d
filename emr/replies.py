"""Decides what an answer of a FHIR server means for what was asked: done, or which kind of failure.

Pure. Knows statuses, headers and whether a body is whole; not what stands in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from emr.failures import (
    BeingEdited,
    Clash,
    EMRError,
    NotFound,
    Refused,
    TryLater,
    Unauthorized,
    Unsure,
)

LONGEST_WAIT = timedelta(hours=1)
CHANGED_THERE = frozenset({409, 412, 424})
TOO_SOON = frozenset({425, 429})
GONE = frozenset({404, 410})
NO_CONTENT = 204
CREATES = "POST"
READS = frozenset({"GET", "HEAD"})


def failure_of(
    method: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    content_type: str,
    *,
    now: datetime,
    codes: Sequence[str] = (),
) -> EMRError | None:
    """Return how an answer fails, or None where it says that it was done.

    `headers` have names in lower case; `codes` are the answer's own, without PHI. A POST makes
    something new each time: what is not surely undone is Unsure. Whoever may ask a POST twice
    passes "GET" for it.
    """
    if 200 <= status < 300:
        return _damage(method, status, body, content_type)
    said = (str(status), *codes)
    if status in TOO_SOON:
        return TryLater(*said, after=waiting_time(headers.get("retry-after"), now=now))
    if status == 408 or status >= 500:
        return broken_off(method, *said, after=waiting_time(headers.get("retry-after"), now=now))
    return _refusal(status, said)


def broken_off(method: str, *codes: str, after: timedelta | None = None) -> EMRError:
    """Return the failure of a request that left, and whose answer did not come or says nothing."""
    return Unsure(*codes) if method == CREATES else TryLater(*codes, after=after)


def _refusal(status: int, codes: Sequence[str]) -> EMRError:
    """Sort the answers by which the other side surely did nothing."""
    if status in CHANGED_THERE:
        return Clash(*codes)
    if status == 423:
        return BeingEdited(*codes)
    if status == 401:
        return Unauthorized(*codes)
    return NotFound(*codes) if status in GONE else Refused(*codes)


def _damage(method: str, status: int, body: bytes, content_type: str) -> EMRError | None:
    """Return what is wrong with the body of a success.

    An empty one is right after a write (Oracle's 201 is empty text/html), and never after a read:
    an empty search would say that something is surely not there.
    """
    if not body.strip():
        is_wanting = method in READS and status != NO_CONTENT
        return broken_off(method, "empty-body") if is_wanting else None
    if parsed(body) is not None:
        return None
    return broken_off(method, "html" if "html" in content_type.lower() else "not-json")


def parsed(body: bytes) -> Mapping[str, Any] | None:
    """Return a JSON object; None of anything else, such as half of one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def waiting_time(header: str | None, *, now: datetime) -> timedelta | None:
    """Return what a Retry-After header asks for, in seconds or as a date; an hour at the most."""
    said = (header or "").strip()
    if said.isascii() and said.isdigit() and len(said) < 9:
        return min(timedelta(seconds=int(said)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    if until.tzinfo is None:
        return None
    return min(max(until - now, timedelta()), LONGEST_WAIT)


def bare_version(etag: str) -> str:
    """Return the version in an ETag header, without the mark of a weak one and the quotes."""
    return etag.strip().removeprefix("W/").strip('"')
