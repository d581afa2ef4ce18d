"""A record system in which people sign in (SMART App Launch): real HTTP, real keys, own mistakes.

It gives codes and tokens as the specification asks, and refuses whoever does otherwise. `lies`
changes what an id_token says; `signs_with` how it is signed.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

CLIENT = "launch-client"
REDIRECT = "http://testserver/emr/callback/"
KEYS: dict[str, Any] = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rs256", "use": "sig"}),
    "RS384": RSAKey.generate_key(2048, {"kid": "rs384", "use": "sig"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "es256", "use": "sig"}),
    "ES384": ECKey.generate_key("P-384", {"kid": "es384", "use": "sig"}),
}
STRANGERS_KEY = ECKey.generate_key("P-384", {"kid": "es384", "use": "sig"})
METADATA = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []}


@dataclass
class Authority:
    """`practitioner` is who signs in there, `patient` whose chart they have open; `proofs` are the
    assertions with which clients proved themselves at the token endpoint."""

    origin: str = ""
    practitioner: str = "p-1"
    fhir_user: str = ""
    patient: str = ""
    npi: str = ""
    algorithm: str = "RS256"
    lies: dict[str, Any] = field(default_factory=dict)
    signs_with: Any = None
    header: dict[str, Any] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)
    endpoints: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    proofs: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"{self.origin}/fhir"

    def configuration(self) -> dict[str, Any]:
        said = {
            "issuer": self.origin,
            "jwks_uri": f"{self.origin}/jwks",
            "authorization_endpoint": f"{self.origin}/authorize?tenant=7",
            "token_endpoint": f"{self.origin}/token",
        }
        said |= self.endpoints
        return {name: value for name, value in said.items() if name not in self.without}

    def authorize(self, asked: Mapping[str, str]) -> tuple[int, str]:
        """Let the practitioner in, and say where the browser goes; 400 where it was asked wrong."""
        wanted = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": REDIRECT,
            "aud": self.base_url,
            "code_challenge_method": "S256",
            "tenant": "7",
        }
        if not wanted.items() <= asked.items() or len(asked.get("state", "")) < 32:
            return 400, ""
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(asked)
        return 302, f"{REDIRECT}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Give tokens for a code, once, to who began it."""
        began = self.codes.pop(form.get("code", ""), None)
        if began is None or form.get("redirect_uri") != REDIRECT:
            return 400, {"error": "invalid_grant"}
        if _challenge(form.get("code_verifier", "")) != began["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if "client_assertion" in form:
            self.proofs.append(form["client_assertion"])
        elif form.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        said = {"access_token": token, "token_type": "Bearer", "expires_in": 300}
        said |= {"id_token": self.id_token(began), "scope": began["scope"]}
        return 200, said | ({"patient": self.patient} if self.patient else {})

    def id_token(self, began: Mapping[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.origin,
            "sub": "somebody",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": began["nonce"],
            "fhirUser": self.fhir_user or f"{self.base_url}/Practitioner/{self.practitioner}",
        }
        claims |= self.lies
        claims = {name: value for name, value in claims.items() if value is not None}
        key = self.signs_with or KEYS[self.algorithm]
        header = {"alg": self.algorithm, "kid": key.kid} | self.header
        return jwt.encode(header, claims, key, algorithms=[header["alg"]])

    def read(self, path: str, bearer: str) -> tuple[int, dict[str, Any]]:
        if bearer.removeprefix("Bearer ") not in self.tokens:
            return 401, {}
        if path != f"/fhir/Practitioner/{self.practitioner}":
            return 404, {}
        numbers = [{"system": "http://hl7.org/fhir/sid/us-npi", "value": self.npi}]
        return 200, {
            "resourceType": "Practitioner",
            "id": self.practitioner,
            "identifier": numbers if self.npi else [],
        }


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def jwks() -> dict[str, Any]:
    return dict(KeySet(list(KEYS.values())).as_dict(private=False))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    authority: Authority

    def do_GET(self) -> None:
        there, parts = self.authority, urlsplit(self.path)
        asked = dict(parse_qsl(parts.query))
        there.asked.append((parts.path, asked))
        if parts.path == "/authorize":
            status, where = there.authorize(asked)
            self._answer(status, {}, where)
        elif parts.path == "/fhir/metadata":
            self._answer(200, METADATA)
        elif parts.path == "/fhir/.well-known/smart-configuration":
            self._answer(200, there.configuration())
        elif parts.path == "/jwks":
            self._answer(200, jwks())
        else:
            self._answer(*there.read(parts.path, self.headers.get("Authorization", "")))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.authority.asked.append((self.path, form))
        self._answer(*self.authority.token(form))

    def _answer(self, status: int, body: dict[str, Any], where: str = "") -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        if where:
            self.send_header("Location", where)
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Tests are quiet."""


@contextmanager
def authority() -> Iterator[Authority]:
    there = Authority()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"authority": there}))
    there.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


__all__ = ["CLIENT", "KEYS", "REDIRECT", "STRANGERS_KEY", "Authority", "OctKey", "authority"]
