"""`python -m tests.browser.screenshots [WORD …]`: every page as a picture, from a seeded clinic.

Exits with 1 where a page has no subject, complains in the console or is wider than the screen.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.db import connection
from django.test.testcases import LiveServerThread
from django.test.utils import setup_databases, teardown_databases

from config.progress import step

PICTURES = Path("var/screenshots")


def main(words: list[str]) -> int:
    """Take the pictures whose file names hold one of the words, or all; return the exit status."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.development"
    os.environ |= {"DEMO_ENTRY": "true", "LOG_LEVEL": "CRITICAL"}
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the browser's driver keeps an event loop
    django.setup()
    logging.getLogger("django.request").setLevel(logging.CRITICAL + 1)  # told by the camera
    with seeded_site() as address:
        camera = import_module("tests.browser.camera")  # its imports need the apps to be ready
        with import_module("tests.second_factor").shown_by_force_login():
            status: int = camera.photograph(address, words, PICTURES)
        return status


@contextmanager
def seeded_site() -> Iterator[str]:
    """Serve the seeded clinic from a database that is thrown away; yield the site's address."""
    connection.settings_dict["TEST"]["NAME"] = f"{connection.settings_dict['NAME']}_pictures"
    with step("Preparing the tables"):
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=set())
    try:
        call_command("seed_demo")
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        if server.error:
            raise server.error
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
        yield f"http://127.0.0.1:{server.port}"
        server.terminate()
    finally:
        teardown_databases(made, verbosity=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
