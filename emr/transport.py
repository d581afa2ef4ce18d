"""Speaks HTTP to one record system: its own addresses only, within a total time, bounded answers.

Says what became of a request by the kinds of `emr.failures`, and quotes neither an address nor a
header nor a body in them. What is asked, and what an answer means, is for drivers to know.
"""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from emr.addresses import Origin, origin_of
from emr.failures import EMRError, Refused, Unauthorized
from emr.fhir import operation_outcome
from emr.replies import bare_version, failure_of, parsed
from emr.wire import Answer, Wire

FHIR = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
MOST_REDIRECTS = 3
OAUTH_ERRORS = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class TokenSource(Protocol):
    """Where the Authorization header comes from; "" where there is none."""

    def header(self) -> str: ...

    def drop(self, seen: str) -> None:
        """Forget the header that was refused, unless another has come in its place."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A success. Names of `headers` are in lower case; `body` is empty where there was none;
    `etag` is the bare version."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)
    etag: str = ""
    location: str = field(default="", repr=False)


class Transport:
    """Asks one server; several threads may use one. `timeout` seconds bound a whole exchange.

    `allowed` are further addresses whose origins may be asked. Raises Refused for a base address
    that is neither https nor on this machine.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float,
        tokens: TokenSource | None = None,
        allowed: Sequence[str] = (),
    ) -> None:
        self.base = base_url.rstrip("/") + "/"
        self.origins = {origin_of(url) for url in (self.base, *allowed)} - {None}
        if origin_of(self.base) is None:
            raise Refused("address")
        self.tokens = tokens
        self.wire = Wire(timeout=timeout)

    def close(self) -> None:
        self.wire.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = FHIR,
        is_safe: bool | None = None,
    ) -> Reply:
        """Ask, and return the answer of a success.

        `path` is relative to the base, or an address of an allowed origin. `is_safe` says of a
        POST that asking it twice does no more than once, such as a search. Raises the kinds of
        EMRError, and nothing else for what the other side did.
        """
        url = self._address(path)
        data, kind = _encoded(json, form)
        sent = {"Accept": accept} | ({"Content-Type": kind} if kind else {}) | dict(headers or {})
        asked = _Asked(method, "GET" if is_safe else method, params, data, sent)
        token = self.tokens.header() if self.tokens else ""
        try:
            return self._ask(url, asked, token)
        except Unauthorized:
            if not token or self.tokens is None:
                raise
            self.tokens.drop(token)
        return self._ask(url, asked, self.tokens.header())

    def _ask(self, url: str, asked: _Asked, token: str) -> Reply:
        """Ask once, and follow a reader's redirects within the origins."""
        sent = asked.headers | ({"Authorization": token} if token else {})
        for _hop in range(MOST_REDIRECTS + 1):
            answer = self.wire.exchange(
                asked.method, url, params=asked.params, data=asked.data, headers=sent,
                risk=asked.risk,
            )  # fmt: skip
            if answer.status not in REDIRECTS:
                return _reply(asked, answer)
            url = self._next(asked, url, answer)
            asked = asked.without_params()
        raise Refused("redirects")

    def _next(self, asked: _Asked, url: str, answer: Answer) -> str:
        if asked.method != "GET":
            raise Refused("redirect")
        return self._address(urljoin(url, answer.headers.get("location", "")))

    def _address(self, path: str) -> str:
        """Return where a path leads. Raises Refused where that is nobody we may ask."""
        url = path if urlsplit(path).scheme in {"http", "https"} else self.base + path.lstrip("/")
        origin: Origin | None = origin_of(url)
        if origin is None or origin not in self.origins:
            raise Refused("foreign-address")
        return url


@dataclass(frozen=True, slots=True)
class _Asked:
    """`risk` is the method as failures are to take it."""

    method: str
    risk: str
    params: Mapping[str, Any] | Sequence[tuple[str, str]] | None = field(repr=False)
    data: bytes | Mapping[str, str] | None = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    def without_params(self) -> _Asked:
        return _Asked(self.method, self.risk, None, self.data, self.headers)


def _encoded(
    json: Any, form: Mapping[str, str] | None
) -> tuple[bytes | Mapping[str, str] | None, str]:
    if form is not None:
        return form, FORM
    if json is None:
        return None, ""
    return json_text.dumps(json, ensure_ascii=False, allow_nan=False).encode(), FHIR


def _reply(asked: _Asked, answer: Answer) -> Reply:
    failure = _failure(asked, answer)
    if failure is not None:
        raise failure
    return Reply(
        status=answer.status,
        headers=answer.headers,
        body=parsed(answer.body) or {},
        etag=bare_version(answer.headers.get("etag", "")),
        location=answer.headers.get("location", ""),
    )


def _failure(asked: _Asked, answer: Answer) -> EMRError | None:
    body = None if answer.status < 300 else parsed(answer.body)
    return failure_of(
        asked.risk,
        answer.status,
        answer.headers,
        answer.body,
        answer.headers.get("content-type", ""),
        now=datetime.now(UTC),
        codes=_codes(body) if body else (),
    )


def _codes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the codes of an OperationOutcome, or the one of a token endpoint (RFC 6749 5.2)."""
    said = body.get("error")
    named = (said,) if isinstance(said, str) and said in OAUTH_ERRORS else ()
    return (*named, *operation_outcome.codes(body))
