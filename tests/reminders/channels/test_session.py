"""What is known of a message when a talk breaks off: nothing left, or nobody can say."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from reminders.channels.base import Refused, TryLater, Unsure
from reminders.channels.session import Session, refusal, waiting_time
from tests.config.certificates import Certificate
from tests.config.tls_servers import NEW, OLD, context_of, listening
from tests.reminders.vendors.loopback import (
    Answer,
    Asked,
    Fault,
    Vendor,
    broken,
    cut,
    moved,
    reset,
    silent,
)


class Taking(Vendor):
    """Takes whatever it is handed."""

    def respond(self, asked: Asked) -> Answer:
        self.keep("1", to=asked.path, body=asked.body.decode())
        return Answer(201, b"taken")


@pytest.fixture(autouse=True)
def _impatient(settings: Any) -> None:
    settings.VENDOR_TIMEOUT_SECONDS = 1


@pytest.fixture
def vendor() -> Iterator[Taking]:
    with Taking() as server:
        yield server


def test_an_answer_is_handed_on(vendor: Taking) -> None:
    answer = Session().post(vendor.url + "/a", data=b"words")
    assert (answer.status_code, answer.content) == (201, b"taken")
    assert vendor.counts() == {("/a", "words"): 1}


def test_a_connection_is_used_again(vendor: Taking) -> None:
    session = Session()
    for _ in range(5):
        session.post(vendor.url, data=b"words")
    assert (len(vendor.asked), vendor.connections) == (5, 1)


@pytest.mark.parametrize("fault", [silent(), reset(), cut()], ids=lambda fault: str(fault.ends))
@pytest.mark.parametrize("takes", [True, False])
def test_after_the_request_left_silence_says_nothing(
    vendor: Taking, fault: Fault, *, takes: bool
) -> None:
    vendor.fail(Fault(takes=takes, ends=fault.ends))
    with pytest.raises(Unsure):
        Session().post(vendor.url, data=b"words")
    assert len(vendor.taken) == takes
    assert len(vendor.asked) == 1, "nothing is asked a second time"


def test_an_idle_connection_that_the_vendor_closed_is_not_trusted(vendor: Taking) -> None:
    session = Session()
    session.post(vendor.url, data=b"first")
    vendor.fail(reset(takes=False))
    with pytest.raises(Unsure):
        session.post(vendor.url, data=b"second")
    session.post(vendor.url, data=b"third")
    assert [one.body for one in vendor.taken] == ["first", "third"]


def test_nobody_there_means_nothing_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with pytest.raises(TryLater):
        Session().post(f"http://127.0.0.1:{port}", data=b"words")


def test_a_name_that_leads_nowhere_means_nothing_left() -> None:
    with pytest.raises(TryLater):
        Session().post("https://vendor.invalid", data=b"words")


def test_a_server_that_never_accepts_means_nothing_left() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        with pytest.raises(TryLater, match="ConnectTimeout"):
            Session().post(f"http://127.0.0.1:{address[1]}", data=b"words")
        for one in waiting:
            one.close()


def test_an_unknown_authority_means_nothing_left(own_certificate: Certificate) -> None:
    with Taking(certificate=own_certificate) as vendor:
        with pytest.raises(TryLater, match="SSLError"):
            Session().post(vendor.url, data=b"words")
        assert vendor.asked == []


def test_old_tls_means_nothing_left(own_certificate: Certificate, trusted: Path) -> None:
    def serve(link: socket.socket, context: ssl.SSLContext) -> None:
        with context.wrap_socket(link, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    with listening(serve, context_of(own_certificate, NEW)) as port:
        assert Session().post(f"https://127.0.0.1:{port}").status_code == 201
    with listening(serve, context_of(own_certificate, OLD)) as port, pytest.raises(TryLater):
        Session().post(f"https://127.0.0.1:{port}")


def test_the_machines_authorities_are_trusted(own_certificate: Certificate, trusted: Path) -> None:
    with Taking(certificate=own_certificate) as vendor:
        assert Session().post(vendor.url, data=b"words").status_code == 201


def test_another_name_than_the_certificates_means_nothing_left(
    own_certificate: Certificate, trusted: Path
) -> None:
    with Taking(certificate=own_certificate) as vendor:
        elsewhere = vendor.url.replace("127.0.0.1", "localhost")
        with pytest.raises(TryLater, match="SSLError"):
            Session().post(elsewhere, data=b"words")


def test_tls_that_breaks_after_the_request_left_says_nothing(
    own_certificate: Certificate, trusted: Path
) -> None:
    def serve(link: socket.socket, context: ssl.SSLContext) -> None:
        tls = context.wrap_socket(link, server_side=True)
        tls.recv(4096)
        plain = socket.socket(fileno=tls.detach())
        plain.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))  # a record that nobody can open
        plain.close()

    with listening(serve, context_of(own_certificate, NEW)) as port, pytest.raises(Unsure):
        Session().post(f"https://127.0.0.1:{port}", data=b"words")


def test_no_redirect_is_followed(vendor: Taking) -> None:
    with Taking() as other:
        vendor.fail(moved(other.url))
        assert Session().post(vendor.url, data=b"words").status_code == 307
        assert other.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://vendor.example/messages",
        "http://127.0.0.1.vendor.example/",
        "ftp://127.0.0.1/",
        "https://user:word@vendor.example/",
    ],
)
def test_nothing_goes_without_tls_to_another_machine(url: str) -> None:
    with pytest.raises(TryLater, match="not_private"):
        Session().post(url, data=b"words")


def test_the_environment_names_no_other_way(
    vendor: Taking, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password word\n")
    monkeypatch.setenv("NETRC", str(netrc))
    Session().post(vendor.url, data=b"words")
    assert "Authorization" not in vendor.asked[0].headers


def test_an_answer_without_end_is_given_up(vendor: Taking) -> None:
    vendor.fail(Fault(takes=True, answer=Answer(201, bytes(3 * 1024 * 1024))))
    with pytest.raises(Unsure, match="answer_too_long"):
        Session().post(vendor.url, data=b"words")


def test_an_answer_in_drops_is_given_up() -> None:
    def serve(link: socket.socket, _context: ssl.SSLContext) -> None:
        link.recv(4096)
        link.sendall(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            link.sendall(b"1\r\nx\r\n")
            link.settimeout(0.3)
            try:
                if not link.recv(1):
                    return
            except TimeoutError:
                continue

    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with listening(serve, unused) as port, pytest.raises(Unsure, match="answer_too_long"):
        Session().post(f"http://127.0.0.1:{port}", data=b"words")


def test_errors_hold_no_address_and_no_word(vendor: Taking) -> None:
    vendor.fail(reset())
    with pytest.raises(Unsure) as caught:
        Session().post(vendor.url + "/secret-path", data=b"secret words")
    assert "secret" not in repr(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (307, TryLater),
        (400, Refused),
        (401, TryLater),
        (403, TryLater),
        (413, Refused),
        (429, TryLater),
        (500, Unsure),
        (502, Unsure),
        (503, TryLater),
        (504, Unsure),
    ],
)
def test_a_status_says_whether_the_message_was_taken(status: int, kind: type[Exception]) -> None:
    assert type(refusal(status)) is kind


def test_a_broken_vendor_is_handed_on_as_it_answers(vendor: Taking) -> None:
    vendor.fail(broken(502))
    assert Session().post(vendor.url, data=b"words").status_code == 502


def test_a_vendor_may_ask_to_wait() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    assert waiting_time("7") == timedelta(seconds=7)
    assert timedelta(minutes=1) < (waiting_time(soon) or timedelta()) <= timedelta(minutes=2)
    assert waiting_time("86400") == timedelta(hours=1)
    assert waiting_time("Wed, 21 Oct 2015 07:28:00 GMT") == timedelta()
    assert [waiting_time(text) for text in (None, "", "soon", "-3", "٣", "9" * 400)] == [None] * 6
