"""A server on loopback that answers, byte for byte, what a test wrote down; and breaks off so too.

It notes what it was sent: the words of each request as they came.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Act = Callable[[socket.socket], None]


def says(status: int, body: bytes = b"", *lines: str, kind: str = "application/fhir+json") -> bytes:
    """Return a whole answer, with its length; `lines` are further headers."""
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"Content-Type: {kind}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def sends(answer: bytes) -> Act:
    return lambda talk: talk.sendall(answer)


def resets(talk: socket.socket) -> None:
    """End the connection as a crash does."""
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    talk.close()


def drips(answer: bytes, *, every: float) -> Act:
    """Send an answer byte by byte, `every` so many seconds."""

    def drip(talk: socket.socket) -> None:
        for byte in answer:
            talk.sendall(bytes([byte]))
            time.sleep(every)

    return drip


@dataclass
class RawServer:
    """`acts` are done one for each request, the last again and again."""

    acts: list[Act]
    listener: socket.socket
    context: ssl.SSLContext | None = None
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def base_url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self.port}/r4"

    def serve(self) -> None:
        while True:
            try:
                talk, _address = self.listener.accept()
            except OSError:
                return  # closed: the test is over
            self.connections += 1
            threading.Thread(target=self._talk, args=[talk], daemon=True).start()

    def _talk(self, talk: socket.socket) -> None:
        try:
            if self.context:
                talk = self.context.wrap_socket(talk, server_side=True)
            while request := _read(talk):
                act = self.acts[min(len(self.asked), len(self.acts) - 1)]
                self.asked.append(request)
                act(talk)
        except OSError:
            return  # whoever asked has gone, as some tests mean to
        finally:
            talk.close()


@contextmanager
def raw_server(*acts: Act, context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(list(acts), listener, context)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def _read(talk: socket.socket) -> bytes:
    """Return one request with its body; nothing once the other side has gone."""
    told = b""
    while b"\r\n\r\n" not in told:
        more = talk.recv(65_536)
        if not more:
            return b""
        told += more
    head, _, body = told.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted:
        body += talk.recv(65_536)
    return head + b"\r\n\r\n" + body
