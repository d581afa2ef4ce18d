"""Handlers of changes, for settings of tests: one remembers, one fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings

from scheduling.changes import Change

_heard: list[Change] = []


@contextmanager
def listening() -> Iterator[list[Change]]:
    """All changes that are told within, and none that were told before."""
    _heard.clear()
    with override_settings(BOOKING_HANDLERS=[f"{__name__}.remember"]):
        yield _heard
    _heard.clear()


def remember(changes: list[Change]) -> None:
    _heard.extend(changes)


def fail(_changes: list[Change]) -> None:
    raise LookupError("the neighbour is out")
