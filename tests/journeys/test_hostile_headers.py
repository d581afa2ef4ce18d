"""Whatever stands in a request's headers, the answer is a page or a refusal, never a fault."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from patients.privacy.pages import Audience
from tests.answers import Answer
from tests.factories.providers import PASSWORD
from tests.journeys.addresses import cases
from tests.journeys.cast import World
from tests.journeys.hostile import BODIES, HEADERS, HOSTS, LENGTHS, NO_TEXT, bundles
from tests.page_forms import forms_in
from tests.routes import Route, all_routes

pytestmark = pytest.mark.django_db
PROXIES = (0, 1, 2)
VISITORS = {
    Audience.PUBLIC: "anonymous",
    Audience.PATIENT: "patient",
    Audience.DESK: "receptionist",
    Audience.PROVIDER: "provider",
    Audience.STAFF: "clinic admin",
    Audience.PRIVACY: "privacy officer",
}
ENTRANCES = ("account_login", "portal:sign_in", "portal:start", "desk:board", "admin:index")


def meta(headers: dict[str, str]) -> dict[str, Any]:
    return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}


def visits(world: World) -> Iterator[tuple[Client, Route, str, str]]:
    """Yield each page once for each method, with a browser that may see it."""
    for route in all_routes():
        actor = VISITORS[route.audience]
        for arguments in cases(route, world, actor).own[:1]:
            for method in set(route.methods) & {"GET", "POST"}:
                yield world.browser(actor), route, method, route.address(arguments)


def ask(client: Client, method: str, address: str, **extra: Any) -> Answer:
    """Send a request of somebody who is signed in: hostile cookies come beside the true one."""
    kept = "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())
    if "HTTP_COOKIE" in extra:
        extra["HTTP_COOKIE"] = f"{extra['HTTP_COOKIE']}; {kept}"
    send: Any = getattr(client, method.lower())
    answer: Answer = send(address, **extra)
    return answer


def faults(answer: Answer, told: str) -> list[str]:
    """Return what is wrong with an answer: a fault, or a header that the request put there."""
    stolen = "stolen" in answer.cookies or "evil.example" in answer.headers.get("Location", "")
    wrong = ["repeats it"] if stolen else []
    wrong += [f"answered {answer.status_code}"] if answer.status_code >= 500 else []
    return [f"{told}: {each}" for each in wrong]


def test_no_page_fails_at_any_header(world: World) -> None:
    """Each page meets a bundle, and the next page the next one, behind no, one and two proxies."""
    found = list[str]()
    turns = itertools.cycle((proxies, each) for each in bundles() for proxies in PROXIES)
    for (client, route, method, address), (proxies, headers) in zip(
        visits(world), turns, strict=False
    ):
        with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
            answer = ask(client, method, address, **meta(headers))
        found += faults(answer, f"{method} {route.name} {headers['X-Forwarded-For'][:20]}")
    assert found == []


def test_each_value_by_itself_does_no_harm(world: World) -> None:
    found = list[str]()
    entrances = {"account_login": "anonymous", "desk:board": "receptionist"}
    for name, values in HEADERS.items():
        for (entrance, actor), value in itertools.product(entrances.items(), values):
            with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
                client = world.browser(actor)
                answer = client.get(reverse(entrance), **meta({name: value}))
            found += faults(answer, f"{entrance}, {name}: {value[:30]!r}")
    assert found == []


def test_signing_in_stands_every_header(world: World) -> None:
    """Signing in counts by the address and keeps what the browser says of itself."""
    found = list[str]()
    right = {"login": world.users["receptionist"].email, "password": PASSWORD}
    for proxies, headers in zip(itertools.cycle(PROXIES), bundles()):
        client, extra = Client(raise_request_exception=False), meta(headers)
        with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
            staff = client.post(reverse("account_login"), right, **extra)
            patient = client.post(reverse("portal:sign_in"), {"contact": "a@mail.example"}, **extra)
        found += faults(staff, f"staff, {headers['User-Agent'][:20]!r}")
        found += faults(patient, f"patient, {headers['User-Agent'][:20]!r}")
    assert found == []


def test_a_header_that_is_no_text_is_a_bad_request(world: World) -> None:
    """A proxy should refuse it; where one does not, we do, before anything reads it."""
    client = world.browser("receptionist")
    for name, value in itertools.product(HEADERS, NO_TEXT):
        status = client.get(reverse("desk:board"), **meta({name: value})).status_code
        assert status == 400, (name, value)


def test_a_host_that_is_not_ours_is_a_bad_request(world: World) -> None:
    for host in HOSTS:
        for entrance in ENTRANCES:
            answer = world.browser("anonymous").get(reverse(entrance), HTTP_HOST=host)
            assert answer.status_code in {200, 302, 400}, (entrance, host)
            assert "evil" not in answer.headers.get("Location", "")
    evil = world.browser("anonymous").get(reverse("portal:start"), HTTP_HOST="evil.example")
    assert evil.status_code == 400


def test_a_body_of_any_kind_and_length_is_read_or_refused(world: World) -> None:
    """Each page that takes a form meets some kinds and a length, and the next page the next."""
    found = list[str]()
    kinds, lengths = itertools.cycle(BODIES), itertools.cycle(LENGTHS)
    for client, route, method, address in visits(world):
        if method != "POST":
            continue
        for kind in itertools.islice(kinds, 3):
            answer = client.generic("POST", address, b"a=%00&b=\xff", content_type=kind)
            found += faults(answer, f"{route.name}, {kind[:40]!r}")
        length = next(lengths)
        answer = client.generic("POST", address, b"a=b", CONTENT_LENGTH=length)
        found += faults(answer, f"{route.name}, length {length!r}")
    assert found == []


def test_a_form_arrives_whatever_its_browser_adds(world: World) -> None:
    """The headers do no harm to who means well, either: a name is found through all of them."""
    client = world.browser("receptionist")
    finder = client.get(reverse("desk:finder")).content.decode()
    assert forms_in(finder)
    for headers in bundles():
        kept = {name: value for name, value in headers.items() if name not in {"Cookie", "Origin"}}
        answer = client.get(reverse("desk:board"), **meta(kept))
        assert answer.status_code in {200, 304}, headers
