"""Reads names out of the database: all of a clinic's, and later those that changed since.

A change made by transaction T is seen by whoever looks after T has ended. So each reading
remembers the oldest transaction that was still running, and the next one asks for the changes of
that one and of all later ones: a change that commits late is not missed, as it would be by "greater
than the last number"; one that is read twice does no harm. What the reader's own, unfinished
transaction has changed is doubtful, and read again until it is settled.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.db import connection

from patients import looks
from patients.crypto import NotSealed, Tampered
from patients.fields import SealedTextField
from patients.models import Patient
from patients.name_index.rows import Folder, Row
from patients.privacy.audit import Record, keeping_record
from providers.models import Clinic

logger = logging.getLogger(__name__)

AT_ONCE = 2_000
KEY_BYTES = 16
# Ids of transactions mean something only in the server that handed them out; a table that was
# emptied or made anew has another file.
CLOCK = """
    pg_snapshot_xmin(pg_current_snapshot())::text AS oldest,
    concat_ws('/', extract(epoch FROM pg_postmaster_start_time()),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        pg_relation_filenode('patients_patient')) AS origin
"""
WHO = f"""
SELECT {CLOCK}, coalesce(string_agg(uuid_send(id), ''::bytea ORDER BY id), ''::bytea)
FROM patients_patient WHERE clinic_id = %(clinic)s::uuid AND merged_into_id IS NULL
"""  # noqa: S608
# OFFSET 0 keeps a question by id by itself. Asked with the rest, it is answered by a walk through
# the whole clinic wherever the server has no statistics, as after a restore or an import.
ROWS = """
SELECT names_changed_in >= %(oldest)s::xid8, uuid_send(id), given_name, family_name, dob, phone
FROM (SELECT * FROM patients_patient WHERE id = ANY(%(ids)s::uuid[]) OFFSET 0) AS known
WHERE clinic_id = %(clinic)s::uuid AND merged_into_id IS NULL
"""
CHANGED = f"""
WITH due (id, changed_in) AS (
    SELECT id, names_changed_in FROM patients_patient
    WHERE clinic_id = %(clinic)s::uuid AND names_changed_in >= %(since)s::xid8
        AND names_changed_in < pg_snapshot_xmax(pg_current_snapshot())
    UNION ALL
    SELECT id, names_changed_in FROM patients_patient
    WHERE clinic_id = %(clinic)s::uuid AND names_changed_in = pg_current_xact_id_if_assigned()
    UNION ALL
    SELECT patient_id, gone_in FROM patients_namegone
    WHERE clinic_id = %(clinic)s::uuid AND gone_in >= %(since)s::xid8
    UNION ALL
    SELECT unnest(%(doubtful)s::uuid[]), NULL::xid8
),
person (id, is_own) AS (
    SELECT id, coalesce(bool_or(changed_in = pg_current_xact_id_if_assigned()), false)
    FROM due GROUP BY id
)
SELECT oldest, origin, uuid_send(person.id), is_own,
    known.given_name, known.family_name, known.dob, known.phone
FROM (SELECT {CLOCK}) AS clock
LEFT JOIN person ON true
LEFT JOIN LATERAL (SELECT * FROM patients_patient WHERE id = person.id OFFSET 0) AS known
    ON known.clinic_id = %(clinic)s::uuid AND known.merged_into_id IS NULL
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where a clinic's names were read: `oldest` is a transaction's id, in `origin`'s count.

    `doubtful` are the ids of those whom the reader's own transaction had changed; `seen` tells
    again what was read already, by a digest of what was stored.
    """

    oldest: str
    origin: str
    doubtful: frozenset[bytes] = frozenset()
    seen: Mapping[bytes, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows by id, None for those who are gone. Where `is_void`, all must be read anew."""

    mark: Mark
    rows: Mapping[bytes, Row | None] = field(default_factory=dict)
    is_void: bool = False


