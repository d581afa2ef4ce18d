"""The name indexes that this process keeps: one a clinic, each as of the moment it is lent.

An index is made at a clinic's first search and brought up to date at each further one. The least
used ones go once there are more names than SEARCH_NAMES_IN_MEMORY in all. Whose names may be
looked at is not decided here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

from django.conf import settings

from patients.name_index.index import NameIndex
from patients.name_index.reading import Mark, read_all, read_changes
from patients.name_index.rows import Row
from providers.models import Clinic


@dataclass(slots=True)
class Volume:
    """One clinic's index, and up to where it was read; neither until the first search."""

    lock: Lock = field(default_factory=Lock)
    index: NameIndex | None = None
    mark: Mark | None = None
    size: int = 0


class Shelf:
    """Indexes by clinic, the least used first. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._volumes: OrderedDict[UUID, Volume] = OrderedDict()

    @contextmanager
    def lent(self, clinic: Clinic) -> Iterator[NameIndex]:
        """Lend a clinic's index as the database has it now; others wait until it is back.

        Whoever comes while it is being made waits for it as well, and does not make it again.
        """
        with self._lock:
            volume = self._volumes.setdefault(clinic.pk, Volume())
            self._volumes.move_to_end(clinic.pk)
        with volume.lock:
            index = _brought_up_to_date(volume, clinic)
            self._make_room(clinic.pk)
            yield index

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._volumes.clear()

    def _make_room(self, kept: UUID) -> None:
        """Drop the least used indexes while there are too many names; never the one in use."""
        with self._lock:
            names = sum(volume.size for volume in self._volumes.values())
            for pk in [pk for pk in self._volumes if pk != kept]:
                if names <= settings.SEARCH_NAMES_IN_MEMORY:
                    break
                names -= self._volumes.pop(pk).size


def _brought_up_to_date(volume: Volume, clinic: Clinic) -> NameIndex:
    """Return the volume's index with all changes in it; the caller holds its lock."""
    if volume.index is not None and volume.mark is not None:
        changes = read_changes(clinic, volume.mark)
        if not changes.is_void:
            volume.index.change(changes.rows)
            volume.mark, volume.size = changes.mark, len(volume.index)
            return volume.index
    volume.index = volume.mark = None
    rows, mark = read_all(clinic)
    changes = read_changes(clinic, mark)
    index = NameIndex(_given_up(rows))
    index.change(changes.rows)
    volume.index, volume.mark, volume.size = index, changes.mark, len(index)
    return index


def _given_up(rows: list[Row]) -> Iterator[Row]:
    """Yield rows and keep none: what they take is needed for what is made of them."""
    while rows:
        yield rows.pop()


shelf = Shelf()
