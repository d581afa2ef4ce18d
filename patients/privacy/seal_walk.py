"""Follows the seals in order, and compares what each lists with the rows as they are found.

Knows when something is wrong and where; when to begin and to stop is said by `verify`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from patients.chain import BEGINNING, ENTRY_BYTES, Place, VerifyKeys, entry, unpacked
from patients.models import AuditEntry, AuditSeal
from patients.privacy import anchor, audit_rows
from patients.privacy.anchor import Trail
from patients.privacy.audit_rows import BEFORE_ALL, Stretch
from patients.privacy.seal_state import latest_of
from patients.tampering import Damage, Elsewhere, Kind, first_damage

ROWS_AT_ONCE = 50_000
SEALS_AT_ONCE = 500

Progress = Callable[[int], object]


class Found(Exception):
    """Damage was found; what comes after it is not looked at."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(str(damage))
        self.damage = damage


@dataclass(slots=True)
class Walk:
    """Follows the seals one by one, and compares the rows of several with them in one reading."""

    trusted: VerifyKeys
    trail: Trail | None = None
    path: Path | None = None
    progress: Progress = lambda _rows: None
    number: int = 1
    previous: str = BEGINNING.hex()
    total: int = 0
    rows: int = 0
    places: dict[int, Place] = field(default_factory=dict)
    group: list[AuditSeal] = field(default_factory=list)
    since: int = 1

    def begin(self, since: int) -> None:
        """Go on from the seal before `since`, and trust what was sealed before. Raises Found."""
        self.since = self.number = since
        before = AuditSeal.objects.defer("entries").filter(number=since - 1).first()
        if before is None:
            raise Found(Damage(Kind.SEAL_MISSING, seal=since - 1))
        self._check_signature(before)
        self.previous, self.total = before.head().digest().hex(), before.total

    def step(self, seal: AuditSeal) -> None:
        """Follow the next seal. Raises Found."""
        try:
            self._check(seal)
        except Found:
            self.compare()  # rows that come before it would be the first damage
            raise
        if self.group and not self._goes_with(seal):
            self.compare()
        self.group.append(seal)
        self.number, self.total = seal.number + 1, seal.total
        self.previous = seal.head().digest().hex()

    def _check(self, seal: AuditSeal) -> None:
        if seal.number != self.number:
            raise Found(self.from_the_anchor(Kind.SEAL_MISSING))
        self._check_signature(seal)
        head = seal.head()
        if head.previous != self.previous or head.total != self.total + head.rows:
            raise Found(Damage(Kind.SEAL_UNCHAINED, seal.first_id, seal.number))
        named = self.trail.digest(seal.number) if self.trail else None
        if named not in (None, head.digest()):
            raise Found(self.from_the_anchor(Kind.UNANCHORED))

    def _check_signature(self, seal: AuditSeal) -> None:
        if not self.trusted.knows(seal.key):
            raise Found(Damage(Kind.SEAL_UNKNOWN_KEY, seal.first_id, seal.number))
        head = seal.head()
        if not self.trusted.confirm(seal.key, bytes(seal.signature), head.canonical()):
            raise Found(Damage(Kind.SEAL_FORGED, seal=seal.number))

    def from_the_anchor(self, kind: Kind) -> Damage:
        """Return damage of the seal that is next, with its first row as the anchor tells it."""
        named = anchor.find(self.path, self.number) if self.path else None
        if named is None:
            return Damage(kind, seal=self.number)
        if not named.is_genuine(self.trusted):
            return Damage(Kind.ANCHOR_BROKEN, seal=self.number)
        return Damage(kind, named.head.first, self.number)

    def _goes_with(self, seal: AuditSeal) -> bool:
        first = self.group[0]
        rows = sum(one.rows for one in self.group)
        return (
            (seal.cluster, seal.columns) == (first.cluster, first.columns)
            and rows + seal.rows <= ROWS_AT_ONCE
            and len(self.group) < SEALS_AT_ONCE
        )

    def compare(self) -> None:
        """Compare the rows of the seals at hand with what those list. Raises Found."""
        group, self.group = self.group, []
        if not group:
            return
        first, last = group[0], group[-1]
        listed = _listed(group)
        if not {*first.columns} <= {*audit_rows.columns()}:
            raise Found(Damage(Kind.SEAL_UNREADABLE, seal=first.number))
        stretch = Stretch(first.cluster, self._reached(first.cluster), last.through)
        found = b"".join(map(entry, audit_rows.lines(stretch, first.columns)))
        if found != listed:
            raise Found(_damage(group, listed, found))
        self.places[first.cluster] = last.through
        rows = len(listed) // ENTRY_BYTES
        self.rows += rows
        self.progress(rows)

    def _reached(self, cluster: int) -> Place:
        """Return the place on a cluster where the rows of the next seal begin. Raises Found."""
        if cluster not in self.places:
            before = latest_of(cluster, before=self.since)
            if before is not None:
                self._check_signature(before)
            self.places[cluster] = before.through if before else BEFORE_ALL
        return self.places[cluster]


def _listed(group: list[AuditSeal]) -> bytes:
    """Return what the seals list, as it was signed. Raises Found."""
    wanted = AuditSeal.objects.filter(number__range=(group[0].number, group[-1].number))
    entries = dict(wanted.values_list("number", "entries"))
    for seal in group:
        if hashlib.sha256(entries[seal.number]).digest() != bytes(seal.entries_digest):
            raise Found(Damage(Kind.SEAL_FORGED, seal.first_id, seal.number))
    return b"".join(bytes(entries[seal.number]) for seal in group)


def _damage(group: list[AuditSeal], listed: bytes, found: bytes) -> Damage:
    """Name the first row that departs, and the seal that covers it, where one of these does."""
    were = unpacked(listed)
    damage = first_damage(were, unpacked(found), elsewhere=Elsewhere(_in_table, _in_seals))
    before = next((place for place, (row, _) in enumerate(were) if row == damage.row), len(were))
    for seal in group:
        if before < seal.rows:
            return Damage(damage.kind, damage.row, seal.number)
        before -= seal.rows
    return damage


def _in_table(row: int) -> bool:
    return bool(AuditEntry.objects.filter(pk=row).exists())


def _in_seals(row: int) -> bool:
    """Look through all seals: a slow question, asked once, when something is wrong."""
    return any(
        row == listed
        for number in AuditSeal.objects.values_list("number", flat=True)
        for listed, _ in unpacked(bytes(AuditSeal.objects.get(number=number).entries))
    )
