"""The figures of a clinic: as they are at first, of days without visits, and asked for wrongly.

And both ways of offering freed time, tried; and one of them chosen.
"""

from __future__ import annotations

from tests.browser import visitors
from tests.browser.subjects import Subject


def _figures() -> list[Subject]:
    manager = visitors.staff("admin")
    nothing, backwards = "since=2020-02-01&until=2020-02-29", "since=2026-05-02&until=2026-05-01"
    return [
        Subject("reports:start", "reports", manager),
        Subject("reports:start", "reports", manager, query=nothing, label="nothing"),
        Subject("reports:start", "reports", manager, query=backwards, label="wrong", status=422),
        Subject("reports:waitlist", "reports", manager),
        Subject("reports:waitlist", "reports", manager, query=nothing, label="nothing"),
        *_simulation(),
    ]


def _simulation() -> list[Subject]:
    manager, page = visitors.staff("admin"), "reports:waitlist_simulation"
    return [
        Subject(page, "reports", manager),
        Subject(page, "reports", manager, query="source=invented&runs=4", label="invented"),
        Subject(page, "reports", manager, query="runs=99", label="wrong", status=422),
        Subject("reports:waitlist_use", "reports", manager, query="mode=OVERLAPPING"),
    ]


WAYS = [_figures]
