"""One connection to a listener, kept open: a message goes out, its acknowledgement comes back.

Knows whether a byte had left when something broke: only before that is a message surely not taken.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time

from emr.failures import EMRError, TryLater, Unauthorized, Unsure
from emr.hl7v2.framing import FrameTooLong, Unframer, framed
from emr.mllp.tls import is_turned_down

LONGEST_CONNECT = 5.0
LONGEST_ANSWER = 64 * 1024
PIECE = 65_536


class Line:
    """Several threads take turns. `timeout` seconds bound one exchange, connecting included.

    `tls` is the context of an encrypted connection; None speaks plainly.
    """

    def __init__(self, host: str, port: int, *, timeout: float, tls: ssl.SSLContext | None) -> None:
        self.address = host, port
        self.timeout = timeout
        self.tls = tls
        self._socket: socket.socket | None = None
        self._turn = threading.Lock()

    def exchange(self, message: bytes) -> bytes:
        """Send one message and return the answer to it.

        Raises TryLater where nothing had left, Unsure where the message did and no answer came,
        Unauthorized where the other side does not take our certificate.
        """
        with self._turn:
            return self._exchange(message, time.monotonic() + self.timeout)

    def _exchange(self, message: bytes, ends: float) -> bytes:
        if self._socket is not None and not _is_quiet(self._socket):
            self.close()
        is_new = self._socket is None
        link = self._socket or self._connect(ends)
        self._socket = link
        try:
            link.settimeout(_left(ends))
            link.sendall(framed(message))
            return _answer(link, ends)
        except (OSError, FrameTooLong, ValueError) as error:
            self.close()
            failure = _broken(error, may_be_certificate=is_new and self.tls is not None)
        except BaseException:
            self.close()
            raise
        raise failure

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self, ends: float) -> socket.socket:
        try:
            limit = min(LONGEST_CONNECT, _left(ends))
            plain = socket.create_connection(self.address, timeout=limit)
        except OSError as error:
            raise TryLater(_name(error)) from None
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is None:
            return plain
        try:
            return self.tls.wrap_socket(plain, server_hostname=self.address[0])
        except (OSError, ValueError) as error:
            plain.close()
            failure = _unencrypted(error)
        raise failure


class Closed(OSError):
    """The other side closed the connection without an answer."""


ENDED = (Closed, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


def _answer(link: socket.socket, ends: float) -> bytes:
    frames = Unframer(longest=LONGEST_ANSWER)
    while True:
        link.settimeout(_left(ends))
        piece = link.recv(PIECE)
        if not piece:
            raise Closed
        if found := frames.feed(piece):
            return found[0]


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _is_quiet(link: socket.socket) -> bool:
    """Whether a connection stands and says nothing: what is said late answers another message."""
    try:
        readable, _, _ = select.select([link], [], [], 0)
    except (OSError, ValueError):
        return False
    return not readable


def _broken(error: Exception, *, may_be_certificate: bool) -> EMRError:
    """Say what became of a message of which a byte may have left.

    Under TLS 1.3 a server judges our certificate after we have begun to speak. Its alert says that
    it never listened; an end without an alert says nothing, and is named as what it may be.
    """
    if isinstance(error, OSError) and is_turned_down(error):
        return Unauthorized("tls-client-certificate")
    if isinstance(error, ENDED) and may_be_certificate:
        return Unsure("closed-without-ack", "perhaps-client-certificate")
    return Unsure("no-ack", _name(error))


def _unencrypted(error: Exception) -> EMRError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TryLater("tls-their-certificate")
    if isinstance(error, OSError) and is_turned_down(error):
        return Unauthorized("tls-client-certificate")
    return TryLater("tls", _name(error))


def _name(error: Exception) -> str:
    return type(error).__name__
