"""Decides what happened to sealed rows, from what was listed and what is found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

Entry = tuple[int, bytes]  # a row's id and its digest


class Kind(StrEnum):
    """What is wrong, as the end of the sentence `row 7 …` or `seal 3 …`."""

    CHANGED = "was changed after it was sealed"
    DELETED = "was deleted after it was sealed"
    INSERTED = "was put among rows that had been sealed before"
    MOVED = "has the content of another sealed row"
    HIDDEN = "claims a transaction that never was, so that no seal would cover it"
    SEAL_MISSING = "is missing"
    SEAL_FORGED = "does not match its signature"
    SEAL_UNKNOWN_KEY = "is signed with a key that is not trusted here"
    SEAL_UNCHAINED = "does not follow the seal before it"
    SEAL_UNREADABLE = "names columns that the table no longer has"
    TRUNCATED = "and all that followed are gone; the anchor still names them"
    UNANCHORED = "is not the one that the anchor names"
    ANCHOR_BROKEN = "cannot be found in the anchor as it was written there"


ABOUT_A_SEAL = {
    Kind.SEAL_MISSING,
    Kind.SEAL_FORGED,
    Kind.SEAL_UNKNOWN_KEY,
    Kind.SEAL_UNCHAINED,
    Kind.SEAL_UNREADABLE,
    Kind.TRUNCATED,
    Kind.UNANCHORED,
    Kind.ANCHOR_BROKEN,
}


@dataclass(frozen=True, slots=True)
class Damage:
    """The first thing that is wrong. `row` is its id where one can be named, `seal` the number."""

    kind: Kind
    row: int | None = None
    seal: int | None = None

    def __str__(self) -> str:
        if self.kind not in ABOUT_A_SEAL:
            where = f" (seal {self.seal})" if self.seal else ""
            return f"row {self.row}{where} {self.kind}"
        what = f"seal {self.seal} {self.kind}"
        return what if self.row is None else f"{what}; the first row it covers is {self.row}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at up to the first damage; `str()` is one line for people and logs.

    `unanchored` seals stand beyond the anchor's end; `lost` ones were given up after restores.
    """

    rows: int
    seals: int
    head: str
    unsealed: int
    oldest_unsealed: timedelta | None
    damage: Damage | None = None
    unanchored: int = 0
    lost: int = 0

    @property
    def intact(self) -> bool:
        return self.damage is None

    def __str__(self) -> str:
        if self.damage is not None:
            return f"DAMAGED: {self.damage}"
        age = self.oldest_unsealed
        parts = [
            f"{self.rows} rows, {self.seals} seals, head {self.head or 'none'}",
            f"unsealed tail {self.unsealed} rows"
            + (f", oldest unsealed {age.total_seconds():.0f} s" if age is not None else ""),
        ]
        if self.unanchored:
            parts.append(f"{self.unanchored} seals not yet in the anchor")
        if self.lost:
            parts.append(f"{self.lost} seals lost in restores that were declared")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Asks about rows beyond those compared: is it in the table, did another seal list it?"""

    in_table: Callable[[int], bool]
    in_seals: Callable[[int], bool]


def first_damage(
    listed: Sequence[Entry], found: Sequence[Entry], *, elsewhere: Elsewhere
) -> Damage:
    """Name the first row at which what is found departs from what was listed.

    Both are in the order of sealing, and differ.
    """
    were, are = dict(listed), dict(found)
    at = next(
        (i for i, (one, other) in enumerate(zip(listed, found, strict=False)) if one != other),
        min(len(listed), len(found)),
    )
    if at < len(found) and found[at][0] not in were:
        return _stranger(*found[at], listed, are, elsewhere)
    for row, digest in listed[at:]:
        if row not in are:
            return _missing(row, digest, are, elsewhere)
        if are[row] != digest:
            return Damage(Kind.MOVED if are[row] in were.values() else Kind.CHANGED, row)
    return Damage(Kind.INSERTED, found[at][0])  # a second row of an id that is listed


def _stranger(
    row: int, digest: bytes, listed: Sequence[Entry], are: dict[int, bytes], elsewhere: Elsewhere
) -> Damage:
    """A row stands where none was listed: under another id, moved here by a change, or new."""
    for was, its_digest in listed:
        if its_digest == digest and was not in are:
            return Damage(Kind.MOVED, was)
    return Damage(Kind.CHANGED if elsewhere.in_seals(row) else Kind.INSERTED, row)


def _missing(row: int, digest: bytes, are: dict[int, bytes], elsewhere: Elsewhere) -> Damage:
    if digest in are.values():
        return Damage(Kind.MOVED, row)
    return Damage(Kind.CHANGED if elsewhere.in_table(row) else Kind.DELETED, row)
