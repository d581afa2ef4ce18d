"""Bytes that no browser sends, written to a real gunicorn's socket: refused or answered, no 5xx."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from tests.config.processes import wait_until
from tests.journeys.hostile import HEADERS, NO_TEXT

HELD_BACK = 3.0
START = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
POST = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
RAW = {
    "nothing": b"\r\n\r\n",
    "no request": b"hello\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "an unknown method": b"BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": START + b"Host: evil.example\r\n\r\n",
    "an absolute address": b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an address that is no text": b"GET /\xff\xfe%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a very long address": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "many headers": START + b"".join(b"X-%d: y\r\n" % n for n in range(300)) + b"\r\n",
    "a very long header": START + b"X-Forwarded-For: " + b"1" * 20_000 + b"\r\n\r\n",
    "a folded header": START + b"X-Forwarded-For: 1.1.1.1\r\n , 2.2.2.2\r\n\r\n",
    "a header without a name": START + b": x\r\n\r\n",
    "a header with a space in its name": START + b"X Y: z\r\n\r\n",
    "a header with an underscore": START + b"X_Forwarded_For: 6.6.6.6\r\n\r\n",
    "a header twice": START + b"X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n\r\n",
    "a content type with NUL": POST + b"Content-Type: a/b; charset=\0\r\n\r\n",
    "a length that is none": POST + FORM + b"Content-Length: abc\r\n\r\na=b",
    "a negative length": POST + FORM + b"Content-Length: -1\r\n\r\na=b",
    "a length too long": POST + FORM + b"Content-Length: 99999999999999999999\r\n\r\na=b",
    "a body shorter than it says": POST + FORM + b"Content-Length: 100\r\n\r\na=b",
    "a body longer than it says": POST + FORM + b"Content-Length: 1\r\n\r\na=b",
    "two lengths": POST + FORM + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\na=b",
    "length and chunks": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks that are none": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "an unknown encoding": POST + b"Transfer-Encoding: gzip, x\r\n\r\na",
    "expectations": POST + FORM + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\na=b",
}


@pytest.fixture(scope="module")
def port(django_db_setup: None) -> Iterator[int]:
    """A gunicorn of the site, two proxies behind, on the tests' database."""
    given = connection.settings_dict
    url = f"postgresql://{given['USER']}@/{given['NAME']}?host={given['HOST']}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
        web = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn"]
        process = subprocess.Popen(
            [*web, "--bind", f"fd://{listener.fileno()}"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": url, "WEB_WORKERS": "1", "LOG_LEVEL": "CRITICAL"},
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            alive = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            assert wait_until(lambda: b" 200 " in answer(number, alive), 60)
            yield number
        finally:
            process.terminate()
            process.wait(30)


def answer(port: int, request: bytes) -> bytes:
    """Send bytes and return the first line of what comes back; nothing where it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=HELD_BACK) as link:
        try:
            link.sendall(request)
            link.shutdown(socket.SHUT_WR)
            found = b""
            while block := link.recv(65_536):
                found += block
        except OSError:
            return b""
    return found.partition(b"\r\n")[0]


def is_refused_or_answered(line: bytes) -> bool:
    """Tell whether an answer is none, or a status below 500; 501 and 505 name what is unknown."""
    if not line:
        return True
    status = int(line.split()[1])
    return status < 500 or status in {501, 505}


def test_raw_bytes_meet_no_fault(port: int) -> None:
    wrong = {
        told: line
        for told, raw in RAW.items()
        if not is_refused_or_answered(line := answer(port, raw))
    }
    assert wrong == {}
    assert b" 200 " in answer(port, START + b"\r\n"), "and it still serves"


def test_hostile_headers_meet_no_fault(port: int) -> None:
    wrong = []
    for name, values in HEADERS.items():
        for value in (*values, *NO_TEXT):
            line = f"{name}: {value}\r\n\r\n".encode("latin-1", "replace")
            for start in (START, POST):
                if not is_refused_or_answered(said := answer(port, start + line)):
                    wrong.append((name, value[:30], said))
    assert wrong == []
