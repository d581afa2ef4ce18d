"""Every address × method × visitor × {own, somebody else's, none, malformed}.

Made from the URL configuration: a page without a row of addresses fails here. What should happen
comes from `expectations`, what does from the pages.
"""

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
from tests.journeys.cast import ACTORS, World
from tests.journeys.expectations import METHODS, Meets, expected, is_admitted
from tests.journeys.undoing import undone
from tests.routes import Route, all_routes

ROUTES = all_routes()
# Their views are a library's, which knows better than the declaration what it takes.
OF_A_LIBRARY = ("account_", "mfa_")
TELLS_WHETHER_SIGNED_IN = {"account_session", "account_stay"}
UNAUTHORIZED = 401
SIGN_IN, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 302, 403, 404, 405
LET_IN = {200, 204, 302, 303, 304, 400, 403, 409, 422}
LEADS_TO_SIGN_IN = {Audience.PATIENT: "portal:sign_in"}
# Without the time, the clinic or the field that they are about, these are no pages.
NEEDS_MORE = {"desk:book", "desk:series", "desk:hold_place", "desk:choose_clinic"}
NEEDS_MORE |= {"desk:gap_open", "desk:gap_offer", "emr:replay_all"}
# Admin looks at the permission before the row: nobody is told by it which rows there are.
UNKNOWN = {True: {FORBIDDEN, NOT_FOUND}, False: {NOT_FOUND}}
# What of a page is never the same twice: its token, its nonce and its number.
EVER_NEW = re.compile(
    r'(csrfmiddlewaretoken" value|nonce|csrf-token" content)="[^"]*"'
    r'|<span class="request-id">[^<]*</span>'
)
SHORT = 7
NO_ID = "no.id.at!all"
# Elsewhere any text is well formed: the matrix tries one that nobody has.
WITH_IDS = [
    route for route in ROUTES if {"pk"} & {*route.parameters} and route.name[:6] != "admin:"
]


def ask(client: Client, method: str, address: str) -> Answer:
    send: Any = getattr(client, method.lower())
    answer: Answer = send(address)
    assert answer.status_code < 500, (method, address, answer.content[:2000])
    return answer


def told(answer: Answer, arguments: Arguments) -> tuple[int, str, str]:
    """Return all that an answer says, but for the address asked and values that are ever new."""
    location = answer.headers.get("Location", "")
    body = answer.content.decode()
    for value in map(str, arguments.values()):
        asked = value if len(value) > SHORT else f"/{value}/"  # a "6" stands anywhere
        body, location = body.replace(asked, "·"), location.replace(asked, "·")
    return answer.status_code, location, EVER_NEW.sub("", body)


@pytest.mark.parametrize("actor", ACTORS)
def test_each_visitor_meets_what_is_declared_and_nothing_else(actor: str, world: World) -> None:
    for route in ROUTES:
        with undone():
            found = cases(route, world, actor)
            for method in METHODS:
                with undone():
                    meet(world, actor, route, method, found)


def meet(world: World, actor: str, route: Route, method: str, found: Cases) -> None:
    client, meets = world.browser(actor), expected(actor, route, method)
    rows = [*found.own, *found.foreign, *found.unknown]
    if meets is Meets.NOT_ALLOWED or method not in ("GET", "POST"):
        rows = rows[:1]  # decided before any row is looked for, or as for GET
    if meets is not Meets.ADMITTED:
        for arguments in rows:
            answer = ask(client, method, route.address(arguments))
            turned_away(answer, meets, route, (actor, method, route.name))
        return
    if method in ("GET", "POST"):
        strangers_are_as_unknown(client, method, route, found)
    for arguments in found.own if method in ("GET", "POST") else found.own[:1]:
        with undone():
            let_in(client, method, route, arguments, (actor, method, route.name))


def turned_away(answer: Answer, meets: Meets, route: Route, who: tuple[str, ...]) -> None:
    if meets is Meets.SIGN_IN:
        entry = reverse(LEADS_TO_SIGN_IN.get(route.audience, settings.LOGIN_URL))
        assert answer.status_code == SIGN_IN, who
        assert answer.headers["Location"].startswith(entry), who
        return
    statuses = {
        Meets.NOT_FOUND: {NOT_FOUND},
        Meets.NOT_ALLOWED: {NOT_ALLOWED},
        Meets.FORBIDDEN: {FORBIDDEN, NOT_FOUND},
    }
    assert answer.status_code in statuses[meets], (*who, answer.status_code)


def strangers_are_as_unknown(client: Client, method: str, route: Route, found: Cases) -> None:
    """Somebody else's row and no row at all are told apart by nothing in the answer."""
    nothing = [told(ask(client, method, route.address(each)), each) for each in found.unknown]
    for arguments in found.foreign:
        met = told(ask(client, method, route.address(arguments)), arguments)
        assert met in nothing, (route.name, method, arguments)
    if route.audience is not Audience.PUBLIC:
        allowed = UNKNOWN[route.declared is None]
        assert {status for status, _location, _body in nothing} <= allowed, route.name


def let_in(
    client: Client, method: str, route: Route, arguments: Arguments, who: tuple[str, ...]
) -> None:
    status = ask(client, method, route.address(arguments)).status_code
    needs_more = route.name in NEEDS_MORE or route.name.startswith("mfa_")  # a second factor
    allowed = LET_IN | ({NOT_FOUND} if needs_more else set())
    if route.declared is None or route.name.startswith(OF_A_LIBRARY):
        allowed |= {NOT_ALLOWED}
    if route.name in TELLS_WHETHER_SIGNED_IN:
        allowed |= {UNAUTHORIZED}
    assert status in allowed, (*who, status)
    if method == "HEAD" and route.declared:
        assert status == ask(client, "GET", route.address(arguments)).status_code, who


@pytest.mark.parametrize("route", WITH_IDS, ids=lambda one: one.name)
def test_an_address_that_can_be_none_is_as_one_that_is_not(route: Route, world: World) -> None:
    """Malformed ids: for everybody and every method the answer of an address that nobody has."""
    known = cases(route, world, "receptionist")
    arguments = [*known.own, *known.foreign, *known.unknown][0]
    changing = next(iter(arguments))
    address = route.address(arguments).replace(str(arguments[changing]), NO_ID)
    nowhere = told(ask(world.browser("anonymous"), "GET", "/no/such/page/"), {})
    for actor in ACTORS:
        for method in METHODS:
            answer = ask(world.browser(actor), method, address)
            assert answer.status_code == NOT_FOUND, (actor, method)
            if method == "GET":
                assert told(answer, {})[0] == nowhere[0]


def test_no_post_is_taken_without_its_token(world: World) -> None:
    for route in ROUTES:
        if "POST" not in route.methods or not is_admitted("clinic admin", route):
            continue
        client = world.browser("clinic admin")
        client.handler.enforce_csrf_checks = True
        for arguments in cases(route, world, "clinic admin").own:
            status = client.post(route.address(arguments)).status_code
            assert status == FORBIDDEN, route.name


def test_every_visitor_is_admitted_somewhere_and_turned_away_somewhere() -> None:
    """Or the matrix would say nothing about them."""
    for actor in ACTORS:
        met = {expected(actor, route, method) for route in ROUTES for method in METHODS}
        assert Meets.ADMITTED in met
        assert {Meets.NOT_FOUND, Meets.SIGN_IN} & met
