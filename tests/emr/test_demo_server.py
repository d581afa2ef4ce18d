"""The demo's record system: keeps what it is told, tells of changes, and is used by nobody else."""

from __future__ import annotations

import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from emr.demo_server.keeping import open_store
from emr.demo_server.patching import BadPatch, TestFailed, patched
from emr.demo_server.serving import DemoServer
from emr.demo_server.store import Absent, Stale, Store
from emr.management.commands.emr_demo_server import subscribe
from tests.config.processes import environment
from tests.emr.peers.cast import Cast

JSON = {"Content-Type": "application/fhir+json"}
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)


@contextmanager
def running(store: Store | None = None, **rest: Any) -> Iterator[DemoServer]:
    server = DemoServer(port=0, store=store or Store(), **rest)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.close()
        thread.join()


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with running() as server:
        yield server


def visit_in(store: Store) -> str:
    cast = Cast(store)
    patient, doctor = cast.add_patient(), cast.add_practitioner(name="Dr. Grace Lin")
    return cast.add_appointment(start=SOON, patient=patient, practitioner=doctor)


def press(demo: DemoServer, button: str, visit: str, **rest: Any) -> int:
    url = f"{demo.address}/do/{button}/{visit}"
    return requests.post(url, timeout=5, allow_redirects=False, **rest).status_code


class TestItsPage:
    def test_lists_what_is_to_come_with_a_form_for_each_act(self, demo: DemoServer) -> None:
        visit = visit_in(demo.store)
        page = requests.get(demo.address, timeout=5)
        assert "Ada Moreno" in page.text
        assert "Dr. Grace Lin" in page.text
        for button in ("arrived", "later", "order", "cancel"):
            assert f'<form method="post" action="/do/{button}/{visit}">' in page.text
        assert "script" not in page.text
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]

    def test_says_what_to_do_while_there_is_nothing(self, demo: DemoServer) -> None:
        assert "No appointments yet" in requests.get(demo.address, timeout=5).text

    def test_each_button_changes_the_appointment(self, demo: DemoServer) -> None:
        visit = visit_in(demo.store)
        before = demo.store.read("Appointment", visit)
        assert press(demo, "later", visit) == 303
        moved = demo.store.read("Appointment", visit)
        gap = datetime.fromisoformat(moved["start"]) - datetime.fromisoformat(before["start"])
        assert gap == timedelta(minutes=30)
        assert press(demo, "arrived", visit) == 303
        assert demo.store.read("Appointment", visit)["status"] == "arrived"
        assert press(demo, "cancel", visit) == 303
        assert demo.store.read("Appointment", visit)["status"] == "cancelled"
        assert press(demo, "order", visit) == 303
        [order] = demo.store.all("ServiceRequest")
        assert order["subject"] == before["participant"][0]["actor"]

    def test_takes_no_form_of_another_site_and_no_unknown_act(self, demo: DemoServer) -> None:
        visit = visit_in(demo.store)
        other = {"Origin": "http://elsewhere.example"}
        assert press(demo, "cancel", visit, headers=other) == 404
        assert press(demo, "explode", visit) == 404
        assert press(demo, "cancel", "nobody") == 404
        assert demo.store.read("Appointment", visit)["status"] == "booked"

    @pytest.mark.parametrize("host", ["records.example", "127.0.0.1.example:80", ""])
    def test_answers_nobody_who_calls_it_by_another_name(self, demo: DemoServer, host: str) -> None:
        for path in ("/", "/fhir/r4/Patient"):
            answer = requests.get(demo.address + path, headers={"Host": host}, timeout=5)
            assert answer.status_code in {400, 421}

    def test_listens_on_this_machine_alone(self, demo: DemoServer) -> None:
        assert demo.server_address[0] == "127.0.0.1"


class TestItsMemory:
    def test_a_server_that_starts_again_knows_what_it_knew(self, tmp_path: Path) -> None:
        file = tmp_path / "state" / "emr.sqlite3"
        store, kept = open_store(file)
        with running(store, kept=kept) as server:
            visit = visit_in(server.store)
            press(server, "later", visit)
            before = server.store.read("Appointment", visit)
            gone = Cast(server.store).add_patient()
            server.store.delete("Patient", gone)
        again, kept = open_store(file)
        assert kept is not None
        kept.close()
        assert again.read("Appointment", visit) == before
        assert before["meta"]["versionId"] == "2"
        with pytest.raises(Absent) as absent:
            again.read("Patient", gone)
        assert absent.value.was_there

    def test_a_file_of_something_else_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "notes.txt"
        file.write_text("not a database " * 100)
        with pytest.raises(sqlite3.DatabaseError):
            open_store(file)
        assert file.read_text().startswith("not a database")

    def test_versions_count_on_and_a_stale_one_is_refused(self) -> None:
        store = Store()
        made = store.create({"resourceType": "Patient", "active": True})
        now = store.update(made, resource_id=made["id"], version="1")
        assert now["meta"]["versionId"] == "2"
        assert now["meta"]["lastUpdated"] > made["meta"]["lastUpdated"]
        with pytest.raises(Stale):
            store.update(made, resource_id=made["id"], version="1")


