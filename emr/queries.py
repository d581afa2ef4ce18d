"""What of the record system a desk sees, how much of it needs a person, and how connections fare.

Statements alone: words, pages and acts are elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection as database
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from emr.kinds import LIVE, Arrival, State
from emr.models import (
    ConnectionState,
    EMRConnection,
    EMRLink,
    EMRTask,
    InboundMessage,
    OutboundMessage,
    PatientMatch,
    SyncConflict,
)
from providers.models import Clinic
from providers.remembered import Remembered
from scheduling.models import Appointment

KEPT_SECONDS = 20.0
IS_LIVE = [state.value for state in LIVE]
UNREAD = [Arrival.RECEIVED.value, Arrival.CLAIMED.value]
VISIT = ("appointment__provider", "appointment__clinic__time_zone")
COUNT = """
WITH joined AS (SELECT id FROM emr_emrconnection WHERE clinic_id = ANY(%(clinics)s))
SELECT EXISTS (SELECT FROM joined),
    (SELECT count(*) FROM emr_emrtask AS task
        LEFT JOIN providers_provider AS provider ON provider.id = task.provider_id
        LEFT JOIN auth_user AS account ON account.id = provider.user_id AND account.is_active
        WHERE task.clinic_id = ANY(%(clinics)s) AND task.closed_at IS NULL
            AND account.id IS NULL),
    (SELECT count(*) FROM emr_syncconflict
        WHERE closed_at IS NULL AND connection_id IN (SELECT id FROM joined)),
    (SELECT count(*) FROM emr_patientmatch
        WHERE closed_at IS NULL AND connection_id IN (SELECT id FROM joined)),
    (SELECT count(*) FROM emr_outboundmessage
        WHERE state = 'DEAD' AND connection_id IN (SELECT id FROM joined)),
    (SELECT count(*) FROM emr_inboundmessage
        WHERE state = 'DEAD' AND connection_id IN (SELECT id FROM joined))
"""


@dataclass(frozen=True, slots=True)
class Needs:
    """How much waits for somebody. `is_joined`: one of the clinics has a record system at all."""

    is_joined: bool = False
    tasks: int = 0
    conflicts: int = 0
    patients: int = 0
    sent: int = 0
    received: int = 0

    @property
    def messages(self) -> int:
        return self.sent + self.received

    @property
    def total(self) -> int:
        return self.tasks + self.conflicts + self.patients + self.messages


def needs_at(clinics: Collection[UUID]) -> Needs:
    """Return what waits at these clinics, at most some seconds old."""
    return _counted(frozenset(clinics))


def forget() -> None:
    """Count anew: somebody has just done something about it."""
    _counted.forget()


def _count(clinics: frozenset[UUID]) -> Needs:
    with database.cursor() as cursor:
        cursor.execute(COUNT, {"clinics": list(clinics)})
        return Needs(*cursor.fetchone())


_counted = Remembered(_count, seconds=KEPT_SECONDS)


def connections_of(user: User, clinics: Iterable[Clinic]) -> QuerySet[EMRConnection]:
    """Return the connections of these clinics; their secrets are not loaded."""
    found = EMRConnection.objects.visible_to(user).filter(clinic__in=clinics)
    return found.select_related("clinic__time_zone", "state").defer("client_secret", "hook_secret")


def desk_tasks(user: User, clinics: Iterable[Clinic]) -> QuerySet[EMRTask]:
    """Return the desk's tasks: those of no provider, or of one who has no account to see them."""
    tasks: QuerySet[EMRTask] = EMRTask.objects.visible_to(user).filter(clinic__in=clinics)
    seen_by_nobody = Q(provider__user=None) | Q(provider__user__is_active=False)
    return _about_visits(tasks.filter(seen_by_nobody)).select_related(
        "connection", "clinic__time_zone", "closed_by"
    )


def provider_tasks(user: User, clinics: Iterable[Clinic]) -> QuerySet[EMRTask]:
    """Return a provider's own tasks, open and done, the oldest first."""
    own = EMRTask.objects.visible_to(user).filter(clinic__in=clinics, provider__user=user)
    related = own.select_related("connection", "clinic__time_zone", "patient")
    return related.order_by("opened_at", "pk")


def conflicts_of(user: User, clinics: Iterable[Clinic]) -> QuerySet[SyncConflict]:
    """Return the conflicts of these clinics, open and settled."""
    conflicts: QuerySet[SyncConflict] = SyncConflict.objects.visible_to(user)
    return _of_clinics(_about_visits(conflicts), clinics).select_related("closed_by")


