"""The demo's record system as a server: FHIR below /fhir/r4, a page with buttons at /.

Listens on loopback only, and answers nobody who calls it by another name.
"""

from __future__ import annotations

import socket
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import timezone

from emr.demo_server.board import act, rows
from emr.demo_server.keeping import Kept
from emr.demo_server.messages import Answer, Request, query_of, refused
from emr.demo_server.rest import Rest
from emr.demo_server.rules import Rules
from emr.demo_server.store import Absent, Resource, Store
from emr.demo_server.telling import LOOPBACK, Teller, check_subscription

HOST = "127.0.0.1"
ROOT = "/fhir/r4"
MOST_BYTES = 5 * 1024 * 1024
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
_STYLE = Path(__file__).with_name("board.css")
_PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": _POLICY,
    "cache-control": "no-store",
}


class DemoRest(Rest):
    """Plain R4 that takes subscriptions to addresses on this machine."""

    def accepted(self, resource: Resource, before: Resource | None) -> Resource:
        if resource["resourceType"] == "Subscription":
            return check_subscription(resource)
        return super().accepted(resource, before)


class DemoServer(ThreadingHTTPServer):
    """Answers until `shutdown`; `close` ends its thread and its file. Raises OSError when made for
    a port that is taken. `listener` is a socket that listens already."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        *,
        port: int,
        store: Store,
        kept: Kept | None = None,
        listener: socket.socket | None = None,
        zone: str = "America/New_York",
    ) -> None:
        super().__init__((HOST, port), _Handler, bind_and_activate=listener is None)
        if listener is not None:
            self.socket.close()
            self.socket, self.server_address = listener, listener.getsockname()
        self.store, self._kept, self.zone = store, kept, ZoneInfo(zone)
        self.teller = Teller(store)
        self.address = f"http://{HOST}:{self.server_address[1]}"
        self.rest = DemoRest(store, f"{self.address}{ROOT}", Rules(software="Demo record system"))
        store.on_change = self._changed

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up before the answer is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def _changed(self, kind: str, resource_id: str, resource: Resource | None) -> None:
        if self._kept is not None:
            self._kept.write(kind, resource_id, resource)
        self.teller.heard(resource)

    def close(self) -> None:
        self.server_close()
        self.teller.close()
        if self._kept is not None:
            self._kept.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    server: DemoServer

    def log_message(self, *_args: Any) -> None:
        """Paths bear ids of patients: nothing of them is written down."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self.close_connection = True
            return self._send(refused(413, "too-long"))
        body, address = self.rfile.read(length), urlsplit(self.path)
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in LOOPBACK:
            return self._send(refused(421, "security"))
        if address.path.startswith(f"{ROOT}/"):
            return self._send(self._fhir(address.path, address.query, body))
        return self._send(self._page(address.path))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the library's names

    def _fhir(self, path: str, query: str, body: bytes) -> Answer:
        headers = {name.lower(): value for name, value in self.headers.items()}
        below = path.removeprefix(f"{ROOT}/")
        request = Request(self.command, below, query_of(query), headers, body)
        return self.server.rest.answer(request)

    def _page(self, path: str) -> Answer:
        if self.command == "GET" and path == "/board.css":
            return Answer(200, _STYLE.read_bytes(), {"content-type": "text/css; charset=utf-8"})
        if self.command == "GET" and path == "/":
            return Answer(200, self._board(), _PAGE_HEADERS)
        match path.strip("/").split("/"):
            case ["do", name, appointment_id] if self.command == "POST" and self._is_own():
                return self._done(name, appointment_id)
        return refused(404, "not-found")

    def _is_own(self) -> bool:
        """Say whether a form was sent from this server's own page."""
        return self.headers.get("Origin", "") in {"", f"http://{self.headers.get('Host', '')}"}

    def _done(self, name: str, appointment_id: str) -> Answer:
        try:
            act(self.server.store, name, appointment_id)
        except (KeyError, Absent):
            return refused(404, "not-found")
        return Answer(303, b"", {"location": f"/#{appointment_id}"})

    def _board(self) -> bytes:
        now = datetime.now(UTC)
        with timezone.override(self.server.zone):
            context = {"rows": rows(self.server.store, now=now)}
            return render_to_string("emr_demo/board.html", context).encode()

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
