"""Asks one record system: in turn, within its rate, and page by page.

What is asked is for the drivers to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from emr.drivers.turns import Turns
from emr.failures import EMRError, Refused
from emr.fhir.tolerant import items, part, text
from emr.models import EMRConnection
from emr.profiles import Profile
from emr.transport import Reply, Transport

Params = Sequence[tuple[str, str]]
MOST_PAGES = 200
JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Asker:
    """One address of one connection. Raises TryLater, with the time, when it is not our turn."""

    connection: EMRConnection
    transport: Transport
    profile: Profile

    def ask(self, method: str, path: str, **more: Any) -> Reply:
        """Ask as `Transport.request` does. Raises the kinds of EMRError; Refused for what this
        vendor says must never be asked again, whatever the status."""
        try:
            with Turns(self.connection).taken():
                return self.transport.request(method, path, **more)
        except EMRError as error:
            if self.profile.never_again & set(error.codes):
                raise Refused(*error.codes) from error
            raise

    def read(self, resource_type: str, remote_id: str) -> Reply:
        return self.ask("GET", f"{resource_type}/{quote(remote_id, safe='')}")

    def found(self, resource_type: str, params: Params) -> Iterator[Mapping[str, Any]]:
        """Yield the resources of a type that a search finds, over all its pages.

        Raises Refused for a search that leads in a circle, or over more than MOST_PAGES.
        """
        page = self.page(resource_type, params)
        yield from page.resources
        seen = {""}
        while page.following:
            if page.following in seen or len(seen) > MOST_PAGES:
                raise Refused("endless-search")
            seen.add(page.following)
            page = self.page(resource_type, (), after=page.following)
            yield from page.resources

    def page(self, resource_type: str, params: Params, *, after: str = "") -> Page:
        """Return one page of a search: the first, or that at the address `after`."""
        sized = None if after else [*params, ("_count", str(self.profile.page_size))]
        reply = self.ask("GET", after or resource_type, params=sized)
        return page_of(reply.body, resource_type)

    def close(self) -> None:
        self.transport.close()


@dataclass(frozen=True, slots=True)
class Page:
    """The resources of one page; `following` is the address of the next, or empty."""

    entries: tuple[Mapping[str, Any], ...] = field(repr=False)
    resources: tuple[Mapping[str, Any], ...] = field(repr=False)
    following: str = field(default="", repr=False)


def page_of(bundle: Mapping[str, Any], resource_type: str) -> Page:
    """Read a searchset; what is of another type, such as an OperationOutcome, is left out."""
    entries = tuple(
        entry
        for entry in items(bundle.get("entry"))
        if part(entry.get("resource")).get("resourceType") == resource_type
    )
    links = {text(link.get("relation")): link.get("url") for link in items(bundle.get("link"))}
    following = links.get("next")
    return Page(
        entries=entries,
        resources=tuple(part(entry.get("resource")) for entry in entries),
        following=following if isinstance(following, str) else "",
    )


def token(system: str, value: str) -> str:
    """Write a search token; what has a meaning of its own in a search is escaped."""
    return f"{escaped(system)}|{escaped(value)}" if system else escaped(value)


def escaped(value: str) -> str:
    for mark in ("\\", ",", "|", "$"):
        value = value.replace(mark, f"\\{mark}")
    return value
