"""Launches that were begun in a browser and have not come back yet: a few, for ten minutes, in its
session alone. Each is answered once."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from emr.models import EMRConnection

SESSION_KEY = "emr_launches"
LASTS = timedelta(minutes=10)
MOST = 4


@dataclass(frozen=True, slots=True)
class Pending:
    """`until` is in seconds since 1970."""

    connection: str
    verifier: str
    nonce: str
    until: int

    @property
    def challenge(self) -> str:
        """The digest of the verifier (RFC 7636, S256)."""
        digest = sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")

    @property
    def connection_id(self) -> UUID:
        return UUID(self.connection)


def begin(session: Any, connection: EMRConnection, *, now: datetime) -> tuple[str, Pending]:
    """Keep a launch in a session; return the state by which it is known again."""
    state = secrets.token_urlsafe(32)
    pending = Pending(
        connection=str(connection.pk),
        verifier=secrets.token_urlsafe(64),
        nonce=secrets.token_urlsafe(32),
        until=int((now + LASTS).timestamp()),
    )
    others = list(session.get(SESSION_KEY, {}).items())[-(MOST - 1) :]
    session[SESSION_KEY] = {**dict(others), state: asdict(pending)}
    return state, pending


def answered(session: Any, state: str, *, now: datetime) -> Pending | None:
    """Take the launch of a state out of the session; None for one that is not there or too old."""
    waiting = dict(session.get(SESSION_KEY, {}))
    kept = waiting.pop(state, None)
    if kept is None:
        return None
    session[SESSION_KEY] = waiting
    pending = Pending(**kept)
    return pending if now.timestamp() < pending.until else None
