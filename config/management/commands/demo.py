"""`manage.py demo`: database, web, worker and a record system under one roof, for a first look."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from config.progress import step
from config.supervisor import ChildEnded, Supervisor
from emr.demo_server.serving import ROOT
from emr.seeding import CONNECTION

_HOST = "127.0.0.1"
_DATA = ".daysheet/postgres"
_ANCHOR = ".daysheet/audit.anchor"
_RECORDS = ".daysheet/record-system.sqlite3"
_FIRST_PAGE_SECONDS = 120


class Command(BaseCommand):
    help = "Serves a clinic to try out, on PORT (8000). Stop it with Ctrl-C."
    requires_system_checks = ()  # the web process runs them

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Serve until Ctrl-C or SIGTERM; both are a clean end."""
        if not getattr(settings, "DEVELOPMENT", False):
            raise CommandError("The demo runs on development settings only, never on a clinic's.")
        os.chdir(settings.BASE_DIR)
        if not os.environ.get("DATABASE_URL"):
            _run_again_with_database()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
        try:
            self._serve()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        except ChildEnded as error:
            raise CommandError(str(error)) from error

    def _serve(self) -> None:
        with (
            _listener() as listener,
            _second_listener(listener) as records,
            Supervisor(sys.stdout) as supervisor,
        ):
            address, elsewhere = _address(listener) + "/", _address(records)
            _migrate()
            _start(supervisor, listener)
            _start_records(supervisor, records, notify=address)
            listener.close()  # so that a dead web process refuses instead of keeping us waiting
            records.close()
            settings.EMR_DEMO_URL = f"{elsewhere}{ROOT}"  # known only now
            with step("Waiting for the record system"):
                _await_page(supervisor, elsewhere)
            call_command("seed_demo", "--show-logins", stdout=self.stdout)
            connections.close_all()
            with step("Waiting for the first page"):
                _await_page(supervisor, address)
            self.stdout.write(f"\nA record system to sync with is at {elsewhere}/")
            self.stdout.write(f"Daysheet is at {address}   (Ctrl-C stops it)")
            self.stdout.flush()
            while True:
                supervisor.look()


def _leave(_number: int, _frame: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # stopping is under way and bounded
    raise KeyboardInterrupt


def _run_again_with_database() -> None:
    command = ["-m", "config.embedded", "run", "--data", _DATA, "--die-with-parent", "--"]
    again = [sys.executable, "manage.py", *sys.argv[1:]]
    os.environ.setdefault("AUDIT_ANCHOR", str(Path(_ANCHOR).absolute()))
    os.execv(sys.executable, [sys.executable, *command, *again])  # noqa: S606 - ourselves


def _listener() -> socket.socket:
    """Take the port at once: a taken one is told before anything else starts."""
    wanted = os.environ.get("PORT") or "8000"
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, int(wanted)))
        listener.listen(128)
    except (OSError, OverflowError, ValueError) as error:
        listener.close()
        raise CommandError(f"Port {wanted} cannot be used ({error}). Choose PORT=…") from error
    return listener


def _second_listener(first: socket.socket) -> socket.socket:
    """Take the next port for the record system, or any other if that is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, first.getsockname()[1] + 1))
    except (OSError, OverflowError):
        listener.bind((_HOST, 0))
    listener.listen(64)
    return listener


def _address(listener: socket.socket) -> str:
    return f"http://{_HOST}:{listener.getsockname()[1]}"


def _migrate() -> None:
    executor = MigrationExecutor(connections["default"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        with step("Preparing the tables"):
            call_command("migrate", verbosity=0)
    connections.close_all()


def _start(supervisor: Supervisor, listener: socket.socket) -> None:
    own = {"DEMO_ENTRY": "true", "PYTHONUNBUFFERED": "1", "SITE_URL": _address(listener)}
    env = dict(os.environ) | own
    descriptor = listener.fileno()
    web = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn"]
    supervisor.start(
        "web",
        [*web, "--bind", f"fd://{descriptor}"],
        env={"WEB_THREADS": "4"} | env,
        pass_fds=[descriptor],
    )
    supervisor.start("worker", [sys.executable, "manage.py", "worker"], env=env)


def _start_records(supervisor: Supervisor, listener: socket.socket, *, notify: str) -> None:
    """Start the record system; it tells the clinic of what is changed there."""
    descriptor = listener.fileno()
    command = [sys.executable, "manage.py", "emr_demo_server", "--fd", str(descriptor)]
    told = ["--notify", f"{notify}hooks/emr/{CONNECTION}", "--secret", settings.EMR_DEMO_SECRET]
    supervisor.start(
        "emr",
        [*command, "--state", os.environ.get("DEMO_RECORDS") or _RECORDS, *told],
        env=dict(os.environ) | {"PYTHONUNBUFFERED": "1"},
        pass_fds=[descriptor],
    )


def _await_page(supervisor: Supervisor, address: str) -> None:
    deadline = time.monotonic() + _FIRST_PAGE_SECONDS
    while time.monotonic() < deadline:
        supervisor.look()
        try:
            with urlopen(address, timeout=1):  # noqa: S310 - our own address
                return
        except HTTPError as answer:
            raise CommandError(f"The first page answered {answer.code}.") from answer
        except OSError:
            continue
    raise CommandError(f"No page within {_FIRST_PAGE_SECONDS} seconds.")