class Listener:
    """Somebody who is told of changes; `down` is how often it does not answer first."""

    def __init__(self, *, down: int = 0) -> None:
        heard: list[tuple[str, str, str]] = []
        left = [down]

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                left[0] -= 1
                if left[0] < 0:
                    heard.append((self.path, self.headers["Authorization"], self.command))
                self.send_response(503 if left[0] >= 0 else 200)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Read `heard`."""

        self.heard = heard
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, count: int) -> None:
        deadline = time.monotonic() + 20
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.02)


class TestItsSubscribers:
    def test_are_told_of_each_change_in_order_with_their_secret(self, demo: DemoServer) -> None:
        listener = Listener()
        subscribe(demo.store, listener.url, secret="hush")
        visit = visit_in(demo.store)
        press(demo, "cancel", visit)
        listener.wait(3)
        listener.close()
        paths = [path for path, _secret, _method in listener.heard]
        assert [path.split("/")[2] for path in paths] == ["Patient", "Appointment", "Appointment"]
        assert paths[-1] == f"/hook/Appointment/{visit}"
        assert {secret for _path, secret, _method in listener.heard} == {"Bearer hush"}

    def test_one_that_is_down_for_a_moment_misses_nothing(self) -> None:
        listener = Listener(down=2)
        with running() as demo:
            subscribe(demo.store, listener.url, secret="")
            Cast(demo.store).add_patient()
            listener.wait(1)
        listener.close()
        assert len(listener.heard) == 1

    def test_a_later_start_tells_the_new_address_alone(self) -> None:
        store = Store()
        for port in (1, 2):
            subscribe(store, f"http://127.0.0.1:{port}/", secret="")
        addresses = {one["channel"]["endpoint"] for one in store.all("Subscription")}
        assert addresses == {"http://127.0.0.1:2/"}

    @pytest.mark.parametrize("url", ["http://elsewhere.example/", "https://127.0.0.1/", "file:///"])
    def test_nobody_elsewhere_is_told(self, demo: DemoServer, url: str) -> None:
        with pytest.raises(CommandError, match="this machine only"):
            subscribe(demo.store, url, secret="")
        body = {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "x",
            "criteria": "Appointment?",
            "channel": {"type": "rest-hook", "endpoint": url},
        }
        root = f"{demo.address}/fhir/r4/Subscription"
        assert requests.post(root, json=body, headers=JSON, timeout=5).status_code == 400
        assert demo.store.all("Subscription") == []


class TestItsCommand:
    def test_serves_until_it_is_asked_to_stop(self, tmp_path: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            number = str(listener.fileno())
            state = ["--state", str(tmp_path / "emr.sqlite3")]
            process = subprocess.Popen(
                [sys.executable, "manage.py", "emr_demo_server", "--fd", number, *state],
                env=environment(),
                pass_fds=[listener.fileno()],
                stdout=subprocess.PIPE,
                text=True,
            )
        assert process.stdout is not None
        said = process.stdout.readline()
        address = re.findall(r"http://\S+", said)[0]
        assert requests.get(f"{address}/metadata", timeout=5).json()["fhirVersion"] == "4.0.1"
        process.terminate()
        process.communicate(timeout=20)
        assert process.returncode == 0

    def test_a_taken_port_is_told(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = str(other.getsockname()[1])
            with pytest.raises(CommandError, match=f"Port {port} cannot be used"):
                call_command("emr_demo_server", "--port", port)

    def test_never_runs_beside_a_clinics_data(self, settings: Any) -> None:
        settings.DEVELOPMENT = False
        with pytest.raises(CommandError, match="for development"):
            call_command("emr_demo_server")


class TestAPatch:
    THING = {"a": {"b": [1, 2]}, "c": "d"}

    @pytest.mark.parametrize(
        ("operation", "after"),
        [
            ({"op": "replace", "path": "/c", "value": "e"}, {"a": {"b": [1, 2]}, "c": "e"}),
            ({"op": "add", "path": "/a/b/-", "value": 3}, {"a": {"b": [1, 2, 3]}, "c": "d"}),
            ({"op": "add", "path": "/a/b/0", "value": 0}, {"a": {"b": [0, 1, 2]}, "c": "d"}),
            ({"op": "remove", "path": "/a/b/1"}, {"a": {"b": [1]}, "c": "d"}),
            ({"op": "add", "path": "/x~1y", "value": 1}, {**THING, "x/y": 1}),
            ({"op": "test", "path": "/c", "value": "d"}, THING),
        ],
    )
    def test_changes_what_it_names(self, operation: Any, after: Any) -> None:
        assert patched(self.THING, [operation]) == after

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "replace", "path": "/missing", "value": 1},
            {"op": "remove", "path": "/a/b/2"},
            {"op": "replace", "path": "/a/b/-", "value": 1},
            {"op": "copy", "path": "/c", "from": "/a"},
            {"op": "add", "path": "/c"},
            "no operation",
        ],
    )
    def test_names_only_what_is_there(self, operation: Any) -> None:
        with pytest.raises(BadPatch):
            patched(self.THING, [operation])

    def test_is_done_wholly_or_not_at_all(self) -> None:
        thing = {"c": "d"}
        with pytest.raises(TestFailed):
            patched(
                thing,
                [
                    {"op": "replace", "path": "/c", "value": "e"},
                    {"op": "test", "path": "/c", "value": "d"},
                ],
            )
        assert thing == {"c": "d"}
