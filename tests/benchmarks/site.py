"""The site as it is served: gunicorn with one worker on loopback, and somebody signed in."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from config import lifeline
from tests.benchmarks import URL
from tests.config.processes import descendants, wait_until
from tests.second_factor import shown_by_force_login

HOST = "127.0.0.1"
TOKEN = "b" * 32
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site is served, and the process that serves it."""

    port: int
    worker: int

    def memory(self) -> int:
        """Return the bytes that the worker holds for itself alone."""
        lines = Path(f"/proc/{self.worker}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser with a session: asks for a page, and says how long it took."""

    site: Site
    session: str

    def get(self, path: str) -> float:
        """Return the seconds until the whole page is here."""
        return self._ask("GET", path, None)[0]

    def read(self, path: str) -> str:
        """Return the page itself."""
        return self._ask("GET", path, None)[1]

    def post(self, path: str, **fields: str) -> tuple[float, str]:
        """Send a form as a page's script does; return the seconds and the answer."""
        return self._ask("POST", path, urlencode(fields))

    def _ask(self, method: str, path: str, body: str | None) -> tuple[float, str]:
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}"
        headers = {
            "Cookie": f"{cookies}; {settings.CSRF_COOKIE_NAME}={TOKEN}",
            "X-CSRFToken": TOKEN,
        }
        if body is not None:
            kind = "application/x-www-form-urlencoded"
            headers |= {"HX-Request": "true", "Content-Type": kind}
        begun = time.perf_counter()
        connection = HTTPConnection(HOST, self.site.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} answered {answer.status}")
        return time.perf_counter() - begun, text


@contextmanager
def served() -> Iterator[Site]:
    """Serve the site from this run's database for the length of the block."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(64)
        listener.set_inheritable(True)
        descriptor = listener.fileno()
        command = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn"]
        server = lifeline.start(
            [*command, "--bind", f"fd://{descriptor}"],
            last_signal=signal.SIGTERM,
            env=dict(os.environ) | {"DATABASE_URL": URL, "WEB_WORKERS": "1"},
            pass_fds=[descriptor],
        )
        try:
            if not wait_until(lambda: len(descendants(server.pid)) == 1, START_SECONDS):
                raise RuntimeError("The site was not served.")
            (worker,) = descendants(server.pid)
            yield Site(listener.getsockname()[1], worker)
        finally:
            server.terminate()
            server.wait(30)


def signed_in(site: Site, user: User) -> Visitor:
    """Return a visitor who has signed in with a second factor."""
    client = Client()
    with shown_by_force_login():
        client.force_login(user)
    return Visitor(site, client.cookies[settings.SESSION_COOKIE_NAME].value)
