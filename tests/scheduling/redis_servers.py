"""Real Redis servers on Unix sockets that can be frozen and killed, what is no Redis at all, and a
site that uses one of them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.test.utils import override_settings
from django_redis.pool import ConnectionFactory

from config.settings.base import redis_cache
from scheduling import block_store
from scheduling.breaker import Breaker, Tally
from tests.config.processes import wait_until
from tests.config.tls_servers import listening
from tests.scheduling.stopped_clock import StoppedClock


def program() -> str:
    """Return where redis-server is; skip the test where it is nowhere, and fail it in CI."""
    found = shutil.which("redis-server")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing, and in CI it must be there.")
        pytest.skip("redis-server is not installed.")
    return found


class RedisServer:
    """One server in a folder of its own, which forgets everything when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", "0", "--save", "", "--dir", str(self.folder)]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [program(), "--unixsocket", str(self.socket), *options], stdout=log, stderr=log
            )
        if not wait_until(self.answers):
            pytest.fail("redis-server did not start.")

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def client(self) -> redis.Redis:
        """Return a connection of the test's own, which waits as long as it takes."""
        return redis.Redis.from_url(self.url)

    def freeze(self) -> None:
        """Stop it where it is: its socket still takes connections and nobody reads them."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._ended()

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            self._ended()

    def _signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def _ended(self) -> None:
        assert self.process is not None
        self.process.wait(10)


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def says(reply: bytes | Callable[[], bytes], *, drop_by_drop: bool = False) -> Iterator[str]:
    """Yield the address of a server that answers with this whatever it is told, and hangs up.

    Drop by drop, it goes on saying it for as long as anybody listens.
    """

    def talk(link: socket.socket, _context: ssl.SSLContext) -> None:
        link.recv(65_536)
        link.sendall(reply if isinstance(reply, bytes) else reply())
        while drop_by_drop:
            link.sendall(b"x")
            time.sleep(0.01)

    with listening(talk, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as port:
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def used_by_the_site(url: str, clock: StoppedClock) -> Iterator[None]:
    """Let this process use a Redis as if it had just started, and leave it by `clock`."""
    caches = {**settings.CACHES, "redis": redis_cache(url)}
    with pytest.MonkeyPatch.context() as patched, override_settings(CACHES=caches, REDIS_URL=url):
        patched.setattr(block_store, "breaker", Breaker(30, clock=clock))
        patched.setattr(block_store, "damaged", Tally(60, clock=clock))
        patched.setattr(block_store, "refused", Tally(60, clock=clock))
        yield
    if pool := ConnectionFactory._pools.pop(url, None):
        pool.disconnect()
