"""What an import tells people: counts for each type, and each record that was not wholly taken.

Findings carry ids and reasons, never names or values, so that they may be kept and passed on.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import TextIO

NEW, UPDATED, UNCHANGED, REPEATED, REFUSED = "new", "updated", "unchanged", "repeated", "refused"
OUTCOMES = (NEW, UPDATED, UNCHANGED, REPEATED, REFUSED)
KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Finding:
    """`outcome` is refused, or kept for a record that is here without something it said.

    `file` counts the files in the order read, from 1; `entry` the entries or lines of the file.
    """

    file: int
    entry: int
    resource_type: str
    resource_id: str
    outcome: str
    code: str
    reason: str


@dataclass(slots=True)
class Tally:
    """Counts of (resource type, outcome), of (type, outcome, reason), and damage by file."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    damaged: dict[int, str] = field(default_factory=dict)

    def table(self) -> Iterator[str]:
        """Yield the lines of a summary for people."""
        yield _row("", *OUTCOMES)
        for kind in sorted({kind for kind, _ in self.outcomes}):
            counts = (str(self.outcomes[kind, outcome]) for outcome in OUTCOMES)
            yield _row(kind or "unreadable", *counts)
        for heading, outcome in (("Refused:", REFUSED), ("Kept, but:", KEPT)):
            rows = sorted(row for row in self.reasons.items() if row[0][1] == outcome)
            if rows:
                yield heading
            for (kind, _, reason), count in rows:
                yield f"{count:>7}  {kind or 'unreadable'}: {reason}"


def _row(first: str, *others: str) -> str:
    return f"{first:<17}" + "".join(f"{other:>11}" for other in others)


def report_writer(file: TextIO, *, as_csv: bool) -> Callable[[Finding], None]:
    """Return what writes findings to a file as they come: CSV with a heading, or JSON lines."""
    if not as_csv:
        return lambda finding: print(json.dumps(asdict(finding)), file=file)
    writer = csv.writer(file)
    names = [column.name for column in fields(Finding)]
    writer.writerow(names)
    return lambda finding: writer.writerow([_cell(getattr(finding, name)) for name in names])


def _cell(value: object) -> str:
    """Return a value that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
