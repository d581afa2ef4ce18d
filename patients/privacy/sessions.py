"""Sessions in the database, sealed: a copy of the table tells neither who is signed in nor what
was said to them. A session that was changed, or moved under another key, is no session.
"""

from __future__ import annotations

import logging
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends import db

from patients.crypto import SealBroken
from patients.secrets import open_text, seal_text

PURPOSE = "session"
logger = logging.getLogger(__name__)


class SessionStore(db.SessionStore):
    """Django's sessions in the database, whose contents are sealed under the session's key."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        written = self.serializer().dumps(session_dict).decode("latin-1")
        return seal_text(PURPOSE, self._bound_to(), written)

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return what a session holds; nothing if it cannot be opened, which signs its user out."""
        try:
            written = open_text(PURPOSE, self._bound_to(), str(session_data))
        except SealBroken as broken:
            logger.warning("session.refused: %s", type(broken).__name__)
            return {}
        opened: dict[str, Any] = self.serializer().loads(written.encode("latin-1"))
        return opened

    def cycle_key(self) -> None:
        """Take a new key. The list of sign-ins follows, or this one could not be ended from it."""
        old = self.session_key
        super().cycle_key()
        if old:
            UserSession.objects.filter(session_key=old).update(session_key=self.session_key)

    def _bound_to(self) -> str:
        key = self.session_key
        if not key:
            raise ValueError("A session is sealed under its key, and this one has none yet.")
        return key
