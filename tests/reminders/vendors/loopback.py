"""Vendors on this machine that speak HTTP: quick, with faults to order, and they count what they
really took. Usable outside of a test, in a process of its own as well."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

from tests.config.certificates import Certificate


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """One message that the vendor has, and will deliver."""

    id: str
    to: str
    body: str
    at: datetime
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to one request in place of a good answer. `takes`: it is taken all the same."""

    takes: bool = False
    answer: Answer | None = None
    wait: float = 0
    ends: Literal["answer", "silence", "reset", "cut"] = "answer"


def too_many(retry_after: str = "") -> Fault:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Fault(answer=Answer(429, b'{"code": 20429, "message": "Too many"}', headers))


def broken(status: int = 500, *, takes: bool = False) -> Fault:
    return Fault(answer=Answer(status, b'{"message": "broken"}'), takes=takes)


def moved(to: str) -> Fault:
    return Fault(answer=Answer(307, b"", {"Location": to}))


def silent(*, takes: bool = True) -> Fault:
    """It reads the request, and answers nothing until the client has gone."""
    return Fault(takes=takes, ends="silence")


def reset(*, takes: bool = True) -> Fault:
    """It reads the request and resets the connection."""
    return Fault(takes=takes, ends="reset")


def cut(*, takes: bool = True) -> Fault:
    """It answers half an answer."""
    return Fault(takes=takes, ends="cut")


def slow(seconds: float) -> Fault:
    return Fault(takes=True, wait=seconds)


class Vendor:
    """A vendor as a context manager: `with TwilioServer(latency=0.05) as server`.

    `latency` is in seconds, for every request. With a certificate it speaks TLS.
    """

    def __init__(self, *, latency: float = 0, certificate: Certificate | None = None) -> None:
        self.latency = latency
        self.asked: list[Asked] = []
        self.taken: list[Taken] = []
        self.connections = 0
        self.mishaps: list[BaseException] = []
        self.ended = threading.Event()
        self._faults: deque[Fault] = deque()
        self._always: Fault | None = None
        self._server = Server(self, certificate)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        run = self._server.serve_forever
        self._thread = threading.Thread(target=run, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        if self.mishaps and error is None:
            raise self.mishaps[0]

    def fail(self, *faults: Fault) -> None:
        """Let the next requests fail like this, one after the other."""
        self._faults.extend(faults)

    def always(self, fault: Fault | None) -> None:
        """Let every request fail like this, until it is told otherwise."""
        self._always = fault

    def counts(self) -> Counter[tuple[str, str]]:
        """Return how often each (recipient, text) was taken."""
        return Counter((one.to, one.body) for one in [*self.taken])

    def next_fault(self, asked: Asked) -> Fault | None:
        """Return the fault for a request. Questions that hand nothing over have none."""
        if asked.method != "POST":
            return None
        try:
            return self._faults.popleft()
        except IndexError:
            return self._always

    def keep(self, id_: str, *, to: str, body: str, **more: Any) -> Taken:
        """Count one message as taken."""
        taken = Taken(id_, to, body, datetime.now(UTC), more)
        self.taken.append(taken)
        return taken

    def respond(self, asked: Asked) -> Answer:
        """Answer one request as the vendor would."""
        raise NotImplementedError


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, vendor: Vendor, certificate: Certificate | None) -> None:
        self.vendor = vendor
        super().__init__(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.chain, certificate.key)
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, which may carry many requests, in a thread of its own."""
        self.vendor.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what is tested; anything else fails the test."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.vendor.mishaps.append(error)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536
    server: Server

    def do_POST(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def _serve(self) -> None:
        vendor = self.server.vendor
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, dict(self.headers.items()), body)
        vendor.asked.append(asked)
        fault = vendor.next_fault(asked)
        if vendor.latency:
            time.sleep(vendor.latency)
        if fault is None:
            self._answer(vendor.respond(asked))
            return
        answer = vendor.respond(asked) if fault.takes else Answer(200)
        vendor.ended.wait(fault.wait)
        self._end(fault, fault.answer or answer)

    def _end(self, fault: Fault, answer: Answer) -> None:
        if fault.ends == "silence":
            self.connection.settimeout(30)
            self.rfile.read(1)  # until the client has gone
        elif fault.ends == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        elif fault.ends == "cut":
            self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n{")
        else:
            self._answer(answer)
        self.close_connection = self.close_connection or fault.ends != "answer"

    def _answer(self, answer: Answer) -> None:
        reason = responses.get(answer.status, "")
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""
