"""Listeners for our client to speak to: real sockets that behave, or do not, as they are told."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import sleep

from emr.hl7v2.acks import ack
from emr.hl7v2.framing import Unframer, framed
from emr.hl7v2.parsing import decoded

Reaction = Callable[[socket.socket, str], None]


def says(code: str, error: str = "", *, slowly: float = 0) -> Reaction:
    """Answer with an acknowledgement."""

    def react(link: socket.socket, text: str) -> None:
        sleep(slowly)
        link.sendall(framed(ack(text, code, error).encode()))

    return react


def writes(*pieces: bytes) -> Reaction:
    """Write these bytes, one piece after the other."""

    def react(link: socket.socket, _text: str) -> None:
        for piece in pieces:
            link.sendall(piece)
            sleep(0.02)

    return react


def is_silent(_link: socket.socket, _text: str) -> None:
    """Never answer."""


def closes(link: socket.socket, _text: str) -> None:
    link.close()


def resets(link: socket.socket, _text: str) -> None:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


def answers_then_closes(link: socket.socket, text: str) -> None:
    says("AA")(link, text)
    link.close()


@dataclass
class LinePeer:
    """Keeps what it heard, with how many connections it took. `reactions` are used up one by one,
    then every message is answered AA."""

    port: int
    reactions: list[Reaction] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    connections: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def control_ids(self) -> list[str]:
        return [text.split("|")[9] for text in self.heard]

    def serve(self, link: socket.socket) -> None:
        frames = Unframer()
        with link:
            while piece := link.recv(65_536):
                for message in frames.feed(piece):
                    self.heard.append(decoded(message))
                    reaction = self.reactions.pop(0) if self.reactions else says("AA")
                    reaction(link, self.heard[-1])
                    if link.fileno() < 0:
                        return


@contextmanager
def line_peer(*reactions: Reaction, tls: ssl.SSLContext | None = None) -> Iterator[LinePeer]:
    """Listen on a free port until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        peer = LinePeer(listening.getsockname()[1], list(reactions))
        threads: list[threading.Thread] = []

        def serve(link: socket.socket) -> None:
            try:
                peer.serve(tls.wrap_socket(link, server_side=True) if tls else link)
            except OSError as error:
                peer.refused.append(type(error).__name__)
                link.close()

        def accept() -> None:
            while True:
                try:
                    link, _ = listening.accept()
                except OSError:
                    return
                link.settimeout(10)
                peer.connections += 1
                threads.append(threading.Thread(target=serve, args=(link,), daemon=True))
                threads[-1].start()

        threading.Thread(target=accept, daemon=True).start()
        yield peer
        listening.shutdown(socket.SHUT_RDWR)
