"""The listener as a clinic runs it: a process of its own, killed and cut off where it hurts."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from hl7.client import MLLPClient

from emr.hl7v2.acks import Ack, read_ack
from emr.hl7v2.framing import Unframer, framed
from emr.hl7v2.messages import siu
from emr.kinds import Vendor
from emr.models import EMRConnection, InboundMessage
from emr.visits import Step
from providers.models import Clinic
from tests.config.certificates import certificate
from tests.emr.hl7v2.visits import NOW, visit, wire
from tests.factories.emr import EMRConnectionFactory

PROJECT = Path(__file__).parents[3]
SETTINGS = "tests.emr.mllp.queued_settings"
SOON = 60.0
MESSAGE = siu(
    visit(), Step.BOOK, filler="E77", settings=wire(here="EPIC|H", there="DAYSHEET|"), now=NOW
)
LISTENING = "Listening for urn:hl7 on 127.0.0.1:"


@dataclass
class Process:
    """A running listener, and what it has printed so far."""

    popen: subprocess.Popen[str]
    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SOON)

    def told(self, text: str = MESSAGE) -> Ack:
        with MLLPClient("127.0.0.1", self.port) as client:
            (answer,) = Unframer().feed(client.send_message(text.encode()))
        return read_ack(answer.decode())

    def stop(self) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(SOON)


@pytest.fixture
def theirs(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(
        clinic=clinic,
        vendor=Vendor.HL7V2.value,
        source_system="urn:hl7",
        base_url="",
        hl7_host="127.0.0.1",
        hl7_port=9,
    )


@contextmanager
def listening(*options: str) -> Iterator[Process]:
    with subprocess.Popen(
        [sys.executable, "manage.py", "mllp_listen", "--connection=urn:hl7", "--port=0", *options],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": url(), "DJANGO_SETTINGS_MODULE": SETTINGS},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(LISTENING)
            yield Process(process, int(line.removeprefix(LISTENING).partition(",")[0]))
        finally:
            process.kill()


def url() -> str:
    told = database.settings_dict
    return f"postgresql://{told['USER']}@:{told['PORT']}/{told['NAME']}?host={told['HOST']}"


@contextmanager
def held_up() -> Iterator[psycopg.Connection]:
    """Let nobody write an inbound message for the length of the block."""
    with psycopg.connect(url()) as other:
        other.execute("LOCK TABLE emr_inboundmessage IN EXCLUSIVE MODE")
        yield other
        other.rollback()


def wait_for_writer() -> int:
    """Return the process of the database server that waits to write."""
    deadline = monotonic() + SOON
    with psycopg.connect(url(), autocommit=True) as other:
        while monotonic() < deadline:
            row = other.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO%emr_inboundmessage%'"
            ).fetchone()
            if row is not None:
                return int(row[0])
            sleep(0.02)
    raise AssertionError("nobody writes")


def is_answered(link: socket.socket, *, within: float) -> bool:
    link.settimeout(within)
    try:
        return link.recv(1) != b""
    except (TimeoutError, ConnectionResetError):
        return False


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("theirs")
class TestAProcess:
    def test_answers_and_stops_when_it_is_told(self) -> None:
        with listening() as process:
            assert process.told().code == "AA"
            assert process.told().code == "AA"
            assert process.stop() == 0
        assert InboundMessage.objects.count() == 1

    def test_acknowledges_nothing_before_the_commit(self) -> None:
        with listening() as process, process.connect() as link:
            with held_up():
                link.sendall(framed(MESSAGE.encode()))
                wait_for_writer()
                assert not is_answered(link, within=0.5)
                assert not InboundMessage.objects.exists()
            assert is_answered(link, within=SOON)
            assert InboundMessage.objects.count() == 1

    def test_that_is_killed_before_the_commit_has_said_nothing(self) -> None:
        with held_up(), listening() as process, process.connect() as link:
            link.sendall(framed(MESSAGE.encode()))
            wait_for_writer()
            process.popen.kill()
            process.popen.wait(SOON)
            assert not is_answered(link, within=0.5)
        with listening() as process:
            assert process.told().code == "AA"
        assert InboundMessage.objects.count() == 1

    def test_that_is_killed_after_the_commit_hears_it_again_as_one(self) -> None:
        with listening() as process, process.connect() as link:
            link.sendall(framed(MESSAGE.encode()))
            deadline = monotonic() + SOON
            while not InboundMessage.objects.exists() and monotonic() < deadline:
                sleep(0.01)
            process.popen.kill()
        with listening() as process:
            assert process.told().code == "AA"
        assert InboundMessage.objects.count() == 1

    def test_that_loses_its_database_says_so_and_goes_on(self) -> None:
        with listening() as process, process.connect() as link:
            with held_up(), psycopg.connect(url(), autocommit=True) as other:
                link.sendall(framed(MESSAGE.encode()))
                other.execute("SELECT pg_terminate_backend(%s)", [wait_for_writer()])
                (answer,) = Unframer().feed(_whole(link))
            assert read_ack(answer.decode()).code == "AE"
            assert process.told().code == "AA"
        assert InboundMessage.objects.count() == 1

    def test_ends_the_message_at_hand_before_it_stops(self) -> None:
        with listening() as process, process.connect() as link:
            with held_up():
                link.sendall(framed(MESSAGE.encode()))
                wait_for_writer()
                process.popen.send_signal(signal.SIGTERM)
                sleep(0.5)
                assert process.popen.poll() is None
            (answer,) = Unframer().feed(_whole(link))
            assert read_ack(answer.decode()).code == "AA"
            assert process.popen.wait(SOON) == 0

    def test_hears_over_tls_and_not_without(self, tmp_path: Path) -> None:
        files = certificate(tmp_path, "127.0.0.1")
        knowing = ssl.create_default_context(cafile=str(files.authority))
        with listening(f"--tls-cert={files.chain}", f"--tls-key={files.key}") as process:
            with process.connect() as link:
                link.sendall(framed(MESSAGE.encode()))
                assert not _hears_an_ack(link)
            with knowing.wrap_socket(process.connect(), server_hostname="127.0.0.1") as link:
                link.sendall(framed(MESSAGE.encode()))
                assert _hears_an_ack(link)
        assert InboundMessage.objects.count() == 1


class TestItWillNot:
    def refuses(self, match: str, *options: str) -> None:
        with pytest.raises(CommandError, match=match):
            call_command("mllp_listen", "--connection=urn:hl7", "--port=0", *options)

    @pytest.mark.django_db
    def test_listen_for_nobody(self, theirs: EMRConnection) -> None:
        theirs.is_active = False
        theirs.save()
        self.refuses("no active HL7 v2 connection")

    @pytest.mark.django_db
    @pytest.mark.usefixtures("theirs")
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])  # noqa: S104
    def test_listen_to_the_network_without_tls(self, host: str) -> None:
        self.refuses("Without TLS", f"--host={host}")

    @pytest.mark.django_db
    @pytest.mark.usefixtures("theirs")
    @pytest.mark.parametrize(
        "options",
        [["--tls-cert=/nowhere"], ["--client-ca=/nowhere"], ["--port=70000"], ["--peers=0"]],
    )
    def test_listen_with_what_cannot_be(self, options: list[str]) -> None:
        with pytest.raises(CommandError):
            call_command("mllp_listen", "--connection=urn:hl7", *options)

    @pytest.mark.django_db
    @pytest.mark.usefixtures("theirs")
    def test_listen_where_somebody_does(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            pytest.raises(CommandError, match="Cannot listen there"),
        ):
            port = taken.getsockname()[1]
            call_command("mllp_listen", "--connection=urn:hl7", f"--port={port}")

    @pytest.mark.django_db
    @pytest.mark.parametrize("said", ["", "x", "\0", "0192b3c4-5d6e-7f80-9123-456789abcdef"])
    def test_listen_for_a_connection_it_does_not_know(self, said: str) -> None:
        with pytest.raises(CommandError, match="no active HL7 v2 connection"):
            call_command("mllp_listen", f"--connection={said}")


def _whole(link: socket.socket) -> bytes:
    link.settimeout(SOON)
    pieces = b""
    while not pieces.endswith(b"\x1c\r"):
        piece = link.recv(65_536)
        assert piece, "the connection ended"
        pieces += piece
    return pieces


def _hears_an_ack(link: socket.socket) -> bool:
    """Read to the end of a frame or of the connection; say whether an acknowledgement came."""
    link.settimeout(SOON)
    pieces = b""
    try:
        while b"MSA|AA" not in pieces and (piece := link.recv(65_536)):
            pieces += piece
    except ConnectionResetError:
        return False
    return b"MSA|AA" in pieces
