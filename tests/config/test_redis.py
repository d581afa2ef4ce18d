"""What stands in Redis is shared, as JSON; what counts tries to sign in does not stand there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.db import connection


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


START = "import django; django.setup()\nfrom django.core.cache import caches\n"
SPEND = (
    START
    + """
from django.core.management import call_command
from patients.throttle import Limit, TooManyRequests
call_command("createcachetable", verbosity=0)
limit = Limit("tries", times=3)
try:
    for _ in range(2): limit.spend("{who}")
except TooManyRequests: print("refused")
else: print("allowed")
"""
)


def run(redis_url: str, code: str, **settings: str) -> str:
    environment = {**os.environ, "REDIS_URL": redis_url, **settings}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings.development"
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


@pytest.mark.django_db(transaction=True)
def test_tries_are_counted_by_all_processes_while_redis_is_away() -> None:
    server = urlsplit(os.environ.get("DATABASE_URL", "postgresql:///daysheet"))
    database = server._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    code = SPEND.format(who=uuid.uuid4())
    gone = "redis://127.0.0.1:1/0"
    answers = [run(gone, code, DATABASE_URL=database) for _ in range(2)]
    assert answers == ["allowed", "refused"]


@pytest.mark.redis
def test_two_processes_share_what_stands_in_redis(redis_url: str) -> None:
    run(redis_url, START + "caches['redis'].set('day', 'Monday')")
    assert run(redis_url, START + "print(caches['redis'].get('day'))") == "Monday"


@pytest.mark.redis
def test_what_stands_in_redis_is_json(redis_url: str) -> None:
    run(redis_url, START + "caches['redis'].set('colour', {'tint': 'teal'})")
    with redis.Redis.from_url(redis_url) as client:
        (key,) = client.keys("*colour*")
        assert client.get(key) == b'{"tint":"teal"}' or client.get(key) == b'{"tint": "teal"}'
