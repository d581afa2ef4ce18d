"""What stands in Redis is shared, as JSON; what counts tries to sign in does not stand there."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.db import connection

from tests.scheduling.redis_servers import running_redis


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


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
