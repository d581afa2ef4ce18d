"""Listens for HL7 v2 messages: a thread for each peer, so that a slow one keeps nobody waiting.

Knows frames and time limits. What is answered is asked of `answer`, which takes the message's bytes
and has kept them before it returns.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from emr.hl7v2.framing import FrameTooLong, Unframer, framed

logger = logging.getLogger(__name__)

TICK = 0.25
REST = 5.0
PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """How many peers at once, and for how many seconds each thing may last."""

    peers: int = 32
    idle: float = 900.0
    frame: float = 30.0
    handshake: float = 10.0
    answer: float = 10.0


class Listener:
    """Serves one address. `answer` maps a message to its acknowledgement, and is called by several
    threads; `too_long` answers what passed the limit, by its beginning; `rest` is called by a
    peer's thread when it has nothing to do for a while, and at its end."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        answer: Callable[[bytes], bytes],
        too_long: Callable[[bytes], bytes],
        rest: Callable[[], None],
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.answer, self.too_long, self.rest = answer, too_long, rest
        self.tls = tls
        self.limits = limits or Limits()
        self.stopped = threading.Event()
        self._peers: set[threading.Thread] = set()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=64)
        self._socket.settimeout(TICK)

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def serve(self) -> None:
        """Take peers until stopped; then let each finish the message it is at, and return."""
        with self._socket:
            while not self.stopped.is_set():
                try:
                    link, _ = self._socket.accept()
                except TimeoutError:
                    continue
                self._welcome(link)
        for peer in list(self._peers):
            peer.join(self.limits.frame + self.limits.answer)

    def stop(self) -> None:
        self.stopped.set()

    def _welcome(self, link: socket.socket) -> None:
        self._peers = {peer for peer in self._peers if peer.is_alive()}
        if len(self._peers) >= self.limits.peers:
            logger.warning("mllp.too_many_peers %d", len(self._peers))
            link.close()
            return
        peer = threading.Thread(target=self._serve_peer, args=(link,), daemon=True)
        self._peers.add(peer)
        peer.start()

    def _serve_peer(self, link: socket.socket) -> None:
        try:
            with self._encrypted(link) as safe:
                self._converse(safe)
        except OSError as error:  # it went away; what it was not answered it sends again
            logger.info("mllp.peer_lost %s", type(error).__name__)
        finally:
            self.rest()

    def _encrypted(self, link: socket.socket) -> socket.socket:
        """Return the link with its handshake done.

        Says so where it fails: a peer whose certificate is refused under TLS 1.3 sees no more than
        a connection that ends without a word.
        """
        link.settimeout(self.limits.handshake)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is None:
            return link
        try:
            return self.tls.wrap_socket(link, server_side=True)
        except OSError as error:
            reason = getattr(error, "reason", None) or type(error).__name__
            logger.warning("mllp.tls_refused %s", reason)
            link.close()
            raise

    def _converse(self, link: socket.socket) -> None:
        frames = Unframer()
        since = time.monotonic()
        while not self._is_over(frames, time.monotonic() - since):
            piece = self._read(link)
            if piece == b"":
                return
            if piece is None:
                continue
            was_inside = frames.is_inside
            try:
                answered = self._take(link, frames, piece)
            except FrameTooLong as error:
                logger.warning("mllp.too_long")
                self._say(link, self.too_long(error.head))
                return
            if answered or frames.is_inside != was_inside:
                since = time.monotonic()  # of the frame that began, or of the silence after one

    def _is_over(self, frames: Unframer, elapsed: float) -> bool:
        """Whether to leave a peer. A stop lets a frame that has begun come to its end."""
        if frames.is_inside:
            is_slow = elapsed > self.limits.frame
            if is_slow:
                logger.warning("mllp.slow_peer")
            return is_slow
        if elapsed > REST:
            self.rest()
        return self.stopped.is_set() or elapsed > self.limits.idle

    def _read(self, link: socket.socket) -> bytes | None:
        """Return what came, nothing at the end, None while nothing comes."""
        link.settimeout(TICK)
        try:
            return link.recv(PIECE)
        except TimeoutError:
            return None

    def _take(self, link: socket.socket, frames: Unframer, piece: bytes) -> int:
        """Answer the messages that a piece completes, and return how many. Raises FrameTooLong."""
        whole = frames.feed(piece)
        for message in whole:
            self._say(link, self.answer(message))
        return len(whole)

    def _say(self, link: socket.socket, message: bytes) -> None:
        link.settimeout(self.limits.answer)
        link.sendall(framed(message))
