"""Every page and every refusal carries the headers that tell browsers what they may do with it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import reverse

from config.errors import server_error
from patients.privacy.pages import Audience
from tests.answers import Answer
from tests.journeys.addresses import cases
from tests.journeys.cast import World
from tests.journeys.test_hostile_headers import VISITORS
from tests.routes import all_routes

pytestmark = pytest.mark.django_db
HTTPS = {
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
}
UNSAFE = re.compile(r"'unsafe-(inline|eval)'|\*|http:|(?<!img-src 'self' )data:")


def missing(answer: Answer) -> list[str]:
    """Return the headers that an answer lacks, or has too weak."""
    found = answer.headers
    policy = found.get("Content-Security-Policy", "")
    wrong = [
        ("a policy", "default-src 'self'" in policy and not UNSAFE.search(policy)),
        ("frame-ancestors", "frame-ancestors 'none'" in policy),
        ("base-uri", "base-uri 'none'" in policy),
        ("object-src", "object-src 'none'" in policy),
        ("HSTS", "max-age=31536000" in found.get("Strict-Transport-Security", "")),
        ("COOP", found.get("Cross-Origin-Opener-Policy") == "same-origin"),
        ("nosniff", found.get("X-Content-Type-Options") == "nosniff"),
        ("Permissions-Policy", "camera=()" in found.get("Permissions-Policy", "")),
        ("Referrer-Policy", found.get("Referrer-Policy") in {"same-origin", "no-referrer"}),
        ("X-Frame-Options", found.get("X-Frame-Options") == "DENY"),
    ]
    return [name for name, is_right in wrong if not is_right]


def test_every_page_has_them(world: World) -> None:
    faults = list[str]()
    with override_settings(**HTTPS):
        for route in all_routes():
            for arguments in cases(route, world, VISITORS[route.audience]).own[:1]:
                client: Any = world.browser(VISITORS[route.audience])
                method = "GET" if "GET" in route.methods else "POST"
                answer = getattr(client, method.lower())(route.address(arguments), secure=True)
                faults += [f"{route.name} lacks {each}" for each in missing(answer)]
                kept = "no-store" in answer.headers.get("Cache-Control", "")
                is_private = route.declared and (
                    route.declared.phi or route.audience is not Audience.PUBLIC
                )
                if is_private and not kept:
                    faults.append(f"{route.name} may be stored")
    assert faults == []


def refusals(world: World) -> dict[int, Answer]:
    """Return one answer of each kind that no page gives."""
    client = world.browser("receptionist")
    strict = Client(enforce_csrf_checks=True)
    return {
        400: client.post(reverse("language"), {"language": "xx"}, secure=True),
        403: strict.post(reverse("portal:sign_in"), {"contact": "a@b.example"}, secure=True),
        404: client.get("/nowhere/", secure=True),
        405: client.put(reverse("desk:board"), secure=True),
        401: Client().get(reverse("desk:board"), headers={"HX-Request": "true"}, secure=True),
        302: Client().get(reverse("desk:board"), secure=True),
    }


def test_every_refusal_has_them(world: World) -> None:
    with override_settings(**HTTPS):
        for status, answer in refusals(world).items():
            assert answer.status_code == status
            assert missing(answer) == [], status


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("a secret"), 500), (OperationalError("a secret"), 503)]
)
def test_a_fault_has_them_and_says_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise error

    monkeypatch.setattr("scheduling.views.portal_find.answer", fail)
    with override_settings(**HTTPS):
        answer = world.browser("anonymous").get(reverse("portal:start"), secure=True)
    assert answer.status_code == status
    assert missing(answer) == []
    assert b"a secret" not in answer.content
    assert "no-store" in answer.headers["Cache-Control"]
    number = re.search(r'class="request-id">([\w-]+)<', answer.content.decode())
    assert number, "a number to ask for help with"


def test_a_fault_is_told_without_database_and_session() -> None:
    assert server_error(HttpRequest()).status_code == 500


@pytest.mark.parametrize("name", ["healthz", "readyz"])
def test_machines_beside_us_ask_in_plain_http(name: str) -> None:
    with override_settings(**HTTPS, SECURE_REDIRECT_EXEMPT=[r"^healthz$", r"^readyz$"]):
        assert Client().get(reverse(name)).status_code == 200
        assert Client().get("/").status_code == 301