def read_all(clinic: Clinic) -> tuple[list[Row], Mark]:
    """Return the rows of a clinic's patients, and where to go on from.

    Several statements: what changes in between is read again by the first `read_changes`.
    """
    with connection.cursor() as cursor:
        cursor.execute(WHO, {"clinic": clinic.pk})
        oldest, origin, keys = cursor.fetchone()
    rows: list[Row] = []
    seen: dict[bytes, int] = {}
    if keys:
        with _recorded(clinic):
            reader = Reader()
            for is_unsettled, key, *stored in _stored(clinic, keys, oldest):
                if is_unsettled:
                    seen[key] = hash(tuple(stored))
                if row := reader.read(key, *stored):
                    rows.append(row)
    return rows, Mark(oldest, origin, seen=seen)


def _stored(clinic: Clinic, keys: bytes, oldest: str) -> Iterator[tuple[Any, ...]]:
    step = AT_ONCE * KEY_BYTES
    for first in range(0, len(keys), step):
        ids = _ids(keys[at : at + KEY_BYTES] for at in range(first, first + step, KEY_BYTES))
        with connection.cursor() as cursor:
            cursor.execute(ROWS, {"clinic": clinic.pk, "ids": ids, "oldest": oldest})
            yield from cursor.fetchall()


def _ids(keys: Iterable[bytes]) -> list[UUID]:
    return [UUID(bytes=key) for key in keys if key]


def read_changes(clinic: Clinic, since: Mark) -> Changes:
    """Return what has changed since a mark was set, and the new mark. One statement."""
    doubtful = _ids(since.doubtful)
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, {"clinic": clinic.pk, "since": since.oldest, "doubtful": doubtful})
        found = cursor.fetchall()
    oldest, origin = found[0][:2]
    if origin != since.origin:
        return Changes(Mark(oldest, origin), is_void=True)
    told = {key: stored for _oldest, _origin, key, _own, *stored in found if key}
    seen = {key: hash(tuple(stored)) for key, stored in told.items()}
    own = frozenset(key for _oldest, _origin, key, is_own, *_stored in found if is_own)
    new = {key: stored for key, stored in told.items() if since.seen.get(key) != seen[key]}
    return Changes(Mark(oldest, origin, own, seen), _opened(clinic, new))


def _opened(clinic: Clinic, stored: Mapping[bytes, Sequence[Any]]) -> dict[bytes, Row | None]:
    here = {key: values for key, values in stored.items() if values[0] is not None}
    rows: dict[bytes, Row | None] = dict.fromkeys(stored)
    if here:
        with _recorded(clinic):
            reader = Reader()
            rows |= {key: reader.read(key, *values) for key, values in here.items()}
    return rows


def _recorded(clinic: Clinic) -> AbstractContextManager[Record]:
    """Keep the reading on record by itself: it shows nobody, so that it names a clinic only."""
    return keeping_record(system="system:search", purpose="name_index", clinic=clinic)


class Reader:
    """Opens stored rows. Made where a record is kept; raises Unrecorded elsewhere."""

    def __init__(self) -> None:
        self._given = _opener("given_name")
        self._family = _opener("family_name")
        self._born = _opener("dob")
        self._phone = _opener("phone")
        self._folder = Folder()

    def read(self, key: bytes, given: str, family: str, dob: str | None, phone: str) -> Row | None:
        """Return a patient's row, or None for one whose values are damaged.

        One damaged record must not hide a clinic's others: it is left out, and the log says which
        it is. Raises UnknownKey: a key that is missing is no damage.
        """
        try:
            return self._folder.row(
                key,
                self._given(given, key),
                self._family(family, key),
                None if dob is None else date.fromisoformat(self._born(dob, key)),
                self._phone(phone, key),
            )
        except (NotSealed, Tampered) as damage:
            known = {"patient": UUID(bytes=key)}
            logger.error("patient cannot be read: %s", type(damage).__name__, extra=known)
            return None


def _opener(name: str) -> Callable[[str, bytes], str]:
    """Return what opens one column's stored text, given the bytes of the row's id."""
    looks.note(None, name)
    column = cast("SealedTextField", Patient._meta.get_field(name))
    return column.cipher.open
