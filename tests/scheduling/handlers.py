"""Handlers of changes, for settings of tests: one remembers, one fails."""

from scheduling.changes import Change

HEARD: list[Change] = []


def remember(changes: list[Change]) -> None:
    HEARD.extend(changes)


def fail(_changes: list[Change]) -> None:
    raise LookupError("the neighbour is out")
