"""Finds the wanted resources in FHIR JSON text without building the others.

A bundle is walked token by token; only an entry whose resource type is wanted is decoded, so
that damage elsewhere in the text costs nothing that is good.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from emr.fhir.errors import Damaged, Refused
from emr.fhir.tolerant import part

_TOKEN = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}\[\]"]', re.DOTALL)
_BUNDLE, _ENTRIES, _ENTRY, _RESOURCE = 1, 2, 3, 4  # depths of brackets


@dataclass(frozen=True, slots=True)
class Entry:
    """A wanted resource, or why it could not be read, and its place in its document from 1."""

    number: int
    resource_type: str
    resource: Mapping[str, Any] = field(default_factory=dict)
    full_url: str = ""
    refusal: Refused | None = None


@dataclass(slots=True)
class _Walk:
    """Where the walk stands: depth, the last key at each depth, the span and type of an entry."""

    depth: int = 0
    keys: dict[int, str] = field(default_factory=dict)
    start: int = 0
    kind: str = ""
    top_kind: str = ""
    number: int = 0

    def see_text(self, quoted: str, *, is_key: bool) -> None:
        if is_key:
            self.keys[self.depth] = quoted
        elif self.keys.get(self.depth) == '"resourceType"':
            if self.depth == _BUNDLE:
                self.top_kind = quoted[1:-1]
            elif self.depth == _RESOURCE and self.keys.get(_ENTRY) == '"resource"':
                self.kind = quoted[1:-1]

    def is_entry(self) -> bool:
        return self.depth == _ENTRIES and self.keys.get(_BUNDLE) == '"entry"'


def entries(text: str, wanted: Collection[str]) -> Iterator[Entry]:
    """Yield the wanted resources of one Bundle, or the one resource, that the text holds.

    Raises Damaged, after all that could be read, where the text is no JSON or ends early.
    """
    if not text.lstrip().startswith("{"):
        raise Damaged("it does not hold a JSON object")
    walk = _Walk()
    for start, end in _spans(text, walk):
        if walk.kind in wanted:
            yield _decode(text[start:end], walk)
    if walk.top_kind == "Bundle":
        if not walk.number:
            _parse(text)
    elif not walk.top_kind:
        _parse(text)
        raise Damaged("it holds no FHIR resource")
    elif walk.top_kind in wanted:
        yield Entry(number=1, resource_type=walk.top_kind, resource=_parse(text))


def _spans(text: str, walk: _Walk) -> Iterator[tuple[int, int]]:
    """Yield where each entry of a bundle begins and ends; `walk` then knows its type."""
    for match in _TOKEN.finditer(text):
        bracket = match[0]
        if match[1]:
            walk.see_text(match[1], is_key=match[2] is not None)
        elif bracket in "{[":
            if bracket == "{" and walk.is_entry():
                walk.start, walk.kind = match.start(), ""
                walk.number += 1
            walk.depth += 1
            walk.keys.pop(walk.depth, None)
        elif bracket in "}]":
            walk.depth -= 1
            if bracket == "}" and walk.is_entry():
                yield walk.start, match.end()
            if walk.depth == 0:
                _check_rest(text, match.end())
                return
        else:
            raise Damaged("it ends inside a text")
    raise Damaged("it ends early")


def _check_rest(text: str, end: int) -> None:
    if text[end:].strip():
        raise Damaged("more follows after its end")


def _decode(text: str, walk: _Walk) -> Entry:
    try:
        entry = _parse(text)
    except Damaged as damage:
        refusal = Refused("unreadable", str(damage))
        return Entry(number=walk.number, resource_type=walk.kind, refusal=refusal)
    url = entry.get("fullUrl")
    return Entry(
        number=walk.number,
        resource_type=walk.kind,
        resource=part(entry.get("resource")),
        full_url=url if isinstance(url, str) else "",
    )


def _parse(text: str) -> dict[str, Any]:
    """Return a JSON object. Its refusals give a position, never a value."""
    try:
        parsed: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise Damaged(f"it is not JSON: {error.msg} at character {error.pos}") from error
    except ValueError as error:
        raise Damaged("it holds a number that is too long") from error
    except RecursionError as error:
        raise Damaged("it is nested too deeply") from error
    return parsed
