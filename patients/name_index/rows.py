"""One person as the name index keeps them: folded names in one line, so that rows sort as people
are listed. Knows neither where rows come from nor who may see them."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple
from uuid import UUID

from patients.closeness import Person
from patients.search_terms import fold

BETWEEN_NAMES = "\t"
NOT_A_DIGIT = re.compile(r"[^0-9]+")


class Row(NamedTuple):
    """Somebody on file; rows sort by family name, given name and id.

    `line` holds the family name's words and, after a tab, the given name's; `born` is the
    birthday's ordinal, 0 where it is not known; `phone` the number's digits.
    """

    line: str
    id: bytes
    born: int
    phone: str

    @property
    def person(self) -> Person:
        """The row as the finder compares it."""
        family, _tab, given = self.line.partition(BETWEEN_NAMES)
        return Person(
            given=tuple(given.split()),
            family=tuple(family.split()),
            born=date.fromordinal(self.born) if self.born else None,
            phone=self.phone,
        )


class Folder:
    """Makes rows. Names repeat among patients, so each is folded once in a folder's life."""

    def __init__(self) -> None:
        self._folded: dict[str, str] = {}

    def row(self, key: bytes, given: str, family: str, born: date | None, phone: str) -> Row:
        """Return the row of the patient whose id has these sixteen bytes."""
        line = f"{self._fold(family)}{BETWEEN_NAMES}{self._fold(given)}"
        return Row(line, key, born.toordinal() if born else 0, NOT_A_DIGIT.sub("", phone))

    def _fold(self, name: str) -> str:
        known = self._folded.get(name)
        if known is None:
            known = self._folded[name] = " ".join(fold(name))
        return known


def row(pk: UUID, *, given: str, family: str, born: date | None = None, phone: str = "") -> Row:
    """Return the row of one person; for many, keep a Folder."""
    return Folder().row(pk.bytes, given, family, born, phone)
