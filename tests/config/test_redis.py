"""With REDIS_URL the cache is a real Redis server: shared by processes, JSON inside, no pickle."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = shutil.which("redis-server")
    if server is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing, and in CI it must be there.")
        pytest.skip("redis-server is not installed.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    options = ["--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([server, "--port", str(port), *options], stdout=log)
    wait_for(port)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("redis-server did not start.")


SPEND = """
import django; django.setup()
from patients.throttle import Limit, TooManyRequests
limit = Limit("redis-test", times=3)
try:
    for _ in range(2): limit.spend("somebody")
except TooManyRequests: print("refused")
else: print("allowed")
"""


def run(redis_url: str, code: str) -> str:
    environment = {**os.environ, "REDIS_URL": redis_url}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_two_processes_count_against_the_same_limit(redis_url: str) -> None:
    assert [run(redis_url, SPEND) for _ in range(2)] == ["allowed", "refused"]


def test_what_stands_in_redis_is_json(redis_url: str) -> None:
    keep = "import django; django.setup()\nfrom django.core.cache import cache\n"
    run(redis_url, keep + "cache.set('colour', {'tint': 'teal'})")
    with redis.Redis.from_url(redis_url) as client:
        (key,) = client.keys("*colour*")
        assert client.get(key) == b'{"tint":"teal"}' or client.get(key) == b'{"tint": "teal"}'
