"""Decides whether the audit is what was sealed, and names the first row or seal that is not.

Reads as a stream: memory stays the same however long the record is. Trusts the public keys and
the anchor, nothing that stands in the database. Rows that no seal covers yet prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from django.utils import timezone

from patients.chain import VerifyKeys
from patients.models import AuditSeal
from patients.privacy import anchor, audit_rows
from patients.privacy.anchor import AnchorBroken, AnchorMissing, Trail
from patients.privacy.seal_state import anchor_path, keys, tail
from patients.privacy.seal_walk import SEALS_AT_ONCE, Found, Progress, Walk
from patients.tampering import Damage, Kind, Verdict

# No seal covers such rows and none ever would: they stand before or after all that is sealed.
HIDDEN = """
SELECT id FROM patients_auditentry
WHERE written_in IS NULL OR written_on IS NULL OR written_in < '3'
    OR %s AND (written_in > '9223372036854775807'
        OR written_on = (pg_control_system()).system_identifier
            AND written_in >= pg_snapshot_xmax(pg_current_snapshot()))
ORDER BY id LIMIT 1
"""


class CannotVerify(Exception):
    """There is no key or no anchor to verify with; nothing was looked at."""


def verify(
    *,
    trusted: VerifyKeys | None = None,
    path: Path | None = None,
    anchored: bool = True,
    since: int = 1,
    progress: Progress = lambda _rows: None,
) -> Verdict:
    """Compare every sealed row with its seal, every seal with its signature, both with the anchor.

    `path` is the anchor, the settings' own if not given; `anchored=False` does without one, and
    cannot tell whether the end was cut off. `since` is the first seal to look at. `progress` is
    told how many more rows were compared. Raises CannotVerify.
    """
    walk = Walk(trusted or keys(), progress=progress)
    if not walk.trusted.by_name:
        raise CannotVerify("AUDIT_VERIFY_KEYS names no public key.")
    if anchored:
        walk.path = path or anchor_path()
    damage = None
    with audit_rows.reading():
        try:
            _follow(walk, since, anchored=anchored)
        except Found as found:
            damage = found.damage
        return _verdict(walk, damage)


def _follow(walk: Walk, since: int, *, anchored: bool) -> None:
    """Look at everything. Raises Found and CannotVerify."""
    if anchored:
        walk.trail = _trail(walk)
    if since > 1:
        walk.begin(since)
    for seal in _seals(since):
        walk.step(seal)
    walk.compare()
    if walk.trail and walk.trail.end >= walk.number:
        raise Found(walk.from_the_anchor(Kind.TRUNCATED))
    with connection.cursor() as cursor:
        cursor.execute(HIDDEN, [tail().impossible > 0])
        hidden = cursor.fetchone()
    if hidden is not None:
        raise Found(Damage(Kind.HIDDEN, hidden[0]))


def _trail(walk: Walk) -> Trail:
    if walk.path is None:
        raise CannotVerify("AUDIT_ANCHOR is not set: the end of the record cannot be verified.")
    trail = Trail()
    try:
        trail = anchor.read(walk.path, walk.trusted)
        anchor.last(walk.path)
    except AnchorMissing as error:
        raise CannotVerify(str(error)) from error
    except AnchorBroken as error:
        seal = error.number or trail.end + 1
        raise Found(Damage(Kind.ANCHOR_BROKEN, seal=seal)) from error
    return trail


def _seals(since: int) -> Iterator[AuditSeal]:
    """Yield the seals in order, without their entries, a page at a time."""
    number = since - 1
    while True:
        page = list(
            AuditSeal.objects.defer("entries")
            .filter(number__gt=number)
            .order_by("number")[:SEALS_AT_ONCE]
        )
        yield from page
        if len(page) < SEALS_AT_ONCE:
            return
        number = page[-1].number


def _verdict(walk: Walk, damage: Damage | None) -> Verdict:
    rest, last = tail(), walk.number - 1
    at = anchor.last(walk.path) if walk.path and damage is None else None
    return Verdict(
        rows=walk.rows,
        seals=walk.number - walk.since,
        head=walk.previous if last else "",
        unsealed=rest.rows,
        oldest_unsealed=timezone.now() - rest.oldest if rest.oldest else None,
        damage=damage,
        unanchored=max(0, last - (at[0] if at else 0)) if walk.path else 0,
        lost=sum(one.lost for one in walk.trail.losses) if walk.trail else 0,
    )
