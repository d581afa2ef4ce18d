"""Refuses a site with a page that does not say for whom it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from config.urls import third_party


@register("urls")
def pages_are_declared(
    app_configs: Sequence[AppConfig] | None, **_kwargs: Any
) -> list[CheckMessage]:
    """Return an error for every address whose view has no declaration and stands in no table."""
    return [
        Error(f"{route} does not declare its audience.", id="daysheet.E001", obj=view)
        for route, view in undeclared(get_resolver())
    ]


def undeclared(
    resolver: URLResolver, prefix: str = "", namespace: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield the address and the view of each page that nobody declared."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from undeclared(entry, route, entry.namespace or namespace)
        elif isinstance(entry, URLPattern) and not _is_known(entry, namespace):
            yield route, entry.callback


def _is_known(entry: URLPattern, namespace: str) -> bool:
    return (
        hasattr(entry.callback, "page")
        or namespace in third_party.BY_NAMESPACE
        or entry.name in third_party.BY_NAME
    )
