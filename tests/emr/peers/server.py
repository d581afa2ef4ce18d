"""A record system on this machine: real HTTP, a store, rules, a token endpoint, and faults."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from emr.demo_server.messages import Answer, Request, query_of, refused
from emr.demo_server.rest import Rest
from emr.kinds import Vendor
from tests.emr.peers.authority import Authority, TokenCall
from tests.emr.peers.cast import Cast
from tests.emr.peers.faults import Fault, How

BIG = 10 * 1024 * 1024
RST = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the FHIR address; `path` is below it, `body` is read as JSON if it is that."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    at: float
    status: int


@dataclass
class Planned:
    fault: Fault
    times: int
    on: tuple[str, str]

    def concerns(self, request: Request) -> bool:
        method, what = self.on
        parts = request.path.split("/")
        return method in {"*", request.method} and what in {"*", parts[0], parts[-1]}


class Peer(Cast):
    """A running server; see `generic_peer`, `oracle_peer` and `epic_peer`.

    `latency` is how long each answer takes, in seconds; it may be changed while it runs. Ids put
    into `locked` are open at somebody's there (Oracle), those in `guarded` ask why (Epic).
    """

    def __init__(
        self, vendor: Vendor, rests: Mapping[str, Rest], *, auth: bool, authority: Authority
    ) -> None:
        self.vendor, self._rests, self.auth = vendor, rests, auth
        self.authority = authority
        self.calls: list[Call] = []
        self.latency = 0.0
        self.scheduling_url = ""
        self.locked: set[str] = set()
        self.guarded: set[str] = set()
        self._plans: list[Planned] = []
        self._lock = threading.Lock()
        first = next(iter(rests))
        super().__init__(rests[first].store)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.peer = self
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.base_url = f"{self.origin}{first}"
        authority.token_url = f"{self.origin}/token"
        for prefix, rest in rests.items():
            rest.root = f"{self.origin}{prefix}"

    @property
    def tokens(self) -> list[TokenCall]:
        return self.authority.calls

    @property
    def token_url(self) -> str:
        return self.authority.token_url

    def root_of(self, prefix: str) -> str:
        return self._rests[prefix].root

    def fail(
        self, fault: Fault, *, times: int = 1, on: tuple[str, str] = ("POST", "Appointment")
    ) -> None:
        """Let the next requests `on` (method, type or "$operation") meet with a fault.

        "*" stands for any; faults take effect in the order in which they were planned.
        """
        with self._lock:
            self._plans.append(Planned(fault, times, on))

    def be_well(self) -> None:
        """Forget the faults that are still planned."""
        with self._lock:
            self._plans.clear()

    def calls_to(self, method: str, what: str) -> list[Call]:
        """Return the calls of a method that begin or end with a type or "$operation"."""
        wanted = (call for call in list(self.calls) if call.method == method)
        return [call for call in wanted if what in {*call.path.split("/")}]

    def planned(self, request: Request) -> Fault | None:
        with self._lock:
            for plan in self._plans:
                if plan.times > 0 and plan.concerns(request):
                    plan.times -= 1
                    return plan.fault
        return None

    def find_rest(self, path: str) -> tuple[str, Rest] | None:
        for prefix, rest in self._rests.items():
            if path.startswith(f"{prefix}/"):
                return prefix, rest
        return None

    def smart(self) -> dict[str, Any]:
        """Return the server's smart-configuration."""
        return {
            "token_endpoint": self.token_url,
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
            "scopes_supported": ["system/*.rs"],
        }

    @contextmanager
    def running(self) -> Iterator[Peer]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.ended.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    peer: Peer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.ended = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up early is what some tests are about: that alone is not told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_args: Any) -> None:
        """Tests read `calls`."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _serve(self) -> None:
        peer, address = self.server.peer, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = _lowered(self.headers)
        if address.path == "/token" and self.command == "POST":
            status, answer = peer.authority.token(dict(parse_qsl(body.decode())), headers)
            return self._send(Answer(status, json.dumps(answer).encode(), _JSON))
        place = peer.find_rest(address.path)
        if place is None:
            return self._send(refused(404, "not-found"))
        prefix, rest = place
        below = address.path.removeprefix(f"{prefix}/")
        if below == ".well-known/smart-configuration":
            return self._send(Answer(200, json.dumps(peer.smart()).encode(), _JSON))
        request = Request(self.command, below, query_of(address.query), headers, body)
        self._answer(peer, rest, request)
        return None

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the library's names

    def _answer(self, peer: Peer, rest: Rest, request: Request) -> None:
        self.server.ended.wait(peer.latency)
        fault = peer.planned(request)
        answer = self._met_with(fault, rest, request) if fault else None
        if answer is None:
            answer = self._allowed(peer, request) or rest.answer(request)
        peer.calls.append(_call(request, answer.status))
        if fault and fault.how in {How.RESET_BEFORE, How.RESET_AFTER_STORE, How.HANG}:
            self._reset()
        elif fault and fault.how is How.TRUNCATED:
            self._send_half(answer)
        else:
            self._send(answer)

    def _allowed(self, peer: Peer, request: Request) -> Answer | None:
        """Return what somebody without a good token is answered."""
        is_open = not peer.auth or request.path == "metadata"
        if is_open or peer.authority.knows(request.headers.get("authorization", "")):
            return None
        return refused(401, "login")

    def _met_with(self, fault: Fault, rest: Rest, request: Request) -> Answer | None:
        """Return what is answered instead, or None where the request is worked first."""
        if fault.how is How.HANG:
            self.server.ended.wait(fault.seconds)
            return rest.answer(request) if fault.stores else Answer(0)
        match fault.how:
            case How.STATUS | How.STALE:
                return refused(fault.status, "conflict" if fault.how is How.STALE else "exception")
            case How.RESET_BEFORE:
                return Answer(0)
            case How.HTML_502:
                return Answer(502, b"<html><body>Bad gateway</body></html>", _HTML)
            case How.BIG_BODY:
                return Answer(200, b'{"resourceType": "Bundle", "x": "' + b"x" * BIG + b'"}', _JSON)
            case How.EMPTY_406:
                return Answer(406)
            case How.RATE_LIMIT:
                after = {"retry-after": fault.after} if fault.after is not None else {}
                return Answer(429, b"", after)
            case How.UNAUTHORIZED:
                return refused(401, "login")
        return None

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        self.connection.close()
        self.close_connection = True
        self.rfile.close()

    def _send_half(self, answer: Answer) -> None:
        """Promise all and send half: a body that is cut off."""
        body = answer.body or b'{"resourceType": "OperationOutcome"}'
        self._head(answer, length=len(body), content="application/fhir+json")
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _send(self, answer: Answer) -> None:
        self._head(answer, length=len(answer.body))
        self.wfile.write(answer.body)

    def _head(self, answer: Answer, *, length: int, content: str = "") -> None:
        self.send_response(answer.status)
        named = {**answer.headers} | ({"content-type": content} if content else {})
        for name, value in named.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


_JSON = {"content-type": "application/json"}
_HTML = {"content-type": "text/html"}


def _lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _call(request: Request, status: int) -> Call:
    query: dict[str, list[str]] = {}
    for name, value in request.query:
        query.setdefault(name, []).append(value)
    try:
        body = json.loads(request.body) if request.body else None
    except ValueError:
        body = request.body
    return Call(request.method, request.path, query, request.headers, body, time.time(), status)
