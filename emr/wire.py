"""One HTTP exchange, whole: verified TLS, one deadline for all of it, a cap on the answer.

When it breaks off, it knows whether a word of the request had left: before that the other side
surely did nothing. It follows nowhere, remembers no cookie and asks nothing twice.
"""

from __future__ import annotations

import io
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from emr.failures import Refused, TryLater
from emr.replies import READS, broken_off
from patients.outbound import verified_context

LONGEST_ANSWER = 5 * 1024 * 1024
LONGEST_CONNECT = 5.0
CONNECTIONS = 32
BROKEN = (requests.RequestException, HTTPError, OSError, ValueError)

under_way = threading.local()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever it says; names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Wire:
    """Connections to one server, kept open between exchanges; several threads may use one.

    `timeout` is in seconds, and bounds an exchange from the first word to the last.
    """

    def __init__(self, *, timeout: float) -> None:
        self.timeout = timeout
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no .netrc leads elsewhere
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = Adapter()
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)

    def close(self) -> None:
        self.session.close()

    def exchange(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, str]] | None = None,
        data: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str],
        risk: str,
    ) -> Answer:
        """Return the answer to one request.

        Raises TryLater where no word had left; else what `emr.replies.broken_off` makes of `risk`,
        the method as failures are to take it. Raises Refused where a reader's answer is too long.
        """
        under_way.ends = time.monotonic() + self.timeout
        under_way.began = False
        limits = (min(LONGEST_CONNECT, self.timeout), self.timeout)
        failure: Exception
        try:
            with self.session.request(
                method, url, params=params, data=data, headers=dict(headers),
                timeout=limits, stream=True, allow_redirects=False,
            ) as response:  # fmt: skip
                return _read(response, risk)
        except BROKEN as error:
            code = type(error).__name__
            failure = broken_off(risk, code) if under_way.began else TryLater(code)
        raise failure  # without what it came from: a library's error quotes the address


def _read(response: requests.Response, risk: str) -> Answer:
    parts, size = [], 0
    for piece in response.iter_content(65_536):
        parts.append(piece)
        size += len(piece)
        if size > LONGEST_ANSWER:
            raise Refused("too-long") if risk in READS else broken_off(risk, "too-long")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, b"".join(parts))


def time_left() -> float:
    """Return the seconds of this thread's exchange that are left. Raises TimeoutError."""
    left = float(under_way.ends) - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class Timed(io.RawIOBase):
    """What a server sends, each piece waited for no longer than the exchange may still take."""

    def __init__(self, raw: Any, sock: Any) -> None:
        super().__init__()
        self.raw, self.sock = raw, sock
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Fill a buffer. Raises TimeoutError."""
        self.sock.settimeout(time_left())
        filled: int | None = self.raw.readinto(buffer)
        self.has_ended = filled == 0
        return filled

    def close(self) -> None:
        if not self.closed:
            self.raw.close()
        super().close()


class TimedResponse(HTTPResponse):
    """Reads status line, headers and body within the exchange's time."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.timed = Timed(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self.timed)

    def begin(self) -> None:
        """Read status line and headers. Raises ConnectionError for half of them, which the
        library takes for the whole."""
        super().begin()
        if self.timed.has_ended:
            raise ConnectionError


class Plain(HTTPConnection):
    """Notes the first word that leaves, once the connection stands."""

    response_class = TimedResponse

    def send(self, data: Any) -> None:
        """Send, as ever, but no longer than the exchange may take."""
        if self.sock is None:
            self.connect()
        self.sock.settimeout(time_left())
        under_way.began = True
        super().send(data)


class OverTLS(Plain, HTTPSConnection):
    """The same, over TLS: the handshake is over before a word leaves."""


class PlainPool(HTTPConnectionPool):
    ConnectionCls = Plain


class PoolOverTLS(HTTPSConnectionPool):
    ConnectionCls = OverTLS


@cache
def trusting() -> ssl.SSLContext:
    """Return the process's one context: reading the machine's authorities takes tens of ms."""
    return verified_context()


class Adapter(HTTPAdapter):
    """The house's TLS context and nothing beside it; no tries but the first."""

    def __init__(self) -> None:
        self.context = trusting()
        super().__init__(pool_maxsize=CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections that note what left."""
        super().init_poolmanager(*args, ssl_context=self.context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": PoolOverTLS}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave it to the context, which trusts the system's authorities and no bundle."""
        conn.cert_reqs = "CERT_REQUIRED"
