"""Keeps resources and all their versions in memory, one change at a time.

Knows nothing of HTTP and of what a resource may say; ids are made here or given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

Resource = dict[str, Any]
Version = tuple[str, str, Resource | None]


class Stale(Exception):
    """The version that was named is not the present one."""


class Absent(Exception):
    """There is no such resource; `was_there` says whether there has been one."""

    def __init__(self, *, was_there: bool) -> None:
        super().__init__()
        self.was_there = was_there


class Store:
    """Resources by (type, id), oldest version first; None as a version is a deletion.

    `on_change` is called with type, id and new version while the store is locked: it must not
    wait for anybody.
    """

    def __init__(self, versions: Iterable[Version] = ()) -> None:
        self.lock = threading.RLock()
        self.on_change: Callable[[str, str, Resource | None], None] = lambda *_change: None
        self._versions: dict[tuple[str, str], list[Resource | None]] = {}
        self._of_type: dict[str, dict[str, None]] = {}
        self._with_mark: dict[tuple[str, str], dict[str, None]] = {}
        self._last = datetime.min.replace(tzinfo=UTC)
        for kind, resource_id, resource in versions:
            self._append(kind, resource_id, resource)

    def all(self, resource_type: str) -> list[Resource]:
        """Return the present resources of a type, in the order in which they were made."""
        return [deepcopy(one) for one in self.look(resource_type)]

    def look(self, resource_type: str, *, mark: str = "") -> list[Resource]:
        """Return the same, but what is kept itself: not to be changed. `mark` narrows it to those
        that have, or had, an identifier of this value or a participant of this reference."""
        with self.lock:
            if mark:
                some = self._with_mark.get((resource_type, mark), {})
            else:
                some = self._of_type.get(resource_type, {})
            newest = (self._versions[resource_type, one][-1] for one in some)
            return [one for one in newest if one is not None]

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return a present resource. Raises Absent."""
        with self.lock:
            versions = self._versions.get((resource_type, resource_id), [])
            if not versions or versions[-1] is None:
                raise Absent(was_there=bool(versions))
            return deepcopy(versions[-1])

    def versions(self, resource_type: str, resource_id: str) -> list[Resource]:
        with self.lock:
            rows = self._versions.get((resource_type, resource_id), [])
            return [deepcopy(one) for one in rows if one is not None]

    def create(self, resource: Mapping[str, Any], *, resource_id: str = "") -> Resource:
        """Keep a new resource under an id made here, unless one is given."""
        return self._keep(resource, resource["resourceType"], resource_id or uuid4().hex)

    def update(
        self, resource: Mapping[str, Any], *, resource_id: str, version: str = ""
    ) -> Resource:
        """Replace a resource, or make it under this id. Raises Stale where `version` is not its."""
        kind = resource["resourceType"]
        with self.lock:
            if version and version != self.version_of(kind, resource_id):
                raise Stale
            return self._keep(resource, kind, resource_id)

    def delete(self, resource_type: str, resource_id: str) -> None:
        """Take a resource away. Raises Absent."""
        with self.lock:
            self.read(resource_type, resource_id)
            self._versions[resource_type, resource_id].append(None)
            self.on_change(resource_type, resource_id, None)

    def version_of(self, resource_type: str, resource_id: str) -> str:
        """Return the present version's number as text, empty where there is no resource."""
        with self.lock:
            versions = self._versions.get((resource_type, resource_id), [])
            present = versions[-1] if versions else None
            return str(present["meta"]["versionId"]) if present else ""

    def everything(self) -> list[Resource]:
        """Return all present resources."""
        with self.lock:
            return [deepcopy(rows[-1]) for rows in self._versions.values() if rows[-1] is not None]

    def _keep(self, resource: Mapping[str, Any], kind: str, resource_id: str) -> Resource:
        with self.lock:
            versions = self._versions.get((kind, resource_id), [])
            kept = deepcopy(dict(resource))
            before = int(versions[-1]["meta"]["versionId"]) if versions and versions[-1] else 0
            stamp = {"versionId": str(max(before, len(versions)) + 1), "lastUpdated": self._now()}
            kept |= {"id": resource_id, "meta": {**resource.get("meta", {}), **stamp}}
            self._append(kind, resource_id, kept)
            self.on_change(kind, resource_id, deepcopy(kept))
        return deepcopy(kept)

    def _append(self, kind: str, resource_id: str, kept: Resource | None) -> None:
        self._versions.setdefault((kind, resource_id), []).append(kept)
        self._of_type.setdefault(kind, {})[resource_id] = None
        for mark in _marks(kept or {}):
            self._with_mark.setdefault((kind, mark), {})[resource_id] = None

    def _now(self) -> str:
        """Return an instant after every one before, in milliseconds."""
        now = datetime.now(UTC)
        self._last = max(now, self._last + timedelta(milliseconds=1))
        return self._last.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _marks(resource: Resource) -> Iterator[str]:
    """Yield what a resource is mostly looked for by."""
    for number in resource.get("identifier", []):
        yield str(number.get("value", ""))
    for part in resource.get("participant", []):
        yield str(part.get("actor", {}).get("reference", ""))
