"""Settles what no rule could decide, as a person says: ours stands, or theirs is taken.

Who may settle is for the page to ask. What the sides were is as the conflict keeps them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from emr.agreeing import has_ended
from emr.inbox import agreed, applying, people
from emr.inbox.leaving import leave
from emr.inbox.theirs import visit_type
from emr.intake.kinds import save_changes
from emr.kinds import ConflictKind, TaskKind
from emr.links import digest_of_part
from emr.models import EMRLink, SyncConflict
from emr.outbox import writing
from emr.outbox.visits import standing_of
from emr.standings import Standing
from emr.visits import Remote
from patients.models import Patient
from providers.models import Provider
from scheduling.actors import Actor
from scheduling.claiming import Claim
from scheduling.errors import Stale, UndoExpired
from scheduling.models import Appointment, CancelReason
from scheduling.transitions import Status

OURS, THEIRS = SyncConflict.Resolution.OURS, SyncConflict.Resolution.THEIRS


class AlreadySettled(Stale):
    """Somebody else, or the other side, has settled it meanwhile."""


def keep_ours(conflict: SyncConflict, *, by: User, now: datetime) -> None:
    """Let ours stand: the other side is told of it, where it is told of visits.

    Raises AlreadySettled.
    """
    sides = _sides(conflict)
    with transaction.atomic():
        _close(conflict, OURS, by=by, now=now)
        if conflict.kind == ConflictKind.DEMOGRAPHICS:
            _remember(conflict, sides["theirs"])
        if conflict.appointment is None:
            return
        link = agreed.link_of(conflict.connection, conflict.resource_id)
        if link is not None:
            _see(link, conflict, sides["theirs"], now=now)
    _tell(conflict, conflict.appointment, now=now)


def take_theirs(conflict: SyncConflict, *, by: User, now: datetime) -> None:
    """Let theirs stand: the visit is brought there by the ordinary verbs, as the one who decided.

    Raises AlreadySettled, and the refusals of booking; then the conflict stays open.
    """
    if not SyncConflict.objects.filter(pk=conflict.pk, closed_at=None).exists():
        raise AlreadySettled
    sides = _sides(conflict)
    if conflict.kind == ConflictKind.DEMOGRAPHICS:
        _take_details(conflict, sides["theirs"], by=by, now=now)
        return
    visit = _brought(conflict, sides["theirs"], by=Actor.staff(by.pk), now=now)
    with transaction.atomic():
        _close(conflict, THEIRS, by=by, now=now)
        if sides["theirs"]:
            theirs = Standing.of_json(sides["theirs"])
            agreed.write(conflict.connection, _remote(conflict), visit, agreed=theirs)
        else:
            _end(agreed.link_of(conflict.connection, conflict.resource_id), now=now)
    writing.wake(connection=conflict.connection, appointment=visit, now=now)


def _brought(
    conflict: SyncConflict, theirs: Mapping[str, Any], *, by: Actor, now: datetime
) -> Appointment:
    """Bring the visit to where it stands there; one that is gone there is called off."""
    visit, connection = conflict.appointment, conflict.connection
    if visit is None:
        return _booked(conflict, Standing.of_json(theirs), by=by, now=now)
    ours = standing_of(visit)
    gone = Standing(ours.start, ours.end, ours.provider, Status.CANCELLED)
    want = Standing.of_json(theirs) if theirs else gone
    try:
        applied = applying.bring(
            visit, want, reason=CancelReason.OTHER, connection=connection, by=by, now=now
        )
    except UndoExpired:
        if ours.status is not Status.CANCELLED or has_ended(want):
            raise
        return _booked(conflict, want, by=by, now=now)
    if applied.is_beside_others:
        leave(TaskKind.BESIDE_OTHERS, connection=connection, visit=applied.appointment)
    return applied.appointment


def _booked(conflict: SyncConflict, want: Standing, *, by: Actor, now: datetime) -> Appointment:
    """Book a visit that we have not, or that was called off here."""
    connection, visit = conflict.connection, conflict.appointment
    kind = visit.appointment_type if visit else visit_type(_remote(conflict), connection)[0]
    if conflict.patient is None or kind is None:
        raise ValueError("a conflict about a new visit names its patient")
    wish = applying.Wish(
        patient=conflict.patient,
        provider=Provider.objects.get(pk=UUID(want.provider)),
        visit_type=kind,
        start=want.start,
        end=want.end,
    )
    claim = Claim(hold=None, settle=applying.nothing, terms=applying.AS_TOLD)
    applied = applying.book(wish, claim=claim, connection=connection, by=by, now=now)
    if applied.is_beside_others:
        leave(TaskKind.BESIDE_OTHERS, connection=connection, visit=applied.appointment)
    return applying.bring(
        applied.appointment, want, reason=CancelReason.OTHER, connection=connection, by=by, now=now
    ).appointment


def _see(
    link: EMRLink, conflict: SyncConflict, theirs: Mapping[str, Any], *, now: datetime
) -> None:
    """Write that we have seen what they say, so that the difference is told; what is gone there
    is made there anew."""
    if not theirs:
        _end(link, now=now)
        return
    link.agreed = theirs
    link.version_id = conflict.version_id or link.version_id
    link.save(update_fields=["agreed", "version_id"])


def _end(link: EMRLink | None, *, now: datetime) -> None:
    if link is not None:
        link.ended_at = now
        link.save(update_fields=["ended_at"])


def _tell(conflict: SyncConflict, visit: Appointment, *, now: datetime) -> None:
    connection = conflict.connection
    writing.wake(connection=connection, appointment=visit, now=now)
    if connection.sends_visits and not agreed.has_more_to_tell(connection, appointment=visit.pk):
        writing.tell_again(visit, connection, now=now)


def _take_details(
    conflict: SyncConflict, theirs: Mapping[str, Any], *, by: User, now: datetime
) -> None:
    with transaction.atomic():
        _close(conflict, THEIRS, by=by, now=now)
        columns = {name: value for part in theirs.values() for name, value in part.items()}
        if columns.get("dob"):
            columns["dob"] = date.fromisoformat(columns["dob"])
        rows = Patient.objects.select_for_update(of=("self",), no_key=True)
        save_changes(rows.get(emr_conflicts=conflict), columns)
        _remember(conflict, theirs)


def _remember(conflict: SyncConflict, theirs: Mapping[str, Any]) -> None:
    """Write of the parts that were disputed what the source says, so that they are not again."""
    link = people.link_of(conflict.connection, conflict.resource_id)
    if link is None:
        return
    source = conflict.connection.source_system
    key = (link.resource_type, link.resource_id)
    told = {part: digest_of_part(theirs[part], of=key, source=source) for part in theirs}
    link.part_digests = link.part_digests | told
    link.save(update_fields=["part_digests"])


def _close(
    conflict: SyncConflict, resolution: SyncConflict.Resolution, *, by: User, now: datetime
) -> None:
    """Close an open conflict. Raises AlreadySettled."""
    rows = SyncConflict.objects.select_for_update(of=("self",), no_key=True)
    held = rows.get(pk=conflict.pk)
    if held.closed_at is not None:
        raise AlreadySettled
    held.resolution, held.closed_at, held.closed_by = resolution.value, now, by
    held.save(update_fields=["resolution", "closed_at", "closed_by"])


def _remote(conflict: SyncConflict) -> Remote:
    return Remote(remote_id=conflict.resource_id, version_id=conflict.version_id)


def _sides(conflict: SyncConflict) -> dict[str, Mapping[str, Any]]:
    sides: dict[str, Mapping[str, Any]] = json.loads(conflict.sides)
    return sides
