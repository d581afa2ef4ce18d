"""What becomes of a request, told by servers that answer well, badly, slowly, too much or never."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from emr import wire
from emr.failures import (
    BeingEdited,
    Clash,
    EMRError,
    NotFound,
    Refused,
    TryLater,
    Unauthorized,
    Unsure,
)
from emr.transport import Reply, TokenSource, Transport
from tests.config.certificates import certificate
from tests.config.tls_servers import NEW, context_of
from tests.emr.raw_server import Act, RawServer, drips, raw_server, resets, says, sends

PATIENT = b'{"resourceType": "Patient", "id": "7"}'
OUTCOME = json.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "processing",
                "diagnostics": "Ada Lovelace is not on file",
                "details": {"coding": [{"code": "4101"}], "text": "Ada Lovelace"},
            }
        ],
    }
).encode()
HTML = b"<html><body>Bad gateway for Ada Lovelace</body></html>"


@contextmanager
def asking(
    *acts: Act, timeout: float = 2, tokens: TokenSource | None = None
) -> Iterator[tuple[Transport, RawServer]]:
    with raw_server(*acts) as server:
        transport = Transport(server.base_url, timeout=timeout, tokens=tokens)
        yield transport, server
        transport.close()


def failure(act: Act, method: str = "GET", *, timeout: float = 2, **asked: Any) -> EMRError:
    """Return how a request fails that is answered so; fails itself where it does not."""
    with asking(act, timeout=timeout) as (transport, _server):
        with pytest.raises(EMRError) as caught:
            transport.request(method, "Appointment", **asked)
        return caught.value


def test_a_success_has_a_body_a_bare_version_and_a_location() -> None:
    answer = says(200, PATIENT, 'ETag: W/"12"', "Location: http://there/Patient/7/_history/12")
    with asking(sends(answer)) as (transport, server):
        reply = transport.request("GET", "Patient/7", params={"_format": "json"})

    assert (reply.status, reply.body["id"], reply.etag) == (200, "7", "12")
    assert reply.location.endswith("/_history/12")
    assert reply.headers["etag"] == 'W/"12"'
    assert server.asked[0].startswith(b"GET /r4/Patient/7?_format=json HTTP/1.1\r\n")


def test_what_is_sent_is_fhir_json_and_a_patch_may_say_that_it_is_another() -> None:
    with asking(sends(says(200, PATIENT))) as (transport, server):
        transport.request("POST", "Patient", json={"name": "Núñez"}, headers={"If-None-Exist": "a"})
        transport.request(
            "PATCH", "Patient/7", json=[{"op": "test"}],
            headers={"Content-Type": "application/json-patch+json", "If-Match": 'W/"1"'},
        )  # fmt: skip

    made, patched = server.asked
    assert b"Content-Type: application/fhir+json\r\n" in made
    assert b"If-None-Exist: a\r\n" in made
    assert made.endswith('{"name": "Núñez"}'.encode())
    assert b"Content-Type: application/json-patch+json\r\n" in patched
    assert patched.endswith(b'[{"op": "test"}]')


def test_requests_after_each_other_go_over_one_connection() -> None:
    with asking(sends(says(200, PATIENT))) as (transport, server):
        for _ in range(5):
            transport.request("GET", "Patient/7")
    assert server.connections == 1


@pytest.mark.parametrize("kind", ["text/html", "application/fhir+json"])
@pytest.mark.parametrize(("method", "status"), [("POST", 201), ("PATCH", 200), ("DELETE", 204)])
def test_an_empty_answer_to_a_write_is_a_success_of_whatever_kind_it_says_it_is(
    method: str, status: int, kind: str
) -> None:
    answer = says(status, b"", "Location: /r4/Appointment/9", 'ETag: W/"1"', kind=kind)
    with asking(sends(answer)) as (transport, _server):
        reply = transport.request(method, "Appointment", json={})
    assert (reply.body, reply.etag, reply.location) == ({}, "1", "/r4/Appointment/9")


def test_an_empty_answer_to_a_search_does_not_say_that_nothing_is_there() -> None:
    assert isinstance(failure(sends(says(200))), TryLater)
    assert isinstance(failure(sends(says(200)), "POST", is_safe=True), TryLater)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Unauthorized),
        (403, Refused),
        (404, NotFound),
        (405, Refused),
        (406, Refused),
        (409, Clash),
        (410, NotFound),
        (412, Clash),
        (415, Refused),
        (422, Refused),
        (423, BeingEdited),
        (424, Clash),
        (425, TryLater),
        (429, TryLater),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_no_is_of_the_kind_that_says_what_to_do_next(
    status: int, kind: type[EMRError], method: str
) -> None:
    found = failure(sends(says(status, OUTCOME)), method)
    assert type(found) is kind
    assert found.codes == (str(status), "processing", "4101")


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_that_broke_may_have_made_what_it_was_asked_to_make(status: int) -> None:
    answer = sends(says(status, HTML, kind="text/html"))
    assert type(failure(answer, "POST")) is Unsure
    assert [type(failure(answer, method)) for method in ("GET", "PUT", "PATCH")] == [TryLater] * 3
    assert type(failure(answer, "POST", is_safe=True)) is TryLater


def test_an_empty_406_is_a_refusal() -> None:
    assert failure(sends(says(406)), "POST").codes == ("406",)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("7", timedelta(seconds=7)),
        ("0", timedelta()),
        ("999999", timedelta(hours=1)),
        ("soon", None),
        ("-5", None),
        ("Fri, 31 Feb 2026 10:00:00 GMT", None),
    ],
)
def test_too_many_requests_may_say_for_how_long(said: str, wait: timedelta | None) -> None:
    found = failure(sends(says(429, b"", f"Retry-After: {said}")), "POST")
    assert isinstance(found, TryLater)
    assert found.after == wait


def test_too_many_requests_may_say_until_when() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    found = failure(sends(says(429, b"", f"Retry-After: {until}")))
    assert isinstance(found, TryLater)
    assert found.after
    assert timedelta(seconds=35) < found.after <= timedelta(seconds=40)

    past = format_datetime(datetime.now(UTC) - timedelta(days=3), usegmt=True)
    found = failure(sends(says(503, b"", f"Retry-After: {past}")))
    assert isinstance(found, TryLater)
    assert found.after == timedelta()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says(200, HTML, kind="text/html"), id="html"),
        pytest.param(says(201, PATIENT[:20]), id="half, and said to be whole"),
        pytest.param(says(201, PATIENT + b" " * 40)[:-50], id="half of what it said"),
        pytest.param(says(200, b"[1, 2]"), id="a list"),
        pytest.param(says(200, b"\xff\xfe\x00"), id="no text"),
        pytest.param(says(200, b"[" * 100_000), id="too deep"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Len", id="half a head"),
        pytest.param(b"SMTP ready\r\n\r\n", id="another protocol"),
    ],
)
def test_an_answer_that_is_damaged_leaves_a_create_unsure_and_all_else_for_later(
    answer: bytes,
) -> None:
    def answer_and_go(talk: socket.socket) -> None:
        talk.sendall(answer)
        talk.shutdown(socket.SHUT_RDWR)

    assert type(failure(answer_and_go, "POST")) is Unsure
    assert type(failure(answer_and_go, "GET")) is TryLater
    assert type(failure(answer_and_go, "PATCH")) is TryLater


def test_a_reset_after_the_words_left_leaves_a_create_unsure() -> None:
    assert type(failure(resets, "POST")) is Unsure
    assert type(failure(resets, "GET")) is TryLater


def test_where_nobody_listens_nothing_was_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    transport = Transport(f"http://127.0.0.1:{port}", timeout=2)
    with pytest.raises(TryLater):
        transport.request("POST", "Appointment", json={})


def test_a_server_that_does_not_speak_tls_was_told_nothing() -> None:
    with raw_server(resets) as server:
        transport = Transport(f"https://127.0.0.1:{server.port}", timeout=2)
        with pytest.raises(TryLater):
            transport.request("POST", "Appointment", json={"name": "Ada"})
        assert not any(b"Ada" in asked for asked in server.asked)


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """What a server speaks TLS with whose authority this machine trusts."""
    own = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(own.authority))
    wire.trusting.cache_clear()
    yield context_of(own, NEW)
    wire.trusting.cache_clear()


def over_tls(context: ssl.SSLContext, *acts: Act, timeout: float = 2) -> Reply:
    with raw_server(*acts, context=context) as server:
        return Transport(server.base_url, timeout=timeout).request("POST", "Patient", json={})


def test_over_tls_all_is_as_without(at_home: ssl.SSLContext) -> None:
    assert over_tls(at_home, sends(says(201, PATIENT))).body["id"] == "7"
    for act in (resets, lambda _talk: time.sleep(3), drips(says(201, PATIENT * 9), every=0.1)):
        with pytest.raises(Unsure):
            over_tls(at_home, act, timeout=0.5)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_server_that_nobody_vouches_for_or_by_another_name_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_home: ssl.SSLContext, name: str
) -> None:
    other = certificate(tmp_path / "other", name)
    if name == "localhost":  # vouched for, but it is another's
        monkeypatch.setenv("SSL_CERT_FILE", str(other.authority))
        wire.trusting.cache_clear()
    with pytest.raises(TryLater):
        over_tls(context_of(other, NEW), sends(says(201, PATIENT)))


def test_a_server_that_hangs_is_left_when_the_time_is_over() -> None:
    began = time.monotonic()
    assert type(failure(lambda _talk: time.sleep(30), "POST", timeout=0.3)) is Unsure
    assert type(failure(lambda _talk: time.sleep(30), "GET", timeout=0.3)) is TryLater
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("length", [len(says(200)), 5])
def test_a_slow_drip_is_left_when_the_whole_takes_too_long(length: int) -> None:
    """Each byte comes soon enough; all of them would take minutes."""
    answer = says(200, PATIENT * 100)
    act = drips(answer[-length:] if length < 10 else answer, every=0.1)
    began = time.monotonic()
    assert type(failure(act, "GET", timeout=0.5)) is TryLater
    assert type(failure(act, "POST", timeout=0.5)) is Unsure
    assert time.monotonic() - began < 10


def test_a_drip_of_the_body_alone_is_left_too() -> None:
    whole = says(200, PATIENT * 100)
    head, body = whole[: -len(PATIENT) * 100], whole[-len(PATIENT) * 100 :]

    def act(talk: socket.socket) -> None:
        talk.sendall(head)
        drips(body, every=0.1)(talk)

    assert type(failure(act, "GET", timeout=0.5)) is TryLater


@pytest.mark.parametrize("is_chunked", [False, True])
def test_ten_megabytes_are_not_read(is_chunked: bool) -> None:
    sent = 0

    def flood(talk: socket.socket) -> None:
        nonlocal sent
        sent = 0
        length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {10 * 2**20}"
        talk.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
        for _ in range(160):
            piece = b" " * 2**16
            talk.sendall(b"10000\r\n" + piece + b"\r\n" if is_chunked else piece)
            sent += len(piece)

    assert failure(flood, "GET").codes == ("too-long",)
    assert sent < 10 * 2**20
    assert isinstance(failure(flood, "GET"), Refused)
    assert isinstance(failure(flood, "POST"), Unsure)


def test_a_redirect_within_the_server_is_followed_by_a_reader() -> None:
    there = sends(says(302, b"", "Location: /r4/Patient/7"))
    with asking(there, sends(says(200, PATIENT))) as (transport, server):
        assert transport.request("GET", "Patient/old", params={"a": "b"}).body["id"] == "7"
    assert server.asked[1].startswith(b"GET /r4/Patient/7 HTTP/1.1\r\n")


def test_a_redirect_to_another_host_is_refused_and_tells_it_nothing() -> None:
    with raw_server(sends(says(200, PATIENT))) as other:
        for place in (other.base_url, "https://elsewhere.example/", "//elsewhere.example/r4"):
            found = failure(sends(says(307, b"", f"Location: {place}")), headers={"X-Secret": "s"})
            assert type(found) is Refused
        assert other.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_never_redirected(method: str) -> None:
    with asking(sends(says(307, b"", "Location: /r4/Patient"))) as (transport, server):
        with pytest.raises(Refused):
            transport.request(method, "Patient", json={})
        assert len(server.asked) == 1


def test_a_circle_of_redirects_ends() -> None:
    found = failure(sends(says(302, b"", "Location: /r4/Patient")))
    assert found.codes == ("redirects",)


@pytest.mark.parametrize(
    "base",
    [
        "http://emr.example/r4",
        "ftp://127.0.0.1/r4",
        "https://user:password@emr.example/r4",
        "https:///r4",
        "//emr.example",
        "file:///etc/passwd",
        "https://emr.example\\@127.0.0.1/",
        "",
    ],
)
def test_no_base_address_but_one_with_tls_or_on_this_machine(base: str) -> None:
    with pytest.raises(Refused):
        Transport(base, timeout=1)


@pytest.mark.parametrize(
    "path",
    [
        "http://127.0.0.1:1/r4/Patient",
        "https://127.0.0.1/r4/Patient",
        "http://localhost/r4/Patient",
        "https://elsewhere.example/Patient",
        "HTTPS://elsewhere.example/Patient",
    ],
)
def test_an_address_of_another_origin_is_not_asked(path: str) -> None:
    with asking(sends(says(200, PATIENT))) as (transport, server):
        with pytest.raises(Refused):
            transport.request("GET", path)
        assert server.asked == []


def test_a_path_with_two_slashes_stays_with_the_server() -> None:
    with asking(sends(says(200, PATIENT))) as (transport, server):
        transport.request("GET", "//elsewhere.example/Patient")
    assert server.asked[0].startswith(b"GET /r4/elsewhere.example/Patient ")


def test_the_next_page_and_an_allowed_origin_may_be_asked() -> None:
    with (
        raw_server(sends(says(200, PATIENT))) as other,
        raw_server(sends(says(200, PATIENT))) as server,
    ):
        transport = Transport(server.base_url, timeout=2, allowed=[other.base_url])
        transport.request("GET", f"{server.base_url}?page=2")
        transport.request("GET", f"{other.base_url}/Slot")
        assert (len(server.asked), len(other.asked)) == (1, 1)


def test_cookies_are_not_kept_and_the_environment_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with asking(sends(says(200, PATIENT, "Set-Cookie: a=b; Path=/"))) as (transport, server):
        transport.request("GET", "Patient/7")
        transport.request("GET", "Patient/7")
    assert b"cookie" not in server.asked[1].lower()


class Tokens:
    """Hands one header out after the other; a new one only for the one that is current."""

    def __init__(self) -> None:
        self.number = 1

    def header(self) -> str:
        return f"Bearer secret-{self.number}"

    def drop(self, seen: str) -> None:
        if seen == self.header():
            self.number += 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_changed_once_and_the_request_sent_again(method: str) -> None:
    refusing = sends(says(401))
    with asking(refusing, sends(says(200, PATIENT)), tokens=Tokens()) as (transport, server):
        transport.request(method, "Patient", json={})
    first, second = server.asked
    assert b"Bearer secret-1\r\n" in first
    assert b"Bearer secret-2\r\n" in second


def test_a_second_refusal_is_for_people() -> None:
    with asking(sends(says(401, OUTCOME)), tokens=Tokens()) as (transport, server):
        with pytest.raises(Unauthorized):
            transport.request("POST", "Patient", json={})
        assert len(server.asked) == 2


def test_no_log_line_and_no_failure_quotes_what_was_asked_or_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = []
    acts = [
        sends(says(200, PATIENT)),
        sends(says(422, OUTCOME)),
        sends(says(502, HTML, kind="text/html")),
        sends(says(429, OUTCOME)),
        resets,
        sends(says(302, b"", "Location: https://elsewhere.example/?name=Lovelace")),
    ]
    with caplog.at_level(logging.DEBUG), asking(*acts, tokens=Tokens()) as (transport, server):
        for _ in acts:
            try:
                reply = transport.request("GET", "Patient", params={"name": "Lovelace"})
                told.append(repr(reply) + repr(transport))
            except EMRError as error:
                assert error.__cause__ is None
                assert error.__context__ is None
                told.append(repr(error) + str(error))
        assert len(server.asked) == len(acts)
    assert len(told) == len(acts)
    written = caplog.text + "".join(told)
    for secret in ("Lovelace", "secret", "Bearer", "elsewhere", "127.0.0.1"):
        assert secret not in written
