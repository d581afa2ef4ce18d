"""One line to a listener that may be gone, slow, rude or wary."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from emr.failures import TryLater, Unauthorized, Unsure
from emr.hl7v2.framing import framed
from emr.mllp.client import Line
from emr.mllp.tls import client_context, server_context
from tests.config.certificates import Certificate, certificate
from tests.emr.mllp.line_peers import (
    answers_then_closes,
    closes,
    is_silent,
    line_peer,
    resets,
    says,
    writes,
)

MESSAGE = b"MSH|^~\\&|DAYSHEET||EPIC||20261123||SIU^S12|4711|P|2.3\r"
ACK = b"MSH|^~\\&|EPIC||DAYSHEET||20261123||ACK|1|P|2.3\rMSA|AA|4711\r"


@contextmanager
def line(port: int, *, timeout: float = 1.0, tls: ssl.SSLContext | None = None) -> Iterator[Line]:
    made = Line("127.0.0.1", port, timeout=timeout, tls=tls)
    try:
        yield made
    finally:
        made.close()


class TestAnExchange:
    def test_brings_the_answer_back(self) -> None:
        with line_peer() as peer, line(peer.port) as ours:
            assert b"MSA|AA|4711" in ours.exchange(MESSAGE)
            assert peer.heard == [MESSAGE.decode()]

    def test_keeps_the_connection_for_the_next(self) -> None:
        with line_peer() as peer, line(peer.port) as ours:
            for _ in range(3):
                ours.exchange(MESSAGE)
            assert peer.connections == 1

    def test_understands_an_answer_in_pieces(self) -> None:
        whole = framed(ACK)
        pieces = [whole[at : at + 9] for at in range(0, len(whole), 9)]
        with line_peer(writes(*pieces)) as peer, line(peer.port) as ours:
            assert ours.exchange(MESSAGE) == ACK

    def test_connects_again_where_the_other_side_closed_in_between(self) -> None:
        with line_peer(answers_then_closes) as peer, line(peer.port) as ours:
            ours.exchange(MESSAGE)
            _until_quiet(ours)
            assert b"MSA|AA|4711" in ours.exchange(MESSAGE)
            assert peer.connections == 2

    def test_takes_no_late_answer_for_that_of_the_next_message(self) -> None:
        with line_peer(says("AE", slowly=0.5)) as peer, line(peer.port, timeout=0.2) as ours:
            with pytest.raises(Unsure):
                ours.exchange(MESSAGE)
            assert b"MSA|AA|4711" in ours.exchange(MESSAGE)
            assert peer.connections == 2

    def test_of_several_threads_is_one_after_the_other(self) -> None:
        with line_peer() as peer, line(peer.port, timeout=5) as ours:
            answers: list[bytes] = []
            threads = [
                threading.Thread(target=lambda: answers.append(ours.exchange(MESSAGE)))
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [b"MSA|AA" in answer for answer in answers] == [True] * 8
            assert peer.connections == 1


class TestWhatBecameOfIt:
    def test_is_nothing_where_nobody_listens(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            with line(unused.getsockname()[1]) as ours, pytest.raises(TryLater):
                ours.exchange(MESSAGE)

    @pytest.mark.parametrize(
        "reaction", [is_silent, closes, resets, writes(b"\x0bMSH|half"), writes(b"hello")]
    )
    def test_is_unsure_once_a_byte_had_left(self, reaction: Any) -> None:
        with line_peer(reaction) as peer, line(peer.port, timeout=0.3) as ours:
            with pytest.raises(Unsure) as unsure:
                ours.exchange(MESSAGE)
            assert "no-ack" in unsure.value.codes[0] or "closed" in unsure.value.codes[0]
            assert b"AA" in ours.exchange(MESSAGE)

    def test_is_known_within_the_time_that_was_given(self) -> None:
        drip = writes(*[b"\x0b", *[b"x"] * 200])
        with line_peer(drip) as peer, line(peer.port, timeout=0.5) as ours:
            began = monotonic()
            with pytest.raises(Unsure):
                ours.exchange(MESSAGE)
            assert monotonic() - began < 3

    def test_is_unsure_where_the_answer_never_ends(self) -> None:
        flood = writes(b"\x0b", *[b"x" * 60_000] * 3)
        with (
            line_peer(flood) as peer,
            line(peer.port, timeout=5) as ours,
            pytest.raises(Unsure, match="FrameTooLong"),
        ):
            ours.exchange(MESSAGE)

    def test_is_told_without_a_word_of_the_message(self) -> None:
        with line_peer(closes) as peer, line(peer.port) as ours:
            with pytest.raises(Unsure) as unsure:
                ours.exchange(b"MSH|^~\\&|O'Neil")
            assert "Neil" not in repr(unsure.value)
            assert unsure.value.__cause__ is None


class TestTLS:
    @pytest.fixture
    def theirs(self, tmp_path: Path) -> Certificate:
        return certificate(tmp_path / "theirs", "127.0.0.1")

    @pytest.fixture
    def ours(self, tmp_path: Path) -> Certificate:
        return certificate(tmp_path / "ours", "daysheet")

    @pytest.fixture
    def shown(self, settings: Any, theirs: Certificate, ours: Certificate) -> None:
        settings.HL7_CA_FILE = str(theirs.authority)
        settings.HL7_CLIENT_CERT, settings.HL7_CLIENT_KEY = str(ours.chain), str(ours.key)

    def test_is_spoken_to_whom_we_trust(self, settings: Any, theirs: Certificate) -> None:
        settings.HL7_CA_FILE = str(theirs.authority)
        with line_peer(tls=_wary(theirs)) as peer, line(peer.port, tls=client_context()) as line_:
            assert b"AA" in line_.exchange(MESSAGE)
            assert b"AA" in line_.exchange(MESSAGE)
            assert peer.connections == 1

    def test_ends_before_a_word_where_we_do_not(self, theirs: Certificate) -> None:
        with line_peer(tls=_wary(theirs)) as peer, line(peer.port, tls=client_context()) as line_:
            with pytest.raises(TryLater, match="tls-their-certificate"):
                line_.exchange(MESSAGE)
            assert peer.heard == []

    def test_ends_where_the_certificate_is_of_another_host(
        self, settings: Any, tmp_path: Path
    ) -> None:
        other = certificate(tmp_path / "other", "emr.example.org")
        settings.HL7_CA_FILE = str(other.authority)
        with (
            line_peer(tls=_wary(other)) as peer,
            line(peer.port, tls=client_context()) as line_,
            pytest.raises(TryLater, match="tls-their-certificate"),
        ):
            line_.exchange(MESSAGE)

    @pytest.mark.usefixtures("shown")
    def test_shows_our_certificate_to_who_asks(
        self, theirs: Certificate, ours: Certificate
    ) -> None:
        tls = _wary(theirs, ours)
        with line_peer(tls=tls) as peer, line(peer.port, tls=client_context()) as line_:
            assert b"AA" in line_.exchange(MESSAGE)

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_says_that_a_certificate_is_missed(
        self, version: ssl.TLSVersion, settings: Any, theirs: Certificate, ours: Certificate
    ) -> None:
        """Under 1.3 the server judges after we spoke; its alert still says that it never heard."""
        settings.HL7_CA_FILE = str(theirs.authority)
        tls = _wary(theirs, ours)
        tls.maximum_version = version
        with line_peer(tls=tls) as peer, line(peer.port, tls=client_context()) as line_:
            with pytest.raises((Unauthorized, Unsure)) as refused:
                line_.exchange(MESSAGE)
            assert {"tls-client-certificate", "perhaps-client-certificate"} & set(
                refused.value.codes
            )
            assert peer.heard == []

    @pytest.mark.usefixtures("shown")
    def test_says_that_a_certificate_is_not_trusted(
        self, theirs: Certificate, tmp_path: Path
    ) -> None:
        tls = _wary(theirs, certificate(tmp_path / "else", "somebody"))
        with line_peer(tls=tls) as peer, line(peer.port, tls=client_context()) as line_:
            with pytest.raises((Unauthorized, Unsure)) as refused:
                line_.exchange(MESSAGE)
            assert any("client-certificate" in code for code in refused.value.codes)
            assert peer.heard == []

    def test_is_not_spoken_to_who_speaks_plainly(self, settings: Any) -> None:
        with (
            line_peer(closes) as peer,
            line(peer.port, tls=client_context()) as line_,
            pytest.raises(TryLater),
        ):
            line_.exchange(MESSAGE)


def _wary(server: Certificate, clients: Certificate | None = None) -> ssl.SSLContext:
    return server_context(
        certificate=str(server.chain),
        key=str(server.key),
        client_authorities=str(clients.authority) if clients else None,
    )


def _until_quiet(ours: Line) -> None:
    """Wait until the other side's closing has reached us."""
    link = ours._socket
    assert link is not None
    link.settimeout(5)
    assert link.recv(1, socket.MSG_PEEK) == b""
