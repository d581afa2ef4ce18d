"""Keeps the record of who looked at, and changed, whose data: opens it, and writes its rows.

Whoever does something for somebody opens a Record; sealed values report to it as they are opened;
one row is written of it at the end. Knows no pages, and decides nothing about who may look.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import Error, connection, transaction
from django.db.models import Model

from patients.looks import Look, looking
from patients.models.audit import Act, Outcome
from providers.fields import new_id
from providers.models import Clinic

logger = logging.getLogger(__name__)

WRITE = "SELECT daysheet_record(%s::jsonb)"
WRITE_ALL = "SELECT daysheet_record(value) FROM jsonb_array_elements(%s::jsonb)"
VISITOR = "system:visitor"
UNATTENDED = "system:unattended"
LONGEST_SYSTEM = 60
LONGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Who:
    """A user or a part of the system, at a clinic; `browser` is the digest of a visitor's."""

    user: int | None = None
    system: str = ""
    clinic: UUID | None = None
    browser: str = ""


@dataclass(slots=True)
class Record:
    """Who is at work, where and why, and what they have opened so far.

    `who` is asked when a row is written: somebody may sign in while a request is under way.
    `is_written` says that its row has been written by whoever did what it tells of.
    """

    who: Callable[[], Who]
    clinic: UUID | None = None
    page: str = ""
    purpose: str = ""
    action: Act = Act.ACCESS
    request_id: str = ""
    address: str | None = None
    look: Look = field(default_factory=Look)
    is_written: bool = False


_open: ContextVar[Record | None] = ContextVar("record", default=None)


def current() -> Record | None:
    """Return the record that is kept here, if any."""
    return _open.get()


def mark(
    *, action: Act | None = None, purpose: str = "", clinic: Clinic | None = None
) -> Record | None:
    """Say of what is being done here that it is a search, an export, or done for a purpose."""
    kept = _open.get()
    if kept is not None:
        kept.action = kept.action if action is None else action
        kept.purpose = purpose or kept.purpose
        kept.clinic = clinic.pk if clinic else kept.clinic
    return kept


@contextmanager
def opened(kept: Record) -> Iterator[Record]:
    """Let everything that is opened inside be reported to this record. Writes nothing."""
    token = _open.set(kept)
    try:
        with looking(kept.look):
            yield kept
    finally:
        _open.reset(token)


@contextmanager
def keeping_record(
    *,
    system: str,
    purpose: str,
    action: Act = Act.ACCESS,
    page: str = "",
    clinic: Clinic | None = None,
) -> Iterator[Record]:
    """Do what a job or a command does for patients, and write one row of it at the end.

    `system` is its name, such as "system:reminders"; `purpose` a code of at most 40 characters.
    Inside a request this is a record of its own: the request's names only who is shown. What
    fails is written down as FAILED and raised again. Whoever writes the row with a statement of
    its own, so that both are done or neither, says so by `is_written`. Raises django.db.Error
    where the row itself cannot be written.
    """
    outer = _open.get()
    kept = Record(
        who=lambda: Who(system=system[:LONGEST_SYSTEM]),
        clinic=clinic.pk if clinic else None,
        page=page or (outer.page if outer else _process()),
        purpose=purpose,
        action=action,
        request_id=outer.request_id if outer else new_id().hex,
        address=outer.address if outer else None,
    )
    try:
        with opened(kept):
            yield kept
    except BaseException:
        _write_failed(kept)
        raise
    if not kept.is_written:
        write(row_of(kept))


def _write_failed(kept: Record) -> None:
    """Write that something failed, where the connection still can; else the log has it."""
    try:
        with transaction.atomic():
            write(row_of(kept, outcome=Outcome.FAILED))
    except Error:
        logger.exception("audit row of a failure not written")


def record(
    *,
    action: Act,
    patients: Iterable[UUID] = (),
    about: Model | None = None,
    fields: Iterable[str] = (),
    changes: dict[str, Any] | None = None,
    purpose: str = "",
    outcome: Outcome = Outcome.DONE,
    clinic: Clinic | UUID | None = None,
    system: str = "",
    by: User | None = None,
) -> None:
    """Write one row in the caller's transaction: what was done about whom, beside any page's row.

    `about` is the row that it was done to; `fields` are names of columns, `changes` their plain
    values ({name: [old, new]}) and never those of sealed ones. Who did it is `by`, or `system`,
    or else whoever keeps the record at hand. Raises django.db.Error.
    """
    row = _identity(system=system, by=by) | {
        "action": int(action),
        "outcome": Outcome(outcome).value,
        "patients": [str(pk) for pk in dict.fromkeys(patients)],
        "fields": list(dict.fromkeys(fields)),
        "changes": changes,
    }
    if purpose:
        row["purpose"] = purpose
    if clinic is not None:
        row["clinic"] = str(clinic.pk if isinstance(clinic, Clinic) else clinic)
    write(row | _object(about))


def row_of(kept: Record, *, outcome: Outcome = Outcome.DONE, **more: Any) -> dict[str, Any]:
    """Return the row of a record as `daysheet_record` takes it."""
    return (
        _facts(kept)
        | {
            "action": int(kept.action),
            "outcome": Outcome(outcome).value,
            "patients": sorted(str(pk) for pk in kept.look.patients),
            "fields": sorted(kept.look.fields),
        }
        | more
    )


def row_for(
    *,
    action: Act,
    patients: Iterable[UUID],
    model: type[Model],
    pk: UUID,
    fields: Iterable[str] = (),
    by: int | None = None,
    system: str = "",
) -> dict[str, Any]:
    """Return a row for a function of the database that writes it itself with `daysheet_record`."""
    return _identity(system=system, user=by) | {
        "action": int(action),
        "patients": [str(patient) for patient in patients],
        "fields": list(fields),
        "app": model._meta.app_label,
        "model": model._meta.model_name,
        "object": str(pk),
    }


def write(row: dict[str, Any]) -> None:
    """Write a row in the transaction at hand. Raises django.db.Error where it cannot be written."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [json.dumps(row)])


def write_all(rows: Sequence[dict[str, Any]]) -> None:
    """Write several rows, in one statement, in the transaction at hand. Raises as `write` does."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(WRITE_ALL, [json.dumps(rows)])


def _identity(
    *, system: str = "", by: User | None = None, user: int | None = None
) -> dict[str, Any]:
    """Return who acts: as told, or else as the record at hand says, or else the process."""
    kept = _open.get()
    told = user if by is None else by.pk
    facts = _facts(kept) if kept else {"page": _process()}
    if told is not None:
        return facts | {"actor": told, "system": ""}
    if system:
        return facts | {"actor": None, "system": system[:LONGEST_SYSTEM]}
    return facts if kept else facts | {"system": UNATTENDED}


def _facts(kept: Record) -> dict[str, Any]:
    who = kept.who()
    return {
        "actor": who.user,
        "system": who.system,
        "browser": who.browser,
        "clinic": str(kept.clinic or who.clinic or "") or None,
        "page": kept.page[:LONGEST_PAGE],
        "purpose": kept.purpose,
        "request": kept.request_id,
        "address": kept.address,
    }


def _object(about: Model | None) -> dict[str, Any]:
    if about is None:
        return {}
    options = about._meta
    return {
        "app": options.app_label,
        "model": options.model_name,
        "object": str(about.pk),
        "repr": str(about),
    }


def _process() -> str:
    """Return what runs here: "manage.py import_fhir"."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])[:LONGEST_PAGE]
