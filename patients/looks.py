"""Whose data the request, job or command at hand has opened so far, and which fields of it.

Sealed columns report here whenever a value is opened, so that no look can be forgotten; whoever
opened the record writes it down at the end. Knows neither requests nor the audit's table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings


class Unrecorded(Exception):
    """A sealed value was to be opened where nobody keeps a record of it."""


@dataclass(slots=True)
class Look:
    """Everybody whose data was shown or used, and the names of the fields."""

    patients: set[UUID] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


_open: ContextVar[Look | None] = ContextVar("look", default=None)


@contextmanager
def looking(look: Look) -> Iterator[Look]:
    """Collect in `look` what is opened inside; what was open before goes on afterwards."""
    token = _open.set(look)
    try:
        yield look
    finally:
        _open.reset(token)


def current() -> Look | None:
    """Return the record that is open here, if any."""
    return _open.get()


def note(patient: UUID | None, *names: str) -> None:
    """Report that fields of a patient's data are being opened.

    Raises Unrecorded where no record is open, unless the settings say that this is no clinic.
    """
    look = _open.get()
    if look is None:
        if settings.LOOKS_MUST_BE_RECORDED:
            raise Unrecorded(f"{', '.join(names)} cannot be opened without a record of it.")
        return
    if patient is not None:
        look.patients.add(patient)
    look.fields.update(names)


def note_patients(patients: Iterable[UUID]) -> None:
    """Report people who are shown without any sealed value: a time, a status, a reference."""
    look = _open.get()
    if look is not None:
        look.patients.update(patients)
