"""Ways through a resource's JSON: along one path through its lists, or over every element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Found = dict[str, list[tuple[str, Any]]]


def at_path(value: Any, path: str) -> Iterator[Any]:
    """Yield what stands at a path as "participant.actor", through lists; nothing where it ends."""
    first, _, rest = path.partition(".")
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping) and first in item:
            if rest:
                yield from at_path(item[first], rest)
            else:
                yield from _each(item[first])


def by_name(resource: Mapping[str, Any]) -> Found:
    """Return (path, value) of every element, by its name; lists item by item.

    Resources that stand inside another are elements whose own are left out.
    """
    found: Found = {}
    for name, path, value in _elements(resource, ""):
        found.setdefault(name, []).append((path, value))
    return found


def _elements(held: Mapping[str, Any], above: str) -> Iterator[tuple[str, str, Any]]:
    for name, value in held.items():
        path = f"{above}.{name}" if above else name
        for item in _each(value):
            yield name, path, item
            if isinstance(item, Mapping) and "resourceType" not in item:
                yield from _elements(item, path)


def _each(value: Any) -> Iterator[Any]:
    """An empty list counts as one empty item: it is there, and should not be."""
    yield from value if isinstance(value, list) and value else [value]
