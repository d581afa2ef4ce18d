"""What of this app hangs on a patient's record, and how it goes over when two records are joined.

Emergency grants stay where they are: they were given for one record, and end within the hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from patients.models import (
    CareRelationship,
    MatchCandidate,
    PatientGroupObjectPermission,
    PatientIdentifier,
    PatientUserObjectPermission,
)
from patients.repointing import Repointing


def on_merge(way: Repointing) -> None:
    """Move numbers, care relationships, shares and other suspected doubles of the record."""
    way.move(PatientIdentifier.objects.all())
    _move_relationships(way)
    _move_shares(way)
    _move_candidates(way)


def _move_relationships(way: Repointing) -> None:
    """Where both are a provider's patient in the same way, the survivor's tie lasts the longer."""
    known = {
        (row.provider_id, row.kind): row
        for row in CareRelationship.objects.filter(patient=way.target)
    }
    both = [
        row
        for row in CareRelationship.objects.filter(patient=way.source)
        if (row.provider_id, row.kind) in known
    ]
    way.move(CareRelationship.objects.exclude(pk__in=[row.pk for row in both]))
    if way.is_joining:
        for row in both:
            mine = known[row.provider_id, row.kind]
            way.change(mine, until=_later(mine.until, row.until))


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two ends; None is no end."""
    return None if one is None or other is None else max(one, other)


def _move_shares(way: Repointing) -> None:
    for model, holder in (
        (PatientUserObjectPermission, "user_id"),
        (PatientGroupObjectPermission, "group_id"),
    ):
        rows = model.objects
        held = rows.filter(content_object=way.target).values_list(holder, "permission_id")
        mine = rows.filter(content_object=way.source)
        twice = _pks_of(mine.values_list("pk", holder, "permission_id"), set(held))
        way.move(rows.exclude(pk__in=twice), column="content_object_id")


def _pks_of(rows: Iterable[tuple[int, int, int]], held: set[tuple[int, int]]) -> list[int]:
    return [pk for pk, holder, permission in rows if (holder, permission) in held]


def _move_candidates(way: Repointing) -> None:
    """Let pairs with third records be pairs with the survivor, unless those two are one already.

    The order of a pair may turn, so each is written by itself.
    """
    pairs = MatchCandidate.objects.filter(one=way.source) | MatchCandidate.objects.filter(
        other=way.source
    )
    moved = []
    for pair in pairs.filter(pk__in=way.concerned(pairs)).order_by("pk"):
        third: UUID = pair.other_id if pair.one_id == way.source else pair.one_id
        if third == way.target or MatchCandidate.objects.of(third, way.target).exists():
            continue
        pair.one_id, pair.other_id = sorted((third, way.target))
        pair.save(update_fields=["one", "other"])
        moved.append(pair.pk)
    way.note_moved(MatchCandidate, moved)
