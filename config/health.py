"""Whether this process is alive, and whether it can do its work. Answers name what was looked at
and how it is, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django_q.models import Schedule

from patients import outboxes, sentinel
from patients.crypto import BadKeys
from patients.privacy.pages import Audience, page
from scheduling import block_store

# A periodic job this late was not started: no worker is at work.
LATE = timedelta(minutes=5)


@page(audience=Audience.PUBLIC)
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the database answers, 503 otherwise."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse({"database": "ok"})


@page(audience=Audience.PUBLIC)
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when pages can be served from here, 503 otherwise.

    A queue that is late or held is told and is no reason for 503: pages do not need it, and to
    take the web processes away because the worker is would turn a delay into an outage. Nor is a
    Redis that is away: it is as this process last found it, and is not asked for this.
    """
    try:
        found = {"database": "ok", "migrations": _migrations()}
        if found["migrations"] == "ok":
            found |= {"keys": _keys(), "queue": _queue()} | _redis()
    except DatabaseError:
        found = {"database": "unreachable"}
    ready = all(found.get(name) == "ok" for name in ("database", "migrations", "keys"))
    return JsonResponse(found, status=200 if ready else 503)


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "pending" if pending else "ok"


def _keys() -> str:
    try:
        sentinel.prove()
    except (BadKeys, sentinel.WrongKeys):
        return "wrong"
    return "ok"


def _queue() -> str:
    if outboxes.are_held():
        return "held"
    late = Schedule.objects.filter(next_run__lt=timezone.now() - LATE).exists()
    return "late" if late else "ok"


def _redis() -> dict[str, str]:
    if "redis" not in settings.CACHES:
        return {}
    return {"redis": "ok" if block_store.is_on() else "away"}
