"""Talks to Redis once and within a bound: no retry, no negotiation, and an end to a whole
conversation where the client library bounds only each step. Knows nothing of what is said."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any, TypeAlias

from hiredis import pack_command
from redis import ConnectionPool, exceptions
from redis._parsers import _HiredisParser
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.utils import SENTINEL

Command: TypeAlias = tuple[bytes | str | int, ...]
_conversation = threading.local()


class BoundedParser(_HiredisParser):
    """Reads no longer than the conversation of its thread may last.

    The library bounds each read of a reply, so that one that comes in drops would never end.
    """

    def read_from_socket(self, timeout: Any = SENTINEL, raise_on_timeout: bool = True) -> bool:  # noqa: FBT001, FBT002
        ends_at = getattr(_conversation, "ends_at", None)
        if ends_at is not None:
            timeout = min(ends_at - monotonic(), self._socket_timeout)
            if timeout <= 0:
                raise exceptions.TimeoutError("The conversation took too long.")
        return bool(_HiredisParser.read_from_socket(self, timeout, raise_on_timeout))


class BoundedPool(ConnectionPool):
    """Connections that are ready without a round trip, unless there is a password or a database.

    Protocol 2, because the newer one asks for each connection's settings first, and lets the
    server say where to connect instead.
    """

    def __init__(self, **options: Any) -> None:
        ours = {
            "parser_class": BoundedParser,
            "protocol": 2,
            "driver_info": None,
            "retry": Retry(NoBackoff(), 0),
        }
        super().__init__(**options | ours)

    def converse(self, commands: Sequence[Command], *, seconds: float) -> list[Any]:
        """Send all commands at once and return a reply to each, a refusal as a ResponseError.

        Nothing is read after `seconds`; a step that has begun ends by its own timeout. Raises
        whatever the library makes of a server that is away, too slow or not a Redis.
        """
        _conversation.ends_at = monotonic() + seconds
        try:
            connection = self.get_connection()
            try:
                packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type]
                connection.send_packed_command([packed], check_health=False)
                return [_reply(connection) for _ in commands]
            except BaseException:
                connection.disconnect()  # what was not read must not answer the next question
                raise
            finally:
                self.release(connection)
        finally:
            del _conversation.ends_at


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except exceptions.ResponseError as refusal:
        return refusal
