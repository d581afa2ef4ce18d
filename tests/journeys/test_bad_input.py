"""Nonsense in every address, query and field: a plain refusal, nothing written, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from patients.models import Patient
from patients.privacy.pages import Audience
from scheduling.models import (
    Appointment,
    AppointmentEvent,
    SlotHold,
    VisitNote,
    WaitlistEntry,
)
from tests.answers import Answer
from tests.journeys.addresses import cases
from tests.journeys.cast import TYPED, World
from tests.journeys.crawler import Met, explore
from tests.page_forms import forms_in
from tests.routes import Route, all_routes

pytestmark = pytest.mark.django_db

ROUTES = all_routes()
WATCHED = (Appointment, AppointmentEvent, Patient, SlotHold, VisitNote, WaitlistEntry, User)
MARKUP = "<script>alert(1)</script>"
NUL = "a\0b"
NONSENSE = {
    "nothing": "",
    "an impossible date": "2026-13-45",
    "the last day": "9999-12-31",
    "year 0": "0000-01-01",
    "a huge number": "9" * 40,
    "a negative number": "-1",
    "a NUL byte": NUL,
    "markup, signs and other directions": f"🩺 \u202e\u05e9\u05dc\u05d5\u05dd {MARKUP}",
    "an unknown id": str(uuid4()),
    "a long text": "x" * 20_000,
}
BELIEVES_NOBODY = {"emr_hooks:notified_of"}  # without a secret, whatever the address says
SAYS_SO_ITSELF = {"account_reset_password_from_key"}
YEARS = ("0000", "0001", "9999")
IN_ADDRESSES = ("a NUL byte", "a huge number", "a negative number", "a long text")
MEGABYTE = 1_048_576
REFUSED_SIZES = {400, 413}
ADMIN_NONSENSE = ("a NUL byte", "the last day")


def pages_of(actor: str) -> list[Route]:
    """Return the pages that belong to the actor most of all; the gallery's forms lead nowhere."""
    return [route for route in ROUTES if _owner(route) == actor and route.name != "gallery"]


def _owner(route: Route) -> str:
    if route.name.startswith("admin:"):
        return "clinic admin"
    if route.audience is Audience.DESK:
        return "receptionist"
    if route.audience is Audience.PRIVACY:
        return "privacy officer"
    if route.audience is Audience.PROVIDER:
        return "provider"
    if route.audience is Audience.PATIENT or route.name in PATIENTS:
        return "patient"
    return "receptionist" if route.audience is Audience.STAFF else "anonymous"


PATIENTS = {
    f"portal:{name}"
    for name in (
        *("manage", "join", "confirm", "cancel", "calendar"),
        *("change", "change_times", "change_check"),
        *("waitlist_earlier", "waitlist_earlier_check", "waitlist_entry", "waitlist_change"),
        *("waitlist_pause", "waitlist_resume", "waitlist_leave"),
        *("offered", "offer_accept", "offer_keep", "offer_stop"),
    )
}
OWNERS = (
    "anonymous",
    "patient",
    "receptionist",
    "provider",
    "clinic admin",
    "privacy officer",
)


@contextmanager
def undone() -> Iterator[None]:
    """Undo at the end whatever the block wrote, durable transactions included."""
    cache.clear()
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined] # as Django's own TestCase has it
    with block:
        yield
        transaction.set_rollback(True)


def rows() -> list[int]:
    return [model._default_manager.count() for model in WATCHED]


def faults_in(answer: Answer, before: list[int] | None = None) -> Iterator[str]:
    """Yield what is wrong with an answer to nonsense."""
    if answer.status_code >= 500:
        yield f"answered {answer.status_code}"
    if MARKUP.encode() in answer.content:
        yield "repeats markup as markup"
    if before is not None and answer.status_code not in {302, 303} and rows() != before:
        yield f"answered {answer.status_code} and wrote all the same"


@pytest.mark.parametrize("actor", OWNERS)
def test_nonsense_in_an_address_is_no_page(world: World, actor: str) -> None:
    client, faults = world.browser(actor), list[str]()
    for route in pages_of(actor):
        method = "GET" if "GET" in route.methods else "POST"
        for address in _spoilt(route, world, actor):
            with undone():
                answer: Answer = getattr(client, method.lower())(address)
            allowed = {302, 400, 403, 404, 405} | ({200} if route.name in SAYS_SO_ITSELF else set())
            allowed |= {401} if route.name in BELIEVES_NOBODY else set()
            if answer.status_code not in allowed:
                faults.append(f"{address[:90]}: {answer.status_code}")
    assert faults == []


def _spoilt(route: Route, world: World, actor: str) -> Iterator[str]:
    found = cases(route, world, actor)
    for arguments in [*found.own, *found.unknown][:1]:
        address = route.address(arguments)
        for value in arguments.values():
            for name in IN_ADDRESSES:
                yield address.replace(str(value), quote(NONSENSE[name], safe=""))


