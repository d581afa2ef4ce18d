"""Remembers in a small file how far a comparison came, so that it need not begin anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from emr.reconciling.walking import Cell


class OtherComparison(Exception):
    """The file is of another connection or range, or no such file."""


class Bookmark:
    """`about` says which comparison this is. Without a path nothing is kept."""

    def __init__(self, path: Path | None, *, about: str) -> None:
        self._path, self._about = path, about

    def left_of(self, cells: Sequence[Cell]) -> list[Cell]:
        """Return the cells that are still to be compared. Raises OtherComparison."""
        last = self._last()
        return [cell for cell in cells if last is None or cell > last]

    def keep(self, cell: Cell) -> None:
        """Write that a cell, and all before it, are done. The file is whole at any moment."""
        if self._path is None:
            return
        told = {"about": self._about, "provider": cell.provider, "day": cell.day.isoformat()}
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(self._path)

    def close(self) -> None:
        """All is compared: the next run begins anew."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _last(self) -> Cell | None:
        if self._path is None or not self._path.exists():
            return None
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            is_same = told["about"] == self._about
            last = Cell(told["provider"], date.fromisoformat(told["day"]))
        except (ValueError, KeyError, TypeError) as error:
            raise OtherComparison from error
        if not is_same:
            raise OtherComparison
        return last
