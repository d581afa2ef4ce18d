"""One HTTP client for all vendors: verified TLS, time limits, no redirects, bounded answers.

When a talk breaks off, it knows whether a word of the request had left: before that the vendor
surely has nothing, after that nobody can say. It asks nothing a second time by itself.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from patients.outbound import verified_context
from reminders.channels.addresses import parted
from reminders.channels.base import ChannelError, Refused, TryLater, Unsure

LONGEST_ANSWER = 2 * 1024 * 1024
CONNECTIONS = 64
LONGEST_CONNECT = 5  # seconds, for each address that a name has
LONGEST_WAIT = timedelta(hours=1)

# What an answer means of a message that was asked to be taken. The vendor has it at 2xx only; what
# is wrong with our account or its address may be put right, and the message sent then.
LATER = frozenset({401, 403, 404, 408, 425, 429, 503})

talk = threading.local()


class Noting(HTTPConnection):
    """Notes the first word that leaves, once the connection stands."""

    def send(self, data: Any) -> None:
        """Send, as ever."""
        if self.sock is None:
            self.connect()
        talk.began = True
        super().send(data)


class NotingTLS(Noting, HTTPSConnection):
    """The same, over TLS: the handshake is over before a word leaves."""


class Pool(HTTPConnectionPool):
    ConnectionCls = Noting


class PoolTLS(HTTPSConnectionPool):
    ConnectionCls = NotingTLS


class Adapter(HTTPAdapter):
    """Our own TLS context and nothing beside it; no tries but the first."""

    def __init__(self) -> None:
        self.context = verified_context()
        super().__init__(pool_maxsize=CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections that note what left."""
        super().init_poolmanager(*args, ssl_context=self.context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": PoolTLS}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave it to the context, which trusts the system's authorities and no bundle."""
        conn.cert_reqs = "CERT_REQUIRED"


class Session(requests.Session):
    """Speaks to vendors; several threads may use one. The environment (proxies, a .netrc) leads it
    nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.timeout: float = settings.VENDOR_TIMEOUT_SECONDS
        adapter = Adapter()
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Return the vendor's answer, whatever it says.

        Raises TryLater where no word left, and Unsure where one did and no whole answer came.
        """
        if parted(request.url or "") is None:
            raise TryLater("not_private")
        limits = (min(self.timeout, LONGEST_CONNECT), self.timeout)
        kwargs |= {"stream": True, "allow_redirects": False, "timeout": limits}
        talk.began = False
        try:
            return self._read(super().send(request, **kwargs))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            kind = Unsure if talk.began else TryLater
            raise kind(type(error).__name__[:24]) from None

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that an answer leads nowhere: ours never go to another place than the settings'."""

    def _read(self, response: requests.Response) -> requests.Response:
        """Read an answer to its end, but not for ever and not without end."""
        ends = time.monotonic() + self.timeout
        parts, size = [], 0
        for part in response.iter_content(65_536):
            parts.append(part)
            size += len(part)
            if size > LONGEST_ANSWER or time.monotonic() > ends:
                response.close()
                raise Unsure("answer_too_long")
        response._content = b"".join(parts)  # as requests itself does
        return response


def refusal(status: int, *, code: str = "", retry_after: str | None = None) -> ChannelError:
    """Return what an answer other than 2xx says of the message; 503 and 429 were not taken.

    After 500, 502 and 504 it may have been: the vendor broke while it had the request.
    """
    code = code or str(status)
    if status in LATER or 300 <= status < 400:
        return TryLater(code, after=waiting_time(retry_after))
    if 400 <= status < 500:
        return Refused(code)
    return Unsure(code)


def waiting_time(header: str | None) -> timedelta | None:
    """Return what a Retry-After header asks for, seconds or a date; an hour at the most."""
    if not header:
        return None
    if header.isascii() and header.isdigit() and len(header) < 9:
        return min(timedelta(seconds=int(header)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return min(max(until - datetime.now(UTC), timedelta()), LONGEST_WAIT)
