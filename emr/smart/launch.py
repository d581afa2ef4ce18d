"""Opening this portal from a record system (SMART App Launch 2.2): where to send a browser, and
whom it comes back as. Signs nobody in.

Only a connection's own server is believed, over its own TLS; the browser carries a code that is
worth nothing without this session's secret (PKCE).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from emr.failures import Refused
from emr.kinds import Auth
from emr.models import EMRConnection
from emr.smart import pending, tokens, whose
from emr.smart.credentials import proof
from emr.smart.discovery import discover
from emr.smart.id_tokens import verified
from emr.transport import Reply, Transport
from providers.models import Provider

IDENTITY = "openid fhirUser"


@dataclass(frozen=True, slots=True)
class Opened:
    """Who opened the portal from where; `remote_patient` is the patient they had open there."""

    connection: EMRConnection
    user: User
    remote_patient: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Bearer:
    """The one token of this launch."""

    value: str = field(repr=False)

    def header(self) -> str:
        return self.value

    def drop(self, seen: str) -> None:
        """There is no other."""


def redirect_uri() -> str:
    """Return the address that is registered with record systems, to the letter."""
    return f"{settings.SITE_URL}{reverse('smart:callback')}"


def is_its_own(connection: EMRConnection, iss: str) -> bool:
    """Say whether the server that a launch names is the connection's."""
    return bool(iss) and iss.rstrip("/") == connection.base_url.rstrip("/")


def begin(connection: EMRConnection, session: Any, *, launch: str = "", now: datetime) -> str:
    """Note a launch in a session, and return where the browser signs in at the record system.

    `launch` is what the record system gave with it, or "" where the portal was opened by itself.
    Raises EMRError where the server is silent or offers no such thing.
    """
    said = discover(connection, now=now).smart
    where = str(said.get("authorization_endpoint", ""))
    if not where or not connection.launch_client_id:
        raise Refused("no-launch")
    state, waiting = pending.begin(session, connection, now=now)
    asked = {
        "response_type": "code",
        "client_id": connection.launch_client_id,
        "redirect_uri": redirect_uri(),
        "scope": f"launch {IDENTITY}" if launch else IDENTITY,
        "state": state,
        "nonce": waiting.nonce,
        "aud": connection.base_url,
        "code_challenge": waiting.challenge,
        "code_challenge_method": "S256",
    }
    return _with_query(where, asked | ({"launch": launch} if launch else {}))


def finish(
    connection: EMRConnection,
    waiting: pending.Pending,
    *,
    code: str,
    issuer: str = "",
    now: datetime,
) -> Opened:
    """Exchange the code that came back, and return who it is.

    `issuer` is who says that it gave the code (RFC 9207), "" where nobody does. Raises Refused
    where anything is not as it should be, and the other kinds of EMRError.
    """
    said = discover(connection, now=now).smart
    if issuer and issuer != said.get("issuer"):
        raise Refused("issuer")
    reply = _exchanged(connection, waiting, code)
    claims = verified(
        str(reply.body.get("id_token", "")),
        jwks=_jwks(connection, said),
        issuer=str(said.get("issuer", "")),
        client_id=connection.launch_client_id,
        nonce=waiting.nonce,
        now=timezone.now(),
    )
    remote_id = whose.practitioner_id(claims.get("fhirUser"), base_url=connection.base_url)
    provider = _provider(connection, remote_id, reply)
    return Opened(
        connection=connection,
        user=whose.account_of(provider, connection),
        remote_patient=str(reply.body.get("patient", "")),
    )


def _exchanged(connection: EMRConnection, waiting: pending.Pending, code: str) -> Reply:
    url = tokens.token_url(connection)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(),
        "code_verifier": waiting.verifier,
    }
    client_id = connection.launch_client_id
    if _is_public(connection):
        return tokens.asked(connection, url, form | {"client_id": client_id}, {})
    fields, headers = proof(connection, token_url=url, client_id=client_id, now=timezone.now())
    return tokens.asked(connection, url, form | fields, headers)


def _is_public(connection: EMRConnection) -> bool:
    """Whether the launch's client has nothing to prove itself by but PKCE: a secret is that of the
    client which it was given to."""
    is_another = connection.launch_client_id != connection.client_id
    has_secret = connection.auth == Auth.CLIENT_SECRET.value
    return connection.auth == Auth.NONE.value or (has_secret and is_another)


def _jwks(connection: EMRConnection, said: Mapping[str, Any]) -> Mapping[str, Any]:
    where = str(said.get("jwks_uri", ""))
    if not where or not said.get("issuer"):
        raise Refused("no-issuer")
    transport = Transport(where, timeout=connection.timeout_seconds)
    try:
        return transport.request("GET", where, accept="application/json").body
    finally:
        transport.close()


def _provider(connection: EMRConnection, remote_id: str, reply: Reply) -> Provider:
    """Return the provider by link, or else by the NPI of the Practitioner as it is read now."""
    found = whose.linked_provider(connection, remote_id)
    if found is None:
        bearer = _Bearer(f"Bearer {reply.body.get('access_token', '')}")
        transport = Transport(
            connection.base_url, timeout=connection.timeout_seconds, tokens=bearer
        )
        try:
            said = transport.request("GET", f"Practitioner/{remote_id}").body
        finally:
            transport.close()
        found = whose.provider_by_npi(connection, said)
    if found is None:
        raise Refused("unknown-practitioner")
    return found


def _with_query(address: str, asked: Mapping[str, str]) -> str:
    """Return an address with more asked in its query; what it asked before stays."""
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *asked.items()])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
