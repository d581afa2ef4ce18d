"""Where record systems tell of changes: believed only with the connection's secret.

Whoever is not believed learns nothing, not even which connections there are. The answer comes
when what was told is kept; what it means is found out later.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from emr.fhir.errors import Refused
from emr.fhir.notifications import Kind, Notification, read_notification
from emr.inbox import hooks
from emr.models import EMRConnection
from emr.visits import Told
from patients.privacy import audit
from patients.privacy.audit import Who
from patients.privacy.pages import Audience, page

SYSTEM, PURPOSE = "system:emr", "emr"
BAD, UNBELIEVED, TOO_BIG = 400, 401, 413
LONGEST_ID = 64
DELETED = "X-Medplum-Deleted-Resource"


class TurnedAway(Exception):
    """What came in is not taken; the answer is this status and nothing else."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@csrf_exempt
@page(audience=Audience.PUBLIC, methods=("POST",))
def notified(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A notification of any form: nothing, a resource, a bundle, or one with a status."""
    try:
        connection, body = _believed(request, pk)
        told = _deleted(request.headers.get(DELETED, "")) or _read(body)
    except TurnedAway as reason:
        return HttpResponse(status=reason.status)
    hooks.keep(connection, told, now=timezone.now())
    return HttpResponse(status=200)


@csrf_exempt
@page(audience=Audience.PUBLIC, methods=("POST", "PUT", "DELETE"))
def notified_of(
    request: HttpRequest, pk: UUID, resource_type: str, resource_id: str
) -> HttpResponse:
    """A notification that names its resource in the address, as R4's rest-hook does."""
    try:
        connection, body = _believed(request, pk)
        told = _read(body) if body and request.method != "DELETE" else Notification(Kind.EVENT)
    except TurnedAway as reason:
        return HttpResponse(status=reason.status)
    if not told.told and told.kind is Kind.EVENT:
        event = "DELETE" if request.method == "DELETE" else ""
        named = Told(resource_type, resource_id[:LONGEST_ID], event=event)
        told = Notification(Kind.EVENT, told=(named,))
    hooks.keep(connection, told, now=timezone.now())
    return HttpResponse(status=200)


def _believed(request: HttpRequest, pk: UUID) -> tuple[EMRConnection, bytes]:
    """Return the connection that a notification is of, and its body. Raises TurnedAway."""
    try:
        body = request.body
    except RequestDataTooBig:
        raise TurnedAway(TOO_BIG) from None
    connection = EMRConnection.objects.active().filter(pk=pk).first()
    if not hooks.is_believed(connection, body, request.headers) or connection is None:
        raise TurnedAway(UNBELIEVED)
    kept = audit.mark(purpose=PURPOSE)
    if kept is not None:
        kept.who = lambda: Who(system=SYSTEM, clinic=connection.clinic_id)
    return connection, body


def _read(body: bytes) -> Notification:
    try:
        said: Any = json.loads(body) if body.strip() else {}
        if not isinstance(said, dict):
            raise TurnedAway(BAD)
        return read_notification(said)
    except (ValueError, RecursionError, Refused):
        raise TurnedAway(BAD) from None


def _deleted(named: str) -> Notification | None:
    """Read Medplum's header of a deletion, "Appointment/1"; the body is then the old resource."""
    kind, _slash, resource_id = named.partition("/")
    if not kind or not resource_id:
        return None
    told = Told(kind[:40], resource_id[:LONGEST_ID], event="DELETE")
    return Notification(Kind.EVENT, told=(told,))
