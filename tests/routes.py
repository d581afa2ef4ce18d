"""Every address of the site as the URLconf has it, with the audience that its view declares.

Knows no ids: which ones stand in an address is for whoever walks the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from config.urls import third_party
from patients.privacy.pages import Audience, Page

THIRD_PARTY_METHODS = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is what `reverse` takes; `declared` is None for pages of other packages."""

    name: str
    parameters: tuple[str, ...]
    audience: Audience
    declared: Page | None

    @property
    def methods(self) -> tuple[str, ...]:
        return self.declared.methods if self.declared else THIRD_PARTY_METHODS

    @property
    def permission(self) -> str:
        return self.declared.permission if self.declared else ""

    def address(self, arguments: dict[str, Any]) -> str:
        return reverse(self.name, kwargs=arguments)


def all_routes() -> list[Route]:
    """Return every named address once. Admin's two unnamed ones only redirect or answer 404."""
    return list({route.name: route for route in _walk(get_resolver())}.values())


def _walk(
    resolver: URLResolver, namespace: str = "", parameters: tuple[str, ...] = ()
) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        taken = parameters + tuple(entry.pattern.converters or entry.pattern.regex.groupindex)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, entry.namespace or namespace, taken)
        elif isinstance(entry, URLPattern) and entry.name:
            yield _route(entry, namespace, taken)
        elif namespace != "admin":
            raise LookupError(f"{entry} has no name")


def _route(entry: URLPattern, namespace: str, parameters: tuple[str, ...]) -> Route:
    declared: Page | None = getattr(entry.callback, "page", None)
    audience = declared.audience if declared else _table(entry.name or "", namespace)
    name = f"{namespace}:{entry.name}" if namespace else str(entry.name)
    return Route(name, parameters, audience, declared)


def _table(name: str, namespace: str) -> Audience:
    """Return a foreign page's audience. Raises KeyError where the table lacks it."""
    return third_party.BY_NAMESPACE.get(namespace) or third_party.BY_NAME[name]
