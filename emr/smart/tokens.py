"""The access tokens of connections: one call for all who want one, kept in this process alone.

A token is renewed at four fifths of its life, by whoever comes first; others go on with the old
one. Nothing of it is written down or logged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field

from django.utils import timezone

from emr.failures import EMRError, Refused, TryLater, Unauthorized
from emr.kinds import Auth
from emr.models import EMRConnection
from emr.smart import discovery
from emr.smart.credentials import proof
from emr.transport import Reply, TokenSource, Transport

RENEW_AT = 0.8
SHORTEST_LIFE = 1.0
LIFE_UNSAID = 300.0  # seconds, where the answer names none
LONGEST_LIFE = 24 * 3600.0
KEEP_OLD = 30.0  # seconds until a renewal that failed is tried again
WRONG = frozenset({"invalid_client", "unauthorized_client", "invalid_grant", "access_denied"})


@dataclass(frozen=True, slots=True)
class Token:
    """`renew_at` and `ends_at` are seconds of the monotonic clock."""

    header: str = field(repr=False)
    renew_at: float
    ends_at: float


class NoToken:
    """For servers that ask for none."""

    def header(self) -> str:
        return ""

    def drop(self, seen: str) -> None:
        """There is nothing to forget."""


class Shelf:
    """The token of one set of credentials, for all threads of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.lock = threading.Lock()
        self.held: Token | None = None
        self.flight: Future[Token] | None = None

    def header(self, fetch: Callable[[], Token]) -> str:
        """Return the header, by one call of `fetch` for all who wait. Raises what it raises."""
        with self.lock:
            held, now = self.held, self.clock()
            if held and now < held.renew_at:
                return held.header
            flight, is_mine = self.flight, self.flight is None
            if flight is None:
                flight = self.flight = Future()
            elif held and now < held.ends_at:
                return held.header
        if is_mine:
            self._fly(flight, fetch)
        return flight.result().header

    def drop(self, seen: str) -> None:
        """Forget the token that was refused; a newer one stays."""
        with self.lock:
            if self.held and self.held.header == seen:
                self.held = None

    def _fly(self, flight: Future[Token], fetch: Callable[[], Token]) -> None:
        """Fetch a token and let all have it, or the failure; an old one still good outlasts it."""
        try:
            token, failure = fetch(), None
        except BaseException as error:
            token, failure = None, error
        with self.lock:
            self.flight, now, old = None, self.clock(), self.held
            if isinstance(failure, TryLater) and old and now < old.ends_at:
                token = Token(old.header, min(now + KEEP_OLD, old.ends_at), old.ends_at)
            if token is not None:
                self.held = token
        if token is not None:
            flight.set_result(token)
        else:
            flight.set_exception(failure)


_shelves: dict[Hashable, Shelf] = {}
_shelves_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Source:
    """The token of one connection, as `emr.transport` asks for it."""

    connection: EMRConnection
    shelf: Shelf

    def header(self) -> str:
        return self.shelf.header(lambda: fetched(self.connection, clock=self.shelf.clock))

    def drop(self, seen: str) -> None:
        self.shelf.drop(seen)


def source(connection: EMRConnection) -> TokenSource:
    """Return where a connection's tokens come from; all of one process share them."""
    if connection.auth == Auth.NONE.value:
        return NoToken()
    key = (
        connection.pk,
        connection.base_url,
        connection.token_url,
        connection.auth,
        connection.algorithm,
        connection.client_id,
        tuple(sorted(connection.scopes)),
    )
    with _shelves_lock:
        shelf = _shelves.setdefault(key, Shelf())
    return Source(connection, shelf)


def forget() -> None:
    """Forget all tokens of this process."""
    with _shelves_lock:
        _shelves.clear()


def fetched(connection: EMRConnection, *, clock: Callable[[], float] = time.monotonic) -> Token:
    """Ask for a token with the connection's own credentials, once.

    Raises Unauthorized where they are wrong, and TryLater; never Unsure: a token that was made
    and lost harms nobody.
    """
    url = token_url(connection)
    fields, headers = proof(
        connection, token_url=url, client_id=connection.client_id, now=timezone.now()
    )
    form = {"grant_type": "client_credentials"} | fields
    if connection.scopes:
        form["scope"] = " ".join(connection.scopes)
    began = clock()
    return _token(asked(connection, url, form, headers), began)


def token_url(connection: EMRConnection) -> str:
    """Return where tokens are to be had: as set up, else as the server says. Raises Refused."""
    if connection.token_url:
        return connection.token_url
    said = discovery.discover(connection, now=timezone.now()).smart
    found = str(said.get("token_endpoint", ""))
    if not found:
        raise Refused("no-token-endpoint")
    return found


def asked(
    connection: EMRConnection, url: str, form: dict[str, str], headers: dict[str, str]
) -> Reply:
    """Send a form to a token endpoint. A wrong client is Unauthorized, whatever the status."""
    transport = Transport(url, timeout=connection.timeout_seconds)
    try:
        return transport.request(
            "POST", url, form=form, headers=headers, accept="application/json", is_safe=True
        )
    except Refused as refusal:
        if WRONG & set(refusal.codes):
            raise Unauthorized(*refusal.codes) from None
        raise
    finally:
        transport.close()


def _token(reply: Reply, began: float) -> Token:
    value, kind = reply.body.get("access_token"), str(reply.body.get("token_type", "bearer"))
    if not isinstance(value, str) or not _is_plain(value) or kind.lower() != "bearer":
        raise Refused("no-access-token")
    life = _life(reply.body.get("expires_in"))
    return Token(f"Bearer {value}", began + life * RENEW_AT, began + life)


def _is_plain(value: str) -> bool:
    """Whether a token can stand in a header as it is."""
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


def _life(said: object) -> float:
    try:
        seconds = float(said)  # type: ignore[arg-type]  # whatever it is, it is a number or not
    except (TypeError, ValueError):
        return LIFE_UNSAID
    return min(max(seconds, SHORTEST_LIFE), LONGEST_LIFE) if seconds == seconds else LIFE_UNSAID


__all__ = ["EMRError", "Shelf", "Source", "Token", "asked", "fetched", "forget", "source"]
