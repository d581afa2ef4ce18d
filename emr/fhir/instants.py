"""Moments as FHIR writes them: UTC, with seconds and a Z."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from emr.fhir import tolerant
from emr.fhir.errors import Refused


def utc(at: datetime) -> str:
    """Write an aware moment, to the second. Raises ValueError for one without a zone."""
    if at.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(value: Any) -> datetime | None:
    """Return a moment in UTC; None for what is none, or has no zone and so is no moment."""
    try:
        found = tolerant.instant(value)
        return found.astimezone(UTC) if found else None
    except (Refused, OverflowError):
        return None
