"""Every address, for everybody: what each page declares is what each visitor meets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from patients.privacy.pages import Audience
from tests.answers import Answer
from tests.journeys.addresses import Arguments, Cases, cases
from tests.journeys.cast import ACTORS, STAFF_OF_ONE_CLINIC, STRANGER, World
from tests.routes import Route, all_routes

ROUTES = all_routes()
ANSWERS = {200, 204, 302, 303, 304, 400, 403, 409, 422}
SIGN_IN, NOT_FOUND, NOT_ALLOWED = 302, 404, 405
LEADS_TO_SIGN_IN = {Audience.PATIENT: "portal:sign_in"}
# Without the time, the clinic or the field that they are about, these are no pages.
NEEDS_MORE = {"desk:book", "desk:series", "desk:hold_place", "desk:choose_clinic"}
# Admin looks at the permission before the row: nobody is told by it which rows there are.
UNKNOWN = {True: {403, 404}, False: {404}}
ONLY_LEADS_TO_SIGN_IN = "admin:login"


def roles_of(actor: str) -> set[str]:
    every = {role for roles in STAFF_OF_ONE_CLINIC.values() for role in roles}
    held = every if actor == STRANGER else set(STAFF_OF_ONE_CLINIC.get(actor, ()))
    return {str(role) for role in held}


def may(actor: str, permission: str) -> bool:
    return any(permission in settings.ROLE_PERMISSIONS[role] for role in roles_of(actor))


def is_admitted(actor: str, route: Route) -> bool:
    """Say what the declaration says, without asking the code that enforces it."""
    if route.audience is Audience.PUBLIC or route.name == ONLY_LEADS_TO_SIGN_IN:
        return True
    if route.audience is Audience.PATIENT:
        return actor == "patient"
    if route.name.startswith("admin:"):
        return may(actor, "manage_clinic")
    if route.audience is Audience.STAFF:
        return bool(roles_of(actor))
    return may(actor, route.permission)


def ask(client: Client, method: str, route: Route, arguments: Arguments) -> Answer:
    send: Any = getattr(client, method.lower())
    answer: Answer = send(route.address(arguments))
    assert answer.status_code < 500, (method, route.name, arguments, answer.content[:2000])
    return answer


def told(answer: Answer, arguments: Arguments) -> tuple[int, str, str]:
    """Return all that an answer says, but for the address asked and values that are ever new."""
    location = answer.headers.get("Location", "")
    body = answer.content.decode()
    for value in arguments.values():
        body, location = body.replace(str(value), "·"), location.replace(str(value), "·")
    body = re.sub(r'(csrfmiddlewaretoken" value|nonce|csrf-token" content)="[^"]*"', r"\1", body)
    return answer.status_code, location, body


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_visitor_meets_what_the_page_declares(route: Route, world: World) -> None:
    for actor in ACTORS:
        found = cases(route, world, actor)
        for method in ("GET", "POST"):
            meet(world.browser(actor), actor, route, method, found)


def meet(client: Client, actor: str, route: Route, method: str, found: Cases) -> None:
    everything = [*found.own, *found.foreign, *found.unknown]
    if method not in route.methods:
        for arguments in everything:
            assert ask(client, method, route, arguments).status_code == NOT_ALLOWED
    elif not is_admitted(actor, route):
        for arguments in everything:
            turned_away(ask(client, method, route, arguments), actor, route)
    else:
        strangers_are_as_unknown(client, method, route, found)
        for arguments in found.own:
            let_in(ask(client, method, route, arguments), actor, route)


def turned_away(answer: Answer, actor: str, route: Route) -> None:
    if actor != "anonymous":
        assert answer.status_code == NOT_FOUND, (actor, route.name)
        return
    entry = reverse(LEADS_TO_SIGN_IN.get(route.audience, settings.LOGIN_URL))
    assert answer.status_code == SIGN_IN, route.name
    assert answer.headers["Location"].startswith(entry), route.name


def strangers_are_as_unknown(client: Client, method: str, route: Route, found: Cases) -> None:
    """Somebody else's row and no row at all are told apart by nothing in the answer."""
    nothing = [told(ask(client, method, route, each), each) for each in found.unknown]
    for arguments in found.foreign:
        assert told(ask(client, method, route, arguments), arguments) in nothing, route.name
    if route.audience is not Audience.PUBLIC:
        allowed = UNKNOWN[route.declared is None]
        assert {status for status, _location, _body in nothing} <= allowed, route.name


def let_in(answer: Answer, actor: str, route: Route) -> None:
    allowed = ANSWERS | ({NOT_FOUND} if route.name in NEEDS_MORE else set())
    if route.declared is None:
        allowed |= {NOT_ALLOWED}
    assert answer.status_code in allowed, (actor, route.name)


def test_no_post_is_taken_without_its_token(world: World) -> None:
    for route in ROUTES:
        if "POST" not in route.methods or not is_admitted("clinic admin", route):
            continue
        client = world.browser("clinic admin")
        client.handler.enforce_csrf_checks = True
        for arguments in cases(route, world, "clinic admin").own:
            status = client.post(route.address(arguments)).status_code
            assert status == 403, route.name
