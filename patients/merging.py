"""Joins two records of one person, and takes them apart again: the survivor keeps its place.

What hangs on a record is moved by the handlers in settings, row by row and remembered by id; what
the record says is chosen by whoever compared the two. An account opens afterwards what its proven
address is on file for, and nothing else. Knows no visits: a handler that cannot move one refuses.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import constant_time_compare

from patients.contact_changes import address_left
from patients.models import MatchCandidate, Patient, PatientMerge
from patients.models.audit import Act
from patients.privacy import audit
from patients.registration import DetailsChanged, stamp_of
from patients.repointing import Changed, Repointing, repoint

# What is chosen as one: of a name or an address, half of the one and half of the other is nobody's.
PARTS: dict[str, tuple[str, ...]] = {
    "name": ("given_name", "family_name", "name_suffix"),
    "dob": ("dob",),
    "sex": ("sex",),
    "phone": ("phone", "phone_is_textable"),
    "email": ("email",),
    "address": ("address_line", "city", "state", "postal_code"),
    "insurance": ("insurance_plan_id", "insurance_member_id"),
    "language": ("language", "needs_interpreter"),
    "doctor": ("primary_care_provider_id",),
}
ACCOUNT = "user_id"
CONTACTS = ("email", "phone")
PURPOSE = "joining_records"


class CannotJoin(Exception):
    """These two records cannot be one: the same, of two clinics, or joined already."""


class LaterJoined(Exception):
    """The survivor was itself joined into another record since: that has to be undone first."""


class TakenApart(Exception):
    """Somebody else has taken these records apart already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """`from_away` names the PARTS that the survivor takes from the other record.

    `seen` are `registration.stamp_of` of the survivor and of the other, as they were compared.
    """

    from_away: Collection[str] = field(default_factory=frozenset)
    seen: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Apart:
    """What came back: rows by model, how many values, and columns that were changed since."""

    merge: PatientMerge
    moved: dict[str, list[str]]
    kept_values: list[str]


def ids_of(patient: Patient) -> list[UUID]:
    """Return the ids under which this person was ever on file here: the record's and those of
    the records joined into it."""
    return [patient.pk, *patient.merged.order_by("pk").values_list("pk", flat=True)]


def survivor(patient: Patient) -> Patient:
    """Return the record to read in place of one that was joined into it."""
    return patient.merged_into or patient


@transaction.atomic
def merge(
    *, keep: Patient, away: Patient, choices: Choices, by: User, now: datetime
) -> PatientMerge:
    """Join `away` into `keep`: everything that hangs on it moves, and it only points to `keep`.

    Raises CannotJoin, DetailsChanged if either was changed since it was compared, or what a
    handler refuses with; then nothing has happened.
    """
    keep, away = _locked(keep, away)
    if not all(
        constant_time_compare(stamp_of(record), seen)
        for record, seen in zip((keep, away), choices.seen, strict=True)
    ):
        raise DetailsChanged
    way = Repointing(source=away.pk, target=keep.pk, at=now)
    had = {record: _contacts(record) for record in (keep, away)}
    way.change(keep, **_values(keep, away, choices.from_away))
    for record, contacts in had.items():
        if not contacts.items() <= _contacts(keep).items():
            address_left(record)
    way.change(away, user_id=None)
    repoint(way)
    way.move(Patient.objects.all(), column="merged_into_id")
    away.merged_into = keep
    away.save(update_fields=["merged_into"])
    _settle(keep, away, by=by, now=now)
    _record(keep, away, by=by, fields=sorted({change.column for change in way.changes}))
    return PatientMerge.objects.create(
        clinic_id=keep.clinic_id,
        keep=keep,
        away=away,
        moved=way.moved,
        changes=json.dumps([change.as_json() for change in way.changes]),
        made_by=by,
        made_at=now,
    )


def _locked(keep: Patient, away: Patient) -> tuple[Patient, Patient]:
    """Lock both rows, the lower id first, against every writer and every new row that names them.

    Raises CannotJoin.
    """
    if keep.pk == away.pk:
        raise CannotJoin
    rows = Patient.objects.select_for_update().filter(pk__in=[keep.pk, away.pk]).order_by("pk")
    found = {row.pk: row for row in rows}
    kept, gone = found[keep.pk], found[away.pk]
    if kept.clinic_id != gone.clinic_id or kept.merged_into_id or gone.merged_into_id:
        raise CannotJoin
    return kept, gone


