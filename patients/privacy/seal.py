"""Seals the audit: batches of rows that nothing can change any more, chained, signed, anchored.

Decides which rows are next and when sealing must stop. Does not look whether sealed rows are still
what they were: that is `patients.privacy.verify`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from patients.chain import BEGINNING, Head, Place, SealKey, columns_digest, entry, place_of
from patients.models import AuditSeal
from patients.privacy import anchor, audit_rows
from patients.privacy.anchor import AnchorAhead, AnchorMissing, Signed
from patients.privacy.audit_rows import END, Server, Stretch
from patients.privacy.seal_state import (
    NoSealKey,
    Status,
    anchor_path,
    horizon,
    key,
    keys,
    last_seal,
    status,
)

__all__ = [
    "AnchorAhead",
    "AnchorMissing",
    "NoSealKey",
    "Sealed",
    "Status",
    "check_anchor",
    "new_anchor",
    "publish",
    "resume_after_restore",
    "seal",
    "status",
]

logger = logging.getLogger(__name__)

MOST_ROWS = 20_000
PUBLISHED_AT_ONCE = 1_000
SINGLE_FLIGHT = "SELECT pg_try_advisory_xact_lock(hashtextextended('audit seal', 0))"


@dataclass(frozen=True, slots=True)
class Sealed:
    seals: int
    rows: int


def seal(*, most_rows: int = MOST_ROWS, within: timedelta | None = None, now: datetime) -> Sealed:
    """Seal every row whose transaction is over, batch by batch, and publish each head.

    Stops when there is nothing left, when another process is at it, or, with `within`, when that
    much time has gone since `now`. Raises NoSealKey; AnchorMissing and AnchorAhead where sealing
    on would cover up that rows or the anchor were lost.
    """
    signing, at, seals, rows = key(), now, 0, 0
    while within is None or at - now < within:
        batch = _seal_next(signing, most_rows=most_rows, now=at)
        publish()
        if batch is None:
            break
        seals, rows, at = seals + 1, rows + batch.rows, datetime.now(UTC)
    return Sealed(seals, rows)


@transaction.atomic
def _seal_next(signing: SealKey, *, most_rows: int, now: datetime) -> Head | None:
    """Seal one batch; None where nothing is to be sealed or somebody else is sealing."""
    with connection.cursor() as cursor:
        cursor.execute(SINGLE_FLIGHT)
        if cursor.fetchone() != (True,):
            return None
    before = last_seal()
    check_anchor(before)
    with audit_rows.reading():
        names, server = audit_rows.columns(), audit_rows.server()
        for stretch, settled in _stretches(server):
            entries, last = _entries(stretch, names, most_rows)
            if last is None:
                continue
            full = len(entries) == most_rows
            through = last if full or settled is None else settled
            head = _head(before, stretch, server, names, entries, through, signing.name, now)
            _keep(head, names, b"".join(entries), signing)
            return head
    return None


def _stretches(server: Server) -> Iterator[tuple[Stretch, Place | None]]:
    """Yield what is still to seal on each cluster, former ones first: rows a dump brought along.

    On this one, only rows of transactions older than every running one: more can no longer come
    before that place, which is yielded too.
    """
    others = [cluster for cluster in audit_rows.clusters() if cluster != server.cluster]
    for cluster in others:
        yield Stretch(cluster, horizon(cluster), Place(END, END)), None
    settled = Place(server.oldest_running - 1, END)
    yield Stretch(server.cluster, horizon(server.cluster), settled), settled


def _entries(stretch: Stretch, names: list[str], most: int) -> tuple[list[bytes], Place | None]:
    entries, line = [], b""
    for line in audit_rows.lines(stretch, names, most=most):
        entries.append(entry(line))
    return entries, place_of(line) if entries else None


def _head(
    before: AuditSeal | None,
    stretch: Stretch,
    server: Server,
    names: list[str],
    entries: list[bytes],
    through: Place,
    name: str,
    now: datetime,
) -> Head:
    return Head(
        number=before.number + 1 if before else 1,
        previous=(before.head().digest() if before else BEGINNING).hex(),
        cluster=stretch.cluster,
        timeline=server.timeline,
        columns=columns_digest(names),
        through=through,
        first=int.from_bytes(entries[0][:8], "big", signed=True),
        rows=len(entries),
        total=(before.total if before else 0) + len(entries),
        entries=hashlib.sha256(b"".join(entries)).hexdigest(),
        sealed_at=now.astimezone(UTC).isoformat(timespec="microseconds"),
        key=name,
    )


def _keep(head: Head, names: list[str], entries: bytes, signing: SealKey) -> None:
    signature = signing.sign(head.canonical())
    row = AuditSeal.of(head, columns=names, entries=entries, signature=signature)
    row.save(force_insert=True)


def check_anchor(head: AuditSeal | None) -> None:
    """Raise AnchorMissing or AnchorAhead where the anchor and the seals do not fit together."""
    path = anchor_path()
    if path is None:
        return
    if head is None and not path.exists():
        anchor.create(path)
    at = anchor.last(path)
    if at is None:
        return
    number, digest = at
    ours = AuditSeal.objects.defer("entries").filter(number=number).first() if number else None
    known = BEGINNING if not number else ours.head().digest() if ours else None
    if known != digest:
        raise AnchorAhead(
            f"The anchor names seal {number}, the database has it not or another."
            " Run verify_audit; after a restore, seal_audit --after-restore."
        )


def publish() -> None:
    """Bring the anchor up to the last seal: what a crash left out is made up for."""
    path = anchor_path()
    if path is None or last_seal() is None:
        return
    while True:
        at = anchor.last(path)
        rows = AuditSeal.objects.defer("entries").filter(number__gt=at[0] if at else 0)
        heads = [
            Signed(row.head(), bytes(row.signature))
            for row in rows.order_by("number")[:PUBLISHED_AT_ONCE]
        ]
        if not heads:
            return
        anchor.publish(path, heads)
        for signed in heads:
            logger.info(
                "audit.sealed",
                extra={
                    "seal": signed.head.number,
                    "rows": signed.head.rows,
                    "head": signed.head.digest().hex(),
                },
            )


def resume_after_restore() -> int:
    """Declare that a restore lost what the anchor names beyond the last seal; return how many.

    Raises NoSealKey, AnchorMissing, and AnchorAhead where the database's own last seal is not one
    that the anchor names: then it is no older state of this record.
    """
    path, signing, head = anchor_path(), key(), last_seal()
    if path is None:
        raise AnchorMissing("AUDIT_ANCHOR is not set.")
    trail = anchor.read(path, keys())
    number = head.number if head else 0
    digest = head.head().digest() if head else BEGINNING
    if trail.end <= number:
        return 0
    if number >= trail.start and trail.digest(number) != digest:
        raise AnchorAhead(f"The anchor names another seal {number}: this is not its record.")
    anchor.resume(path, number=number, digest=digest, key=signing)
    return trail.end - number


def new_anchor() -> int:
    """Write an anchor anew from the seals, where the old one is lost; return how many it names.

    From here on it holds only what the database says now. Raises AnchorMissing where settings name
    none, FileExistsError where there still is one.
    """
    path, head = anchor_path(), last_seal()
    if path is None:
        raise AnchorMissing("AUDIT_ANCHOR is not set.")
    anchor.create(path)
    publish()
    return head.number if head else 0
