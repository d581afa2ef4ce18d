"""Says where sealing stands: the last seal, what no seal covers yet, which keys are trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from patients.chain import Place, SealKey, VerifyKeys
from patients.models import AuditSeal, AuditVerification
from patients.privacy import audit_rows
from patients.privacy.audit_rows import BEFORE_ALL, END

TAIL = """
SELECT count(*), min(timestamp), count(*) FILTER (
    WHERE written_in > '9223372036854775807'
        OR written_on = %s AND written_in >= pg_snapshot_xmax(pg_current_snapshot()))
FROM patients_auditentry WHERE written_on = %s AND (written_in, id) > (%s::xid8, %s::bigint)
"""


class NoSealKey(Exception):
    """This process has no key to seal with."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Rows that no seal covers yet; `impossible` ones claim a transaction yet to begin."""

    rows: int
    oldest: datetime | None
    impossible: int


@dataclass(frozen=True, slots=True)
class Status:
    """Where sealing stands. `oldest_unsealed` is an age; None where all is sealed."""

    number: int
    rows: int
    head: str
    sealed_at: datetime | None
    unsealed: int
    oldest_unsealed: timedelta | None
    verified: AuditVerification | None


def key() -> SealKey:
    """Return the signing key. Raises NoSealKey in processes that have none, and BadKey."""
    if not settings.AUDIT_SEAL_KEY:
        raise NoSealKey("AUDIT_SEAL_KEY is not set here: only the sealing process has it.")
    return SealKey.parse(settings.AUDIT_SEAL_KEY)


def keys() -> VerifyKeys:
    """Return the trusted public keys. Raises BadKey."""
    return VerifyKeys.parse(settings.AUDIT_VERIFY_KEYS)


def anchor_path() -> Path | None:
    return Path(settings.AUDIT_ANCHOR) if settings.AUDIT_ANCHOR else None


def last_seal() -> AuditSeal | None:
    return AuditSeal.objects.defer("entries").order_by("-number").first()


def latest_of(cluster: int, *, before: int = END) -> AuditSeal | None:
    """Return the last seal over rows of a cluster, of those before some number."""
    seals = AuditSeal.objects.defer("entries").filter(cluster=cluster, number__lt=before)
    return seals.order_by("-number").first()


def horizon(cluster: int) -> Place:
    """Return the place up to which a cluster's rows are covered by seals."""
    seal = latest_of(cluster)
    return seal.through if seal else BEFORE_ALL


def tail() -> Tail:
    """Return what no seal covers yet. Reads those rows only."""
    here = audit_rows.server().cluster
    rows, impossible, oldest = 0, 0, []
    for cluster in audit_rows.clusters():
        place = horizon(cluster)
        with connection.cursor() as cursor:
            cursor.execute(TAIL, [here, cluster, str(place.transaction), place.row])
            count, first, wrong = cursor.fetchone()
        rows, impossible = rows + count, impossible + wrong
        oldest += [first] if first else []
    return Tail(rows, min(oldest, default=None), impossible)


def status(*, now: datetime | None = None) -> Status:
    """Return where sealing stands, and what the last verification said."""
    head, rest = last_seal(), tail()
    age = (now or datetime.now(UTC)) - rest.oldest if rest.oldest else None
    return Status(
        number=head.number if head else 0,
        rows=head.total if head else 0,
        head=head.head().digest().hex() if head else "",
        sealed_at=head.sealed_at if head else None,
        unsealed=rest.rows,
        oldest_unsealed=age,
        verified=AuditVerification.objects.exclude(done_at=None).order_by("-done_at").first(),
    )
