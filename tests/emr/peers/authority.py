"""The token endpoint of a peer: takes what SMART backend services allows, and nothing else."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from urllib.request import urlopen
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS384", "ES384"]
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 300


class Denied(Exception):
    """No token; the reason is for the test that reads it."""


@dataclass(frozen=True, slots=True)
class TokenCall:
    """One call of the token endpoint; `header` and `claims` are those of the assertion."""

    at: float
    form: Mapping[str, str] = field(repr=False)
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    status: int
    why: str = ""


@dataclass
class Authority:
    """Gives tokens to one client: to who signs with `jwks` (or what is at `jwks_url`, fetched once
    and again only for a key unknown so far), or who knows `client_secret`."""

    token_url: str = ""
    client_id: str = "daysheet"
    client_secret: str = ""
    jwks: Mapping[str, Any] = field(default_factory=dict)
    jwks_url: str = ""
    lifetime: int = 300
    delay: float = 0.0
    calls: list[TokenCall] = field(default_factory=list)
    _tokens: dict[str, float] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _cached: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, Any]:
        """Return a status and the body of the answer."""
        time.sleep(self.delay)
        header: Mapping[str, Any] = {}
        claims: Mapping[str, Any] = {}
        status, why, body = 200, "", {}
        with self._lock:
            try:
                if "client_assertion" in form:
                    header, claims = self._assertion(form)
                else:
                    self._secret(headers)
                body = self._grant(form)
            except Denied as denied:
                status, why = 401, str(denied)
                body = {"error": "invalid_client"}
            self.calls.append(TokenCall(time.time(), dict(form), header, claims, status, why))
        return status, body

    def knows(self, authorization: str) -> bool:
        """Say whether a header bears a token that is good now."""
        scheme, _space, token = authorization.partition(" ")
        with self._lock:
            return scheme.lower() == "bearer" and self._tokens.get(token, 0) > time.time()

    def revoke_all(self) -> None:
        """Let every token given so far be worth nothing."""
        with self._lock:
            self._tokens.clear()

    def _grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        if form.get("grant_type") != "client_credentials":
            raise Denied("grant_type")
        if not form.get("scope"):
            raise Denied("scope")
        token = f"token-{uuid4().hex}"
        self._tokens[token] = time.time() + self.lifetime
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.lifetime,
            "scope": form["scope"],
        }

    def _secret(self, headers: Mapping[str, str]) -> None:
        scheme, _space, value = headers.get("authorization", "").partition(" ")
        if scheme != "Basic" or not self.client_secret:
            raise Denied("no credentials")
        name, _colon, secret = base64.b64decode(value).decode().partition(":")
        if (unquote(name), unquote(secret)) != (self.client_id, self.client_secret):
            raise Denied("secret")

    def _assertion(self, form: Mapping[str, str]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        if form.get("client_assertion_type") != ASSERTION:
            raise Denied("client_assertion_type")
        try:
            signed = self._decoded(form["client_assertion"])
        except (JoseError, ValueError, KeyError) as error:
            raise Denied(f"signature: {type(error).__name__}") from error
        self._check(signed.header, signed.claims)
        return signed.header, signed.claims

    def _decoded(self, assertion: str) -> Any:
        kid = _header_of(assertion).get("kid")
        if not kid:
            raise Denied("kid")
        keys = KeySet.import_key_set(self._keys_with(kid))
        return jwt.decode(assertion, keys, algorithms=ALGORITHMS)

    def _keys_with(self, kid: str) -> Any:
        if not self.jwks_url:
            return self.jwks
        if kid not in {key["kid"] for key in self._cached.get("keys", [])}:
            with urlopen(self.jwks_url, timeout=5) as answer:  # noqa: S310 - the test's own
                self._cached = json.load(answer)
        return self._cached

    def _check(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
        now = time.time()
        checks: dict[str, Callable[[], bool]] = {
            "typ": lambda: header.get("typ") == "JWT",
            "iss": lambda: claims.get("iss") == self.client_id,
            "sub": lambda: claims.get("sub") == self.client_id,
            "aud": lambda: claims.get("aud") == self.token_url,
            "exp": lambda: now < claims.get("exp", 0) <= now + LONGEST + 1,
            "jti": lambda: bool(claims.get("jti")) and claims["jti"] not in self._seen,
        }
        for name, holds in checks.items():
            if not holds():
                raise Denied(name)
        self._seen.add(claims["jti"])


def _header_of(assertion: str) -> Mapping[str, Any]:
    part = assertion.partition(".")[0]
    header: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return header
