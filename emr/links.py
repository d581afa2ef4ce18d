"""Remembers which resource became which row, and tells what changed at the source since.

Digests are keyed and differ for equal values of two resources, so they say nothing by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q

from emr.intake.kinds import Columns, Reading
from emr.models import EMRLink
from patients.crypto import blind_index
from patients.models import kept_key
from providers.fields import UUIDModel

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Digests:
    whole: bytes
    parts: Mapping[str, str]

    def changed_since(self, link: EMRLink) -> set[str]:
        """Return the parts that the source says differently than when the link was written."""
        before = link.part_digests
        return {part for part, digest in self.parts.items() if before.get(part) != digest}


def digest_key() -> str:
    """Return the key of all digests. It never changes: else all would look changed at the source,
    and what was changed here would be lost.
    """
    return kept_key("emr-digests")


def digests(reading: Reading, *, source: str, key: str) -> Digests:
    kind, resource_id = reading.identity.key
    column = f"emr.{source}/{kind}/{resource_id}"
    parts = {name: _digest(key, column, values).hex() for name, values in reading.parts.items()}
    return Digests(whole=_digest(key, column, parts), parts=parts)


def digest_of_part(values: Columns, *, of: Key, source: str) -> str:
    """Return the digest of one part of a resource, as `digests` gives it."""
    kind, resource_id = of
    return _digest(digest_key(), f"emr.{source}/{kind}/{resource_id}", values).hex()


def _digest(key: str, column: str, values: Columns) -> bytes:
    written = json.dumps(values, sort_keys=True, default=str)
    return blind_index(key=key, column=column, value=written)


def links_of(keys: Iterable[Key], *, source: str) -> dict[Key, EMRLink]:
    """Return the links of these (type, id) pairs at one source, in one query for each type."""
    by_type: dict[str, list[str]] = {}
    for resource_type, resource_id in keys:
        by_type.setdefault(resource_type, []).append(resource_id)
    query = Q(pk__in=[])
    for resource_type, ids in by_type.items():
        query |= Q(resource_type=resource_type, resource_id__in=ids)
    links = EMRLink.objects.filter(query, source_system=source)
    return {(link.resource_type, link.resource_id): link for link in links}


def write_link(
    link: EMRLink | None, reading: Reading, row: UUIDModel, digest: Digests, *, source: str
) -> EMRLink:
    """Make the link of a resource, or bring it up to what was just read."""
    link = link or EMRLink(
        source_system=source,
        resource_type=reading.identity.resource_type,
        resource_id=reading.identity.resource_id,
    )
    link.local_model, link.local_id = row._meta.label_lower, row.pk
    link.digest, link.part_digests = digest.whole, dict(digest.parts)
    link.changed_at = reading.identity.changed_at or link.changed_at
    link.save()
    return link
