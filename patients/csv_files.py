"""Files of comma-separated values that no spreadsheet program takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def harmless(cell: object) -> str:
    """Return a cell's text, with an apostrophe before what would be run as a formula."""
    text = str(cell)
    return f"'{text}" if text.lstrip(" \n").startswith(DANGEROUS) else text


def csv_file(name: str, heads: Sequence[object], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Return rows as a file to keep, whole: it leaves only when its record is written.

    UTF-8 with a byte order mark, which is how spreadsheet programs know it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([harmless(head) for head in heads])
    writer.writerows([[harmless(cell) for cell in row] for row in rows])
    return HttpResponse(
        (BYTE_ORDER_MARK + text.getvalue()).encode(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
