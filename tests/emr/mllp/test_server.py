"""A listener that serves many peers, of whom some are slow, rude or not to be trusted."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from hl7.client import MLLPClient

from emr.hl7v2.framing import Unframer, framed
from emr.mllp.server import Limits, Listener
from emr.mllp.tls import server_context
from tests.config.certificates import Certificate, certificate

SOON = 5.0


class Heard(list[bytes]):
    """What a listener was told; answers with what it heard, backwards."""

    def __call__(self, message: bytes) -> bytes:
        self.append(message)
        return message[::-1]


@contextmanager
def listening(
    answer: Callable[[bytes], bytes], *, tls: ssl.SSLContext | None = None, **limits: Any
) -> Iterator[Listener]:
    listener = Listener(
        "127.0.0.1",
        0,
        answer=answer,
        too_long=lambda head: b"too long: " + head[:3],
        rest=lambda: None,
        tls=tls,
        limits=Limits(**limits),
    )
    serving = threading.Thread(target=listener.serve)
    serving.start()
    try:
        yield listener
    finally:
        listener.stop()
        serving.join(SOON)
        assert not serving.is_alive()


@contextmanager
def peer_of(listener: Listener) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=SOON) as link:
        yield link


def answers(link: socket.socket, count: int) -> list[bytes]:
    frames, found = Unframer(), list[bytes]()
    while len(found) < count and (piece := link.recv(65_536)):
        found += frames.feed(piece)
    return found


def is_closed(link: socket.socket) -> bool:
    try:
        return link.recv(1) == b""
    except ConnectionResetError:
        return True


class TestFrames:
    def test_sent_by_somebody_elses_client_are_heard(self) -> None:
        with listening(Heard()) as listener, MLLPClient("127.0.0.1", listener.port) as client:
            assert client.send_message(b"MSH|1") == framed(b"1|HSM")
            assert client.send_message(b"MSH|2") == framed(b"2|HSM")

    def test_that_come_two_in_one_are_answered_in_their_order(self) -> None:
        with listening(Heard()) as listener, peer_of(listener) as link:
            link.sendall(framed(b"one") + framed(b"two") + b"\x0bthr")
            assert answers(link, 2) == [b"eno", b"owt"]
            link.sendall(b"ee\x1c\r")
            assert answers(link, 1) == [b"eerht"]

    def test_that_come_byte_by_byte_are_heard(self) -> None:
        with listening(Heard()) as listener, peer_of(listener) as link:
            for byte in framed(b"slow"):
                link.sendall(bytes([byte]))
                sleep(0.01)
            assert answers(link, 1) == [b"wols"]

    def test_that_are_too_long_are_refused_and_ended(self) -> None:
        heard = Heard()
        with listening(heard) as listener, peer_of(listener) as link:
            threading.Thread(target=_flood, args=(link,), daemon=True).start()
            assert answers(link, 1) in ([b"too long: xxx"], [])
            assert heard == []


class TestPeers:
    def test_that_are_slow_keep_nobody_waiting(self) -> None:
        with listening(Heard()) as listener:
            slow = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(8)]
            for link in slow:
                link.sendall(b"\x0bM")
            began = monotonic()
            with peer_of(listener) as link:
                link.sendall(framed(b"quick"))
                assert answers(link, 1) == [b"kciuq"]
            assert monotonic() - began < SOON
            for link in slow:
                link.close()

    def test_that_drip_bytes_into_one_frame_are_left(self) -> None:
        with listening(Heard(), frame=0.6) as listener, peer_of(listener) as link:
            assert _drips_until_left(link, b"\x0b", b"M")

    def test_that_begin_the_same_frame_again_and_again_are_left(self) -> None:
        with listening(Heard(), frame=0.6) as listener, peer_of(listener) as link:
            assert _drips_until_left(link, b"\x0b", b"\x0b")

    def test_that_say_nothing_for_long_are_left(self) -> None:
        with listening(Heard(), idle=0.5) as listener, peer_of(listener) as link:
            assert is_closed(link)

    def test_that_send_noise_between_frames_are_left_like_silent_ones(self) -> None:
        with listening(Heard(), idle=0.6) as listener, peer_of(listener) as link:
            assert _drips_until_left(link, b"\n", b"\n")

    def test_beyond_the_most_are_turned_away_until_one_goes(self) -> None:
        with listening(Heard(), peers=1) as listener:
            with peer_of(listener) as first:
                first.sendall(framed(b"one"))
                assert answers(first, 1) == [b"eno"]
                with peer_of(listener) as second:
                    assert is_closed(second)
            assert _heard_in_the_end(listener)

    def test_that_vanish_harm_nobody(self) -> None:
        with listening(Heard()) as listener:
            for _ in range(5):
                with peer_of(listener) as link:
                    link.sendall(framed(b"gone")[:3])
            with peer_of(listener) as link:
                link.sendall(framed(b"here"))
                assert answers(link, 1) == [b"ereh"]

    def test_whose_message_fails_lose_their_connection_alone(self) -> None:
        def answer(message: bytes) -> bytes:
            if message == b"bad":
                raise ConnectionError
            return message

        with listening(answer) as listener, peer_of(listener) as good:
            with peer_of(listener) as bad:
                bad.sendall(framed(b"bad"))
                assert is_closed(bad)
            good.sendall(framed(b"good"))
            assert answers(good, 1) == [b"good"]


class TestAStop:
    def test_lets_the_message_at_hand_be_answered(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def answer(message: bytes) -> bytes:
            begun.set()
            assert go_on.wait(SOON)
            return message

        with listening(answer) as listener, peer_of(listener) as link:
            link.sendall(framed(b"last"))
            assert begun.wait(SOON)
            listener.stop()
            go_on.set()
            assert answers(link, 1) == [b"last"]
            assert is_closed(link)

    def test_lets_a_frame_that_has_begun_come_to_its_end(self) -> None:
        with listening(Heard()) as listener, peer_of(listener) as link:
            link.sendall(b"\x0bhalf")
            sleep(0.2)
            listener.stop()
            sleep(0.5)
            link.sendall(b" and half\x1c\r")
            assert answers(link, 1) == [b"flah dna flah"]

    def test_leaves_those_who_say_nothing(self) -> None:
        with listening(Heard()) as listener, peer_of(listener) as link:
            sleep(0.1)
            listener.stop()
            assert is_closed(link)


class TestTLS:
    @pytest.fixture
    def ours(self, tmp_path: Path) -> Certificate:
        return certificate(tmp_path / "ours", "127.0.0.1")

    @pytest.fixture
    def theirs(self, tmp_path: Path) -> Certificate:
        return certificate(tmp_path / "theirs", "epic")

    def test_hears_over_tls(self, ours: Certificate) -> None:
        with (
            listening(Heard(), tls=_serving(ours)) as listener,
            peer_of(listener) as plain,
            _knowing(ours).wrap_socket(plain, server_hostname="127.0.0.1") as link,
        ):
            link.sendall(framed(b"safe"))
            assert answers(link, 1) == [b"efas"]

    def test_hears_who_shows_a_certificate_of_theirs(
        self, ours: Certificate, theirs: Certificate
    ) -> None:
        knowing = _knowing(ours)
        knowing.load_cert_chain(theirs.chain, theirs.key)
        with (
            listening(Heard(), tls=_serving(ours, theirs)) as listener,
            peer_of(listener) as plain,
            knowing.wrap_socket(plain, server_hostname="127.0.0.1") as link,
        ):
            link.sendall(framed(b"known"))
            assert answers(link, 1) == [b"nwonk"]

    def test_hears_nobody_else_and_says_so(
        self, ours: Certificate, theirs: Certificate, caplog: pytest.LogCaptureFixture
    ) -> None:
        heard = Heard()
        with (
            caplog.at_level(logging.WARNING, "emr.mllp.server"),
            listening(heard, tls=_serving(ours, theirs)) as listener,
            peer_of(listener) as plain,
            pytest.raises(OSError),
            _knowing(ours).wrap_socket(plain, server_hostname="127.0.0.1") as link,
        ):
            link.sendall(framed(b"stranger"))
            if not answers(link, 1):  # under TLS 1.3 the refusal may be no more than an end
                raise ConnectionResetError
        assert heard == []
        refused = [line for line in caplog.messages if line.startswith("mllp.tls_refused")]
        assert "CERTIFICATE" in refused[0]

    def test_hears_nobody_who_speaks_plainly(
        self, ours: Certificate, caplog: pytest.LogCaptureFixture
    ) -> None:
        heard = Heard()
        with listening(heard, tls=_serving(ours)) as listener, peer_of(listener) as plain:
            plain.sendall(framed(b"plain"))
            with pytest.raises(OSError), plain:
                while plain.recv(4096):
                    pass
                raise ConnectionResetError
        assert heard == []

    def test_waits_for_no_handshake_for_ever(self, ours: Certificate) -> None:
        with (
            listening(Heard(), tls=_serving(ours), handshake=0.4) as listener,
            peer_of(listener) as mute,
        ):
            assert is_closed(mute)


def _serving(ours: Certificate, clients: Certificate | None = None) -> ssl.SSLContext:
    return server_context(
        certificate=str(ours.chain),
        key=str(ours.key),
        client_authorities=str(clients.authority) if clients else None,
    )


def _knowing(server: Certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.authority))


def _flood(link: socket.socket) -> None:
    try:
        link.sendall(b"\x0b" + b"x" * (2 * 1024 * 1024))
    except OSError:
        return


def _drips_until_left(link: socket.socket, first: bytes, then: bytes) -> bool:
    """Send a byte now and again; say whether the other side hung up before long."""
    deadline = monotonic() + SOON
    link.settimeout(0.1)
    try:
        link.sendall(first)
        while monotonic() < deadline:
            link.sendall(then)
            try:
                if link.recv(10) == b"":
                    return True
            except TimeoutError:
                continue
    except (ConnectionResetError, BrokenPipeError):
        return True
    return False


def _heard_in_the_end(listener: Listener) -> bool:
    deadline = monotonic() + SOON
    while monotonic() < deadline:
        with peer_of(listener) as link:
            try:
                link.sendall(framed(b"again"))
                if answers(link, 1) == [b"niaga"]:
                    return True
            except OSError:
                sleep(0.05)
    return False