def _values(keep: Patient, away: Patient, from_away: Collection[str]) -> dict[str, Any]:
    """Return what the survivor is to say: as chosen, and what only the other record knows."""
    taken = {name: getattr(away, name) for part in from_away for name in PARTS[part]}
    for columns in PARTS.values():
        if not any(_says(keep, name) for name in columns):
            taken |= {name: getattr(away, name) for name in columns}
    is_provisional = keep.is_provisional and away.is_provisional
    return taken | {"user_id": _account(keep, away, taken), "is_provisional": is_provisional}


def _says(record: Patient, column: str) -> bool:
    return getattr(record, column) not in {None, "", False, Patient.Sex.UNKNOWN}


def _account(keep: Patient, away: Patient, taken: dict[str, Any]) -> int | None:
    """Return whose account opens the survivor: one that proved a contact which it now has.

    A record's account has proved the record's address or its number, or it would not be there any
    more; which of them nobody knows, so all that the record had must stay.
    """
    final = _contacts(keep) | {name: taken[name] for name in CONTACTS if name in taken}
    if keep.user_id is not None and _contacts(keep).items() <= final.items():
        return keep.user_id
    proved = _contacts(away)
    return away.user_id if proved and proved.items() <= final.items() else None


def _contacts(record: Patient) -> dict[str, str]:
    """Return the contacts that a record has, by which its account may have been opened."""
    values = {name: getattr(record, name) for name in CONTACTS}
    return {name: value for name, value in values.items() if value}


def _settle(keep: Patient, away: Patient, *, by: User, now: datetime) -> None:
    decision = {"state": MatchCandidate.State.MERGED, "decided_by": by, "decided_at": now}
    MatchCandidate.objects.of(keep.pk, away.pk).update(**decision)


def _record(keep: Patient, away: Patient, *, by: User, fields: list[str]) -> None:
    audit.record(
        action=Act.MERGE,
        patients=[keep.pk, away.pk],
        about=keep,
        fields=fields,
        purpose=PURPOSE,
        clinic=keep.clinic,
        by=by,
    )


@transaction.atomic
def unmerge(*, merge: PatientMerge, by: User, now: datetime) -> Apart:
    """Take two records apart: rows that are still where the joining put them go back.

    What came since stays with the survivor, and so do values that were changed since. Raises
    TakenApart, LaterJoined, or what a handler refuses with; then nothing has happened.
    """
    ids = [merge.keep_id, merge.away_id]
    rows = Patient.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    found = {row.pk: row for row in rows}
    kept, gone = found[merge.keep_id], found[merge.away_id]
    merge = PatientMerge.objects.select_for_update().get(pk=merge.pk)
    if merge.undone_at is not None:
        raise TakenApart
    if kept.merged_into_id is not None:
        raise LaterJoined
    gone.merged_into = None
    gone.save(update_fields=["merged_into"])
    way = Repointing(source=kept.pk, target=gone.pk, at=now, only=merge.moved)
    way.move(Patient.objects.all(), column="merged_into_id")
    repoint(way)
    kept_values = _take_back([Changed(**change) for change in json.loads(merge.changes)])
    open_again = {"state": MatchCandidate.State.OPEN, "decided_by": None, "decided_at": None}
    MatchCandidate.objects.of(*ids).update(**open_again)
    merge.undone_by, merge.undone_at = by, now
    merge.save(update_fields=["undone_by", "undone_at"])
    _record(kept, gone, by=by, fields=["merged_into"])
    return Apart(merge, way.moved, kept_values)


def _take_back(changes: list[Changed]) -> list[str]:
    """Write old values back; return the columns whose new value was replaced meanwhile.

    An account follows its address: it comes back with it, and goes where only the address does.
    """
    values = [change for change in changes if change.column != ACCOUNT]
    stay = [change for change in values if not change.take_back()]
    moved = {change.pk for change in values if change.column in CONTACTS}
    stuck = {change.pk for change in stay if change.column in CONTACTS}
    accounts = [change for change in changes if change.column == ACCOUNT and change.pk not in stuck]
    back = {change.pk for change in accounts if change.take_back()}
    Patient.objects.filter(pk__in=moved - stuck - back).update(user=None)
    return [change.column for change in stay]