def matches_of(user: User, clinics: Iterable[Clinic]) -> QuerySet[PatientMatch]:
    """Return the patients of these clinics who are not known for certain at the other side."""
    matches: QuerySet[PatientMatch] = PatientMatch.objects.visible_to(user)
    return _of_clinics(matches.select_related("patient__clinic__time_zone"), clinics)


def outbound_of(user: User, clinics: Iterable[Clinic]) -> QuerySet[OutboundMessage]:
    messages: QuerySet[OutboundMessage] = OutboundMessage.objects.visible_to(user)
    return _of_clinics(_about_visits(messages), clinics)


def inbound_of(user: User, clinics: Iterable[Clinic]) -> QuerySet[InboundMessage]:
    """Return what came in; the bodies are not loaded."""
    messages: QuerySet[InboundMessage] = InboundMessage.objects.visible_to(user)
    return _of_clinics(_about_visits(messages), clinics).defer("body")


def _about_visits(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Load patient and visit along. Why somebody comes is nothing to these pages."""
    return rows.select_related("patient", *VISIT).defer("appointment__reason_for_visit")


def _of_clinics(rows: QuerySet[Any], clinics: Iterable[Clinic]) -> QuerySet[Any]:
    return (
        rows.filter(connection__clinic__in=clinics)
        .select_related("connection__clinic__time_zone")
        .defer("connection__client_secret", "connection__hook_secret")
    )


@dataclass(frozen=True, slots=True)
class Load:
    """What a connection has before it. `since`: when the oldest of what is due was to leave."""

    waiting: int = 0
    stuck: int = 0
    dead: int = 0
    unread: int = 0
    since: datetime | None = None


def loads_of(connections: Iterable[EMRConnection], *, now: datetime) -> dict[UUID, Load]:
    """Return each connection's load, in two statements."""
    keys = [one.pk for one in connections]
    is_live = Q(state__in=IS_LIVE)
    sent = OutboundMessage.objects.filter(
        is_live | Q(state=State.DEAD.value), connection__in=keys
    ).values("connection")
    told = sent.annotate(
        live=Count("pk", filter=is_live),
        stuck=Count("pk", filter=Q(state=State.WAITING.value)),
        dead=Count("pk", filter=Q(state=State.DEAD.value)),
        since=Min("not_before", filter=is_live & Q(not_before__lte=now)),
    )
    came = InboundMessage.objects.filter(connection__in=keys, state__in=UNREAD)
    unread = dict(came.values_list("connection").annotate(Count("pk")))
    found = {row["connection"]: row for row in told}
    return {key: _load(found.get(key), unread.get(key, 0)) for key in keys}


def _load(row: dict[str, Any] | None, unread: int) -> Load:
    if row is None:
        return Load(unread=unread)
    return Load(
        waiting=row["live"] - row["stuck"],
        stuck=row["stuck"],
        dead=row["dead"],
        unread=unread,
        since=row["since"],
    )


def state_of(connection: EMRConnection) -> ConnectionState:
    """Return how a connection fares; as new where nothing was ever sent."""
    known: ConnectionState | None = getattr(connection, "state", None)
    return known or ConnectionState(connection=connection)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one visit stands with one record system."""

    name: str
    needs: bool
    waits: bool
    is_known: bool


def places_of(visit: Appointment) -> list[Place]:
    """Return how a visit stands with each active record system of its clinic, in one statement."""
    messages = OutboundMessage.objects.filter(connection=OuterRef("pk"), appointment=visit)
    conflicts = SyncConflict.objects.filter(
        connection=OuterRef("pk"), appointment=visit, closed_at=None
    )
    links = EMRLink.objects.filter(
        source_system=OuterRef("source_system"),
        local_model=Appointment._meta.label_lower,
        local_id=visit.pk,
        ended_at=None,
    )
    stuck = [State.DEAD.value, State.WAITING.value]
    found = (
        EMRConnection.objects.active()
        .filter(clinic=visit.clinic_id, sends_visits=True)
        .annotate(
            needs=Exists(messages.filter(state__in=stuck)) | Exists(conflicts),
            waits=Exists(messages.filter(state__in=IS_LIVE)),
            is_known=Exists(links),
        )
    )
    rows = found.values_list("name", "needs", "waits", "is_known")
    return [Place(*row) for row in rows.order_by("name")]


def reasons_of(messages: QuerySet[OutboundMessage]) -> list[tuple[UUID, str, str, int]]:
    """Return why messages failed: connection, its name, the reason, and how many; most first."""
    dead = messages.filter(state=State.DEAD.value).order_by()
    counted = dead.values_list("connection", "connection__name", "why").annotate(many=Count("pk"))
    return list(counted.order_by("-many", "connection__name", "why"))
