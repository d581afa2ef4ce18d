"""Reads the audit: who saw this patient, what did this person see, what happened at these clinics.

Newest first, a page at a time by the last row seen, so that a page costs the same at any depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from patients.models import AuditEntry
from patients.models.audit import Outcome
from providers.models import Clinic

ON_A_PAGE = 50
MOST_IN_A_FILE = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Entries = QuerySet[AuditEntry]


class BadCursor(Exception):
    """What stands in the address is no place in the record."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the record: after this row. Written as microseconds since 1970 and an id."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Return the place that a text names; None of an empty one. Raises BadCursor."""
        if not text:
            return None
        at, _dash, number = text.partition("-")
        try:
            return cls(EPOCH + timedelta(microseconds=int(at)), int(number))
        except (ValueError, OverflowError) as error:
            raise BadCursor from error


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a report, and where the next begin, if there are more."""

    entries: list[AuditEntry]
    next: Cursor | None


def part_of(report: Entries, *, after: Cursor | None, most: int = ON_A_PAGE) -> Part:
    """Return at most so many rows that follow a place."""
    if after is not None:
        earlier = Q(timestamp__lt=after.at) | Q(timestamp=after.at, id__lt=after.id)
        report = report.filter(earlier, timestamp__lte=after.at)
    rows = list(report.order_by("-timestamp", "-id")[: most + 1])
    if len(rows) <= most:
        return Part(rows, None)
    last = rows[most - 1]
    return Part(rows[:most], Cursor(last.timestamp, last.pk))


def who_saw(patients: Sequence[UUID]) -> Entries:
    """Return the rows that name a person, by any of the ids under which they were on file."""
    rows: Entries = AuditEntry.objects.all()
    if len(patients) == 1:
        return rows.filter(patient_ids__contains=list(patients))
    return rows.filter(patient_ids__overlap=list(patients))


def what_was_done_by(user: User, *, clinics: Iterable[Clinic] | None = None) -> Entries:
    """Return what somebody did: everywhere, or at some clinics and where no clinic was named."""
    rows: Entries = AuditEntry.objects.filter(actor=user)
    if clinics is None:
        return rows
    return rows.filter(Q(clinic__in=list(clinics)) | Q(clinic__isnull=True))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an officer looks for; instants are aware, [since, until)."""

    since: datetime
    until: datetime
    action: int | None = None
    outcome: str = ""


def what_happened(clinics: Iterable[Clinic], wanted: Wanted) -> Entries:
    """Return what was done at some clinics within a time."""
    rows: Entries = AuditEntry.objects.filter(
        clinic__in=list(clinics), timestamp__gte=wanted.since, timestamp__lt=wanted.until
    )
    if wanted.action is not None:
        rows = rows.filter(action=wanted.action)
    return rows.filter(outcome=wanted.outcome) if wanted.outcome else rows


def looks_of_others(patients: Sequence[UUID], *, besides: User) -> Entries:
    """Return what others did with a person's record; tries that were refused saw nothing."""
    return who_saw(patients).filter(outcome=Outcome.DONE).exclude(actor=besides)
