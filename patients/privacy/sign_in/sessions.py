"""The sign-ins of a user: begun, kept alive, listed and ended.

The times stand in the session itself, so that a page costs no query more; the library's table
says which sessions are whose, so that all of a user's can be ended at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.http import HttpRequest

from patients.client_address import NOWHERE, client_address
from patients.privacy.sign_in.limits import Times

SINCE_KEY = "signed_in_at"
SEEN_KEY = "seen_at"
LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of a user's sign-ins; `address` is "" where nobody knows it."""

    pk: int
    user_agent: str
    address: str
    since: datetime
    seen: datetime
    is_current: bool


def store_class() -> type[SessionStore]:
    """Return the store that the settings name: a kind of Django's, in the database."""
    store: type[SessionStore] = import_module(settings.SESSION_ENGINE).SessionStore
    return store


def clock() -> int:
    return int(time.time())


def times_of(session: Any) -> Times:
    return Times(
        session.get(SINCE_KEY),
        session.get(SEEN_KEY),
        settings.SESSION_IDLE_SECONDS,
        settings.SESSION_ABSOLUTE_SECONDS,
    )


def start_clock(session: Any) -> None:
    """Count a sign-in's time from now."""
    session[SINCE_KEY] = session[SEEN_KEY] = clock()


def keep_alive(session: Any, *, at_once: bool = False) -> None:
    """Note that somebody is there; the session is written at most once a minute for it."""
    if at_once or times_of(session).is_due(clock()):
        session[SEEN_KEY] = clock()


def begin(request: HttpRequest, user: User) -> None:
    """Start a sign-in's clock, and note whose it is and from where."""
    session = request.session
    start_clock(session)
    if not session.session_key:
        session.save()
    UserSession.objects.update_or_create(
        session_key=session.session_key,
        defaults={
            "user": user,
            "ip": client_address(request),
            "user_agent": request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT],
            "created_at": datetime.now(UTC),
        },
    )


def renew(session: Any) -> None:
    """Give a session a new key because it may do more from now on; start its clock if none runs."""
    session.cycle_key()
    if SINCE_KEY not in session:
        start_clock(session)
    keep_alive(session)


@transaction.atomic
def end_sessions(user_id: int, *, keep: str = "", only: int | None = None) -> int:
    """End a user's sign-ins at once, all but the session `keep`; return how many.

    `only` ends the one of that id. Their cookies open nothing from the next request on.
    """
    rows = UserSession.objects.filter(user_id=user_id).exclude(session_key=keep)
    if only is not None:
        rows = rows.filter(pk=only)
    keys = list(rows.values_list("session_key", flat=True))
    if keys:
        store_class().get_model_class().objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(user_id=user_id, session_key__in=keys).delete()
    return len(keys)


def forget(session_key: str | None) -> None:
    """Take a session that is over off the list."""
    if session_key:
        UserSession.objects.filter(session_key=session_key).delete()


def open_sessions(user: User, *, current: str) -> list[OpenSession]:
    """Return the user's live sign-ins, the one at hand first, then the last seen first."""
    found = []
    for row in UserSession.objects.filter(user=user):
        data = store_class()(row.session_key)
        times = times_of(data)
        if times.seen is None or times.since is None or times.ending(clock()):
            continue
        found.append(_described(row, times.since, times.seen, current))
    return sorted(found, key=lambda each: (not each.is_current, -each.seen.timestamp()))


def _described(row: UserSession, since: int, seen: int, current: str) -> OpenSession:
    return OpenSession(
        pk=row.pk,
        user_agent=row.user_agent,
        address="" if row.ip == NOWHERE else row.ip,
        since=datetime.fromtimestamp(since, UTC),
        seen=datetime.fromtimestamp(seen, UTC),
        is_current=row.session_key == current,
    )


def sweep() -> int:
    """Remove sessions that are too old, and what is kept of ended ones. Returns how many."""
    store_class().clear_expired()
    live = store_class().get_model_class().objects.filter(expire_date__gt=datetime.now(UTC))
    ended = UserSession.objects.exclude(session_key__in=live.values("session_key"))
    return int(ended.delete()[0])
