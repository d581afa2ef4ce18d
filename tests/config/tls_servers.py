"""Servers on this machine that speak TLS of a chosen version: a mail server, a web server, and a
PostgreSQL with a network address."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config import lifeline
from config.embedded import binaries
from config.embedded.account import account_for
from tests.config.certificates import Certificate
from tests.config.processes import wait_until

OLD, NEW = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2
ANY_CIPHER = "ALL:@SECLEVEL=0"


def context_of(certificate: Certificate, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a server's context that speaks this version and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that TLS 1.1 is old is the point
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ANY_CIPHER)
    return context


Talk = Callable[[socket.socket, ssl.SSLContext], None]


@contextmanager
def listening(talk: Talk, context: ssl.SSLContext) -> Iterator[int]:
    """Serve each connection with `talk`, one after the other; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    link, _address = server.accept()
                except OSError:  # closed: the end
                    return
                with link:
                    link.settimeout(5)
                    try:
                        talk(link, context)
                    except OSError:  # the client hung up, which is what is tested
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def web(link: socket.socket, context: ssl.SSLContext) -> None:
    with context.wrap_socket(link, server_side=True) as tls:
        tls.recv(4096)
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def mail(link: socket.socket, context: ssl.SSLContext) -> None:
    """A mail server with STARTTLS that takes one message."""
    link.sendall(b"220 mail\r\n")
    link.recv(4096)
    link.sendall(b"250-mail\r\n250 STARTTLS\r\n")
    if not link.recv(4096).upper().startswith(b"STARTTLS"):
        return
    link.sendall(b"220 go on\r\n")
    with context.wrap_socket(link, server_side=True) as tls:
        for answer in (b"250 mail", b"250 ok", b"250 ok", b"354 go on", b"250 taken", b"221 bye"):
            tls.recv(65_536)
            tls.sendall(answer + b"\r\n")


def plain_mail(link: socket.socket, _context: ssl.SSLContext) -> None:
    """A mail server that offers no encryption."""
    link.sendall(b"220 mail\r\n")
    link.recv(4096)
    link.sendall(b"250 mail\r\n")
    link.recv(4096)


def programs_with_tls() -> Path:
    """Return the directory of a PostgreSQL built with OpenSSL: the wheel of the demo is not."""
    for place in binaries.places():
        if (place / "pg_config").is_file():
            answer = subprocess.run([place / "pg_config", "--configure"], capture_output=True)
            if re.search(rb"--with-(openssl|ssl)", answer.stdout):
                return place
    missing = "no PostgreSQL with TLS on this machine: install the system package postgresql-15"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def postgres(certificate: Certificate, *, version: str) -> Iterator[int]:
    """Run a PostgreSQL with `ssl = on` on a port of 127.0.0.1, at this TLS version only."""
    account = account_for(None)
    with tempfile.TemporaryDirectory(prefix="daysheet-test-") as name:
        home = Path(name)
        account.own(home)
        programs = binaries.find(directory=programs_with_tls()).readable_by(account, home)
        data = home / "data"
        options = account.step_down()
        line: list[str | Path] = [
            programs.directory / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
        ]
        subprocess.run(
            [*line, "--encoding=UTF8", "--no-sync"], check=True, capture_output=True, **options
        )
        port = _free_port()
        server = lifeline.start(
            [
                programs.directory / "postgres",
                "-D",
                data,
                *_flags(home, certificate, port, version),
            ],
            last_signal=signal.SIGINT,
            owner=(account.uid, account.gid) if account.stepped_down else None,
            stderr=subprocess.DEVNULL,
            **account.process_options(),
        )
        try:
            assert wait_until(lambda: _answers(home, port))
            yield port
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)


def _flags(home: Path, certificate: Certificate, port: int, version: str) -> list[str]:
    account = account_for(None)
    for file in (certificate.chain, certificate.key):
        copy = home / file.name
        copy.write_bytes(file.read_bytes())
        account.own(copy)
        copy.chmod(0o600)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": home,
        "fsync": "off",
        "ssl": "on",
        "ssl_cert_file": home / certificate.chain.name,
        "ssl_key_file": home / certificate.key.name,
        "ssl_min_protocol_version": version,
        "ssl_max_protocol_version": version,
        "ssl_ciphers": ANY_CIPHER,
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _answers(home: Path, port: int) -> bool:
    try:
        psycopg.connect(host=str(home), port=port, user="postgres", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True
