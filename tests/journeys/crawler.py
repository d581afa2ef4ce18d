"""Finds the addresses and the forms that one visitor meets, by reading the pages themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

from tests.answers import Answer
from tests.journeys.addresses import cases
from tests.journeys.cast import CHOICES, World
from tests.page_forms import PageForm, forms_in
from tests.routes import Route

MOST_PAGES = 60
MOST_OF_A_KIND = 1
LEAVING = {"account_logout", "admin:logout"}


@dataclass(frozen=True, slots=True)
class Met:
    """A form where it was met: the page's address, and where it is sent to."""

    page: str
    target: str
    form: PageForm


@dataclass(slots=True)
class Territory:
    """What a visitor can reach: addresses with a query, and forms that are posted."""

    addresses: list[str] = field(default_factory=list)
    forms: list[Met] = field(default_factory=list)


def explore(routes: list[Route], world: World, actor: str, client: Client) -> Territory:
    """Walk the pages of these routes with the actor's own rows, and what they link to."""
    found, seen = Territory(), dict[object, int]()
    waiting = deque(_entries(routes, world, actor))
    names = {route.name for route in routes}
    met: set[tuple[str, tuple[str, ...]]] = set()
    pages = 0
    while waiting and pages < MOST_PAGES:
        address = waiting.popleft()
        kind = _kind(address)
        if kind is None or kind[0] not in names or seen.get(kind, 0) >= MOST_OF_A_KIND:
            continue
        seen[kind] = seen.get(kind, 0) + 1
        pages += 1
        if urlsplit(address).query:
            found.addresses.append(address)
        answer = client.get(address)
        waiting.extend(_leads(address, answer))
        for each in _posted(address, answer):
            key = (_view(each.target), tuple(sorted(each.form.fields)))
            if key not in met and key[0] not in LEAVING:
                met.add(key)
                found.forms.append(each)
    return found


def _entries(routes: list[Route], world: World, actor: str) -> Iterator[str]:
    wish = urlencode(CHOICES)
    for route in routes:
        if "GET" not in route.methods:
            continue
        for arguments in cases(route, world, actor).own:
            address = route.address(arguments)
            yield address
            if "slug" in route.parameters:
                yield f"{address}?{wish}"


def _view(address: str) -> str:
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


def _kind(address: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the page's name and the names in its query: of one kind a few are enough."""
    view = _view(address)
    if not view or view in LEAVING:
        return None
    return view, tuple(sorted({name for name, _ in parse_qsl(urlsplit(address).query)}))


def _leads(address: str, answer: Answer) -> Iterator[str]:
    if "Location" in answer.headers:
        yield urljoin(address, answer.headers["Location"])
        return
    if not _is_page(answer):
        return
    html = answer.content.decode()
    links = _Links()
    links.feed(html)
    for link in links.found:
        if not urlsplit(link).netloc and not link.startswith(("#", "tel:", "mailto:")):
            yield urljoin(address, link).partition("#")[0]
    for form in forms_in(html):
        if form.method == "get":
            action = urljoin(address, form.action).partition("?")[0]
            yield f"{action}?{urlencode(form.data())}"


def _posted(address: str, answer: Answer) -> Iterator[Met]:
    if not _is_page(answer):
        return
    for form in forms_in(answer.content.decode()):
        if form.method == "post":
            yield Met(address, urljoin(address, form.action), form)


def _is_page(answer: Answer) -> bool:
    kind = answer.headers.get("Content-Type", "")
    return answer.status_code < 500 and kind.startswith("text/html")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and ((tag == "a" and name == "href") or name == "hx-get"):
                self.found.append(value)
