"""Says, while a change of a record system is written here, which connection it came from: nothing
is to be told to a side of what it told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_from: ContextVar[UUID | None] = ContextVar("arriving_from", default=None)


@contextmanager
def arriving(connection: UUID) -> Iterator[None]:
    """Let changes of appointments made inside count as this connection's own."""
    token = _from.set(connection)
    try:
        yield
    finally:
        _from.reset(token)


def arriving_from() -> UUID | None:
    """Return the connection whose change is being written, if any."""
    return _from.get()
