"""Two hundred values that people typed, looked for wherever data come to rest."""

from __future__ import annotations

import base64
import io
import logging
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django_q.conf import Conf
from django_q.models import Failure, OrmQ, Task
from django_q.signing import SignedPackage
from django_q.tasks import _sync

from config.backup.programs import program, target
from config.logging import JSONFormatter
from patients.models import Patient
from patients.privacy import audit
from scheduling.models import Appointment, VisitNote
from tests.journeys.canaries import Canaries
from tests.journeys.cast import World
from tests.journeys.crawler import Met, explore
from tests.journeys.portal_booking import DETAILS, code_in_mail, held
from tests.journeys.test_hostile_headers import VISITORS
from tests.routes import Route, all_routes

pytestmark = pytest.mark.django_db(transaction=True)
DATABASE_CACHE = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "canary_cache",
    }
}
ACTORS = ("anonymous", "patient", "receptionist", "provider", "clinic admin", "privacy officer")
FEWEST = 200
SPOILT = " @@\u202e"
# Staff's own addresses and the rooms of the site are no patients' data.
NOT_PATIENTS = ("/admin/", "/accounts/password/")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that any logger says, at DEBUG, as production writes it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JSONFormatter())
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in (None, *root.manager.loggerDict)}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def _as_in_a_clinic(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A queue that waits for its worker, a cache in PostgreSQL, and looks that must be recorded."""
    monkeypatch.setattr(Conf, "SYNC", False)
    with override_settings(CACHES=DATABASE_CACHE, LOOKS_MUST_BE_RECORDED=True):
        call_command("createcachetable", verbosity=0)
        yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE canary_cache")


class Spy:
    """Sends forms as people would, works the queue off, and keeps what the queue held."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.canaries = Canaries()
        self.queued = b""

    def work_off(self) -> None:
        for job in OrmQ.objects.all():
            self.queued += repr(SignedPackage.loads(job.payload)).encode()
            _sync(job.payload)
            job.delete()
        assert not Failure.objects.exists(), Failure.objects.first().result

    def fill_in(self, met: Met, *, spoilt: bool) -> dict[str, str]:
        data = met.form.data()
        for name, each in met.form.fields.items():
            if each.is_typed and each.kind not in {"password", "date", "number", "time"}:
                data[name] = self.canaries.value_for(name, each.kind)
                if spoilt:
                    data[name] += SPOILT
        return data

    def visit(self, actor: str, routes: list[Route]) -> None:
        client = self.world.browser(actor)
        for met in explore(routes, self.world, actor, client).forms:
            if met.target.startswith(NOT_PATIENTS) or not any(
                each.is_typed for each in met.form.fields.values()
            ):
                continue
            for spoilt in (True, False) * 2:
                cache.clear()
                client.post(met.target, self.fill_in(met, spoilt=spoilt))
                self.work_off()

    def book(self) -> None:
        """Book online as somebody new, by code, with nothing but canaries."""
        cache.clear()
        client = Client()
        typed = {
            name: self.canaries.value_for(name, "text")
            for name in ("given_name", "family_name", "email", "phone", "reason")
        }
        hold = held(client)
        for page, sent in (("details", {**DETAILS, **typed}), ("check", {})):
            answer = client.post(reverse(f"portal:{page}", args=[hold.pk]), sent)
            assert answer.status_code == 302, answer.content.decode()
        self.work_off()
        answer = client.post(reverse("portal:code", args=[hold.pk]), {"code": code_in_mail()})
        self.work_off()
        assert answer.status_code == 302, answer.content.decode()[:2000]


def pages_of(actor: str) -> list[Route]:
    """Return the pages that are an actor's own; a patient's visits are managed on public ones."""
    managing = {"patient": ("portal:manage", "portal:cancel", "portal:change")}.get(actor, ())
    return [
        route
        for route in all_routes()
        if not route.name.startswith("admin:")
        and (VISITORS[route.audience] == actor or route.name.startswith(tuple(managing)))
    ]


def dump() -> bytes:
    """Return the whole database in plain SQL, as pg_dump writes it."""
    place = target(connection.settings_dict)
    with connection.cursor() as cursor:
        major = cursor.connection.info.server_version // 10_000
    line: list[str | Path] = [
        program("pg_dump", major=major),
        f"--dbname={place.conninfo}",
        "--inserts",
    ]
    return subprocess.run(line, env=place.environment(), check=True, capture_output=True).stdout


def resting_places(spy: Spy, log: io.StringIO) -> dict[str, bytes]:
    tasks = Task.objects.values_list("func", "args", "kwargs", "result", "name")
    sessions = Session.objects.values_list("session_data", flat=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key || ' ' || value FROM canary_cache")
        cached = "\n".join(row for (row,) in cursor.fetchall())
    return {
        "the dump": dump(),
        "the queue": spy.queued,
        "the queue's results": repr(list(tasks)).encode(),
        "the sessions": "\n".join(sessions).encode(),
        "the cache": cached.encode(),
        "the log": log.getvalue().encode(),
    }


@pytest.mark.usefixtures("_as_in_a_clinic")
def test_nothing_that_was_typed_can_be_read_where_it_comes_to_rest(
    world: World, log: io.StringIO
) -> None:
    spy = Spy(world)
    spy.book()
    for actor in ACTORS:
        spy.visit(actor, pages_of(actor))
    assert len(spy.canaries.given) >= FEWEST
    it_did_arrive(spy)
    leaks = {
        place: found
        for place, text in resting_places(spy, log).items()
        if (found := spy.canaries.found_in(text))
    }
    assert leaks == {}


def it_did_arrive(spy: Spy) -> None:
    """The values are on file, sealed: or their absence would prove nothing."""
    given = spy.canaries.given
    with audit.keeping_record(system="system:test", purpose="canaries"):
        assert len([one for one in Patient.objects.all() if one.family_name in given]) >= 2
        reasons = [visit.reason_for_visit for visit in Appointment.objects.all()]
        notes = [note.text for note in VisitNote.objects.all()]
    for texts in (reasons, notes):
        assert {text.partition(SPOILT)[0] for text in texts} & given.keys()


def test_the_search_does_find_what_is_there() -> None:
    """In clear, in base64, compressed, quoted or in hex."""
    canaries = Canaries()
    name = canaries.value_for("family_name", "text")
    mail = canaries.value_for("email", "email")
    for text in _hidings(name):
        assert canaries.found_in(b"x " + text + b" y") == [name]
    assert canaries.found_in(mail.replace("@", "%40").encode()) == [mail]
    assert canaries.found_in(b"nothing at all") == []


def _hidings(name: str) -> list[bytes]:
    plain = f"a letter to {name}, of some length".encode()
    return [
        plain,
        plain.upper(),
        base64.b64encode(plain),
        base64.urlsafe_b64encode(zlib.compress(plain)).rstrip(b"="),
        base64.b64encode(base64.b64encode(plain)),
        plain.hex().encode(),
    ]
