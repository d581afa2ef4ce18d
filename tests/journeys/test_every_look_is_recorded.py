"""Every page with patients' data leaves one row of the audit, naming all whom it shows.

Made from the URL configuration: a new page that opens anything where no record is kept fails here.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from patients.looks import Unrecorded
from patients.models import AuditEntry, Patient
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from providers.fields import new_id
from tests.answers import Answer
from tests.journeys.addresses import Arguments, cases
from tests.journeys.cast import ACTORS, World
from tests.journeys.undoing import undone
from tests.routes import Route, all_routes

WITH_PATIENTS = [route for route in all_routes() if route.declared and route.declared.phi]
LOOKS = {Act.ACCESS, Act.SEARCH, Act.EXPORT, Act.PRINT, Act.EMERGENCY}
NOTHING_NEW = {204, 304}


@pytest.fixture
def strict(settings: Any) -> None:
    """Nothing is opened from here on where nobody keeps a record of it."""
    settings.LOOKS_MUST_BE_RECORDED = True


def rename_everybody() -> dict[str, Patient]:
    """Give each patient a name of their own; return them by it."""
    with audit.keeping_record(system="system:test", purpose="test"):
        for person in Patient.objects.all():
            person.family_name = f"Qx{person.pk.hex[-12:]}"
            person.save(update_fields=["family_name"])
        return {str(person.family_name): person for person in Patient.objects.all()}


def ask(client: Client, method: str, route: Route, arguments: Arguments) -> tuple[Answer, str]:
    """Send one request under a number of its own."""
    number = new_id().hex
    send: Any = getattr(client, method.lower())
    return send(route.address(arguments), headers={"X-Request-ID": number}), number


def looks_of(number: str, route: Route) -> list[AuditEntry]:
    """Return the rows of a request's page; what the house reads for itself has its own."""
    rows = AuditEntry.objects.filter(request_id=number, page=route.name, action__in=LOOKS)
    return [row for row in rows if row.actor_id or row.system_actor == audit.VISITOR]


@pytest.mark.parametrize("actor", ACTORS)
def test_each_page_leaves_one_row_of_all_whom_it_shows(
    actor: str, world: World, strict: None
) -> None:
    for route in WITH_PATIENTS:
        with undone():
            found = cases(route, world, actor)
            people = rename_everybody()
            for arguments in [*found.own, *found.foreign, *found.unknown]:
                for method in methods_of(route):
                    with undone():
                        look(world.browser(actor), method, route, arguments, people)


def look(
    client: Client, method: str, route: Route, arguments: Arguments, people: dict[str, Patient]
) -> None:
    answer, number = ask(client, method, route, arguments)
    assert answer.status_code < 500, (route.name, method, arguments, answer.content[:2000])
    rows = looks_of(number, route)
    if answer.status_code in NOTHING_NEW and is_passive(route):
        assert rows == [], route.name
        return
    assert len(rows) == 1, (route.name, method, arguments, answer.status_code)
    named(rows[0], answer, people)


def is_passive(route: Route) -> bool:
    return route.declared is not None and route.declared.passive


def methods_of(route: Route) -> list[str]:
    return [*route.methods, *(["HEAD"] if "GET" in route.methods else [])]


def named(row: AuditEntry, answer: Answer, people: dict[str, Patient]) -> None:
    """Whoever's name stands in the answer stands in its row; who was turned away saw nobody."""
    body = answer.content.decode()
    shown = {person.pk for name, person in people.items() if name in body}
    assert shown <= set(row.patient_ids), row.page
    if answer.status_code in {401, 403, 404, 405}:
        assert row.outcome == Outcome.DENIED
        assert shown == set()


FULL = """
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no space left'; END $$;
CREATE TRIGGER aa_full BEFORE INSERT ON patients_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.refuse();
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["desk:board", "desk:patient", "provider:visit", "portal:manage"])
def test_no_page_is_sent_while_the_database_takes_no_rows(name: str, strict: None) -> None:
    world = World()
    people = rename_everybody()
    route = next(route for route in WITH_PATIENTS if route.name == name)
    actor = {"provider:visit": "provider", "portal:manage": "patient"}.get(name, "receptionist")
    (arguments, *_more) = cases(route, world, actor).own
    answer, _number = ask(world.browser(actor), "GET", route, arguments)
    assert answer.status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(FULL)
    try:
        answer, number = ask(world.browser(actor), "GET", route, arguments)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER aa_full ON patients_auditentry")
    assert answer.status_code == 503
    assert number in answer.content.decode()
    assert not [person for person in people if person in answer.content.decode()]
    assert not AuditEntry.objects.filter(request_id=number).exists()


def test_a_sealed_value_opens_nowhere_else(world: World, strict: None) -> None:
    """The control: without a record the same read that a page may make is refused."""
    known = Patient.objects.get(pk=world.here.patient.pk)
    with pytest.raises(Unrecorded):
        str(known.given_name)