@pytest.mark.parametrize("actor", OWNERS)
def test_nonsense_in_a_query_is_refused_in_words(world: World, actor: str) -> None:
    client, faults = world.browser(actor), list[str]()
    territory = explore(pages_of(actor), world, actor, client)
    for address in territory.addresses:
        for told, spoilt in _queries(address):
            with undone():
                before = rows()
                answer = client.get(spoilt)
                faults += [f"{address}, {told}: {fault}" for fault in faults_in(answer, before)]
    assert faults == []


def _queries(address: str) -> Iterator[tuple[str, str]]:
    """Yield the address with one thing of its query spoilt, missing or twice."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name, value in query.items():
        rest = {key: kept for key, kept in query.items() if key != name}
        bad = {**NONSENSE, **_other_years(value)}
        if parts.path.startswith("/admin/"):
            bad = {told: bad[told] for told in ADMIN_NONSENSE}
        spoilt = {told: urlencode({**rest, name: nonsense}) for told, nonsense in bad.items()}
        spoilt |= {
            "missing": urlencode(rest),
            "twice": urlencode([*query.items(), (name, MARKUP)]),
            "bytes that are no text": f"{urlencode(rest)}&{name}=%ff%fe",
        }
        for told, text in spoilt.items():
            yield f"{name}: {told}", urlunsplit(parts._replace(query=text))


def _other_years(value: str) -> dict[str, str]:
    """Return a date, an instant or a slot with a year that no calendar or clock can add to."""
    if not re.match(r"\d{4}-?\d\d-?\d\d", value):
        return {}
    return {f"in the year {year}": year + value[4:] for year in YEARS}


@pytest.mark.parametrize("actor", OWNERS)
def test_nonsense_in_a_field_is_refused_and_all_else_kept(world: World, actor: str) -> None:
    client, faults = world.browser(actor), list[str]()
    territory = explore(pages_of(actor), world, actor, client)
    assert territory.forms
    for met in territory.forms:
        for told, data in _fillings(met):
            with undone():
                before = rows()
                answer = client.post(met.target, data)
                where = f"{met.page} → {met.target}, {told}"
                faults += [f"{where}: {fault}" for fault in faults_in(answer, before)]
                faults += [f"{where}: {fault}" for fault in _lost(answer, met, told, data)]
    assert faults == []


def _fillings(met: Met) -> Iterator[tuple[str, dict[str, str | list[str]]]]:
    """Yield what could be sent with one field spoilt, missing or twice."""
    good = _filled(met)
    if met.target.startswith("/admin/"):
        yield from _spoilt_by_admin(met, good)
        return
    for name in met.form.fields:
        if name == "csrfmiddlewaretoken":
            continue
        bad = {**NONSENSE, **_other_years(good.get(name, ""))}
        for told, nonsense in bad.items():
            yield f"{name}: {told}", {**good, name: nonsense}
        yield f"{name}: missing", {key: kept for key, kept in good.items() if key != name}
        yield f"{name}: twice", {**good, name: [good.get(name, ""), MARKUP]}


def _spoilt_by_admin(
    met: Met, good: dict[str, str]
) -> Iterator[tuple[str, dict[str, str | list[str]]]]:
    """Admin's own fields are tried by two kinds of nonsense, and of its inlines one row."""
    for name, each in met.form.fields.items():
        if each.is_typed and not re.search(r"-[1-9]\d*-|__prefix__", name):
            for told in ADMIN_NONSENSE:
                yield f"{name}: {told}", {**good, name: NONSENSE[told]}


def _filled(met: Met) -> dict[str, str]:
    """Return the form as somebody fills it in who means well."""
    return {name: value or TYPED.get(name, "") for name, value in met.form.data().items()}


def _lost(answer: Answer, met: Met, told: str, sent: dict[str, str | list[str]]) -> Iterator[str]:
    """Yield the typed fields that a refused form comes back without."""
    if answer.status_code not in {400, 409, 422}:
        return
    spoilt = told.partition(":")[0]
    for form in forms_in(answer.content.decode()):
        if form.fields.keys() != met.form.fields.keys():
            continue
        for name, kept in form.fields.items():
            typed = met.form.fields[name].is_typed and met.form.fields[name].kind != "password"
            if typed and name != spoilt and sent.get(name) and kept.value != sent[name]:
                yield f"lost {name}"


@pytest.mark.parametrize("actor", OWNERS)
def test_more_than_a_megabyte_is_refused_unread(world: World, actor: str) -> None:
    client, faults = world.browser(actor), list[str]()
    territory = explore(pages_of(actor), world, actor, client)
    client.handler.enforce_csrf_checks = True  # as in a browser, where the form's token is read
    for met in territory.forms:
        before = rows()
        answer = _send_much(client, met)
        if answer.status_code not in REFUSED_SIZES or rows() != before:
            faults.append(f"{met.target}: {answer.status_code}")
    assert faults == []


def _send_much(client: Client, met: Met) -> Answer:
    data = {**_filled(met), "anything": "x" * MEGABYTE}
    answer: Answer = client.post(
        met.target, urlencode(data), content_type="application/x-www-form-urlencoded"
    )
    return answer
