"""The REST interface of FHIR R4 over a store: read, search, create, update, patch, delete, $match.

What a server refuses beyond that is said by its `Rules` and by who builds on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from emr.demo_server.capability import capability
from emr.demo_server.messages import PATCH_JSON, Answer, Request, kept, query_of, refused, said
from emr.demo_server.patching import BadPatch, TestFailed, patched
from emr.demo_server.people import matches
from emr.demo_server.rules import Refusal, Rules, check_shape
from emr.demo_server.searching import Query, UnknownParameter, check, found
from emr.demo_server.store import Absent, Resource, Stale, Store


@dataclass
class Rest:
    """Answers requests below `root`, the FHIR address by which it is known to the outside."""

    store: Store
    root: str
    rules: Rules

    def answer(self, request: Request) -> Answer:
        """Never raises for what a client sent."""
        try:
            return self._route(request)
        except Refusal as refusal:
            return refused(refusal.status, refusal.code, refusal.details)
        except Absent as absent:
            return refused(410, "deleted") if absent.was_there else refused(404, "not-found")
        except Stale:
            return refused(self.rules.stale_status, "conflict")
        except UnknownParameter:
            return refused(400, "not-supported")
        except ValueError:
            return refused(400, "structure")

    def _route(self, request: Request) -> Answer:
        match (request.method, *request.path.split("/")):
            case ("GET", "metadata"):
                return said(200, self.capability())
            case ("GET", kind) if kind in self.rules.types:
                return self.search(kind, request)
            case ("POST", kind, "_search") if kind in self.rules.types:
                return self._posted_search(kind, request)
            case ("POST", "Patient", "$match") if self.rules.patient_match:
                return said(200, matches(request.json(), self.store.look("Patient"), self.root))
            case ("POST", kind) if kind in self.rules.types:
                return self.create(kind, request)
            case (method, kind, resource_id) if kind in self.rules.types:
                return self._one(method, kind, resource_id, request)
            case ("GET", kind, resource_id, "_history", version) if kind in self.rules.types:
                return self._version(kind, resource_id, version)
        raise Refusal(404, "not-supported")

    def _one(self, method: str, kind: str, resource_id: str, request: Request) -> Answer:
        acts: dict[str, Callable[[str, str, Request], Answer]] = {
            "GET": self.read,
            "PUT": self.update,
            "PATCH": self.patch,
            "DELETE": self.delete,
        }
        if method not in acts:
            raise Refusal(405, "not-supported")
        return acts[method](kind, resource_id, request)

    def capability(self) -> dict[str, Any]:
        return capability(self.rules, self.root)

    def read(self, kind: str, resource_id: str, _request: Request) -> Answer:
        self._need(kind, "read")
        return kept(200, self.store.read(kind, resource_id), root=self.root)

    def _version(self, kind: str, resource_id: str, version: str) -> Answer:
        self._need(kind, "read")
        for one in self.store.versions(kind, resource_id):
            if one["meta"]["versionId"] == version:
                return kept(200, one, root=self.root)
        raise Refusal(404, "not-found")

    def _posted_search(self, kind: str, request: Request) -> Answer:
        posted = query_of(request.body.decode())
        return self.search(kind, Request("GET", kind, request.query + posted, request.headers))

    def search(self, kind: str, request: Request) -> Answer:
        self._need(kind, "search-type")
        check(kind, request.query, only=self.rules.search_parameters(kind))
        self.check_search(kind, request)
        return self._bundle(kind, self._found(kind, request.query), request)

    def _found(self, kind: str, query: Query) -> list[Any]:
        return list(found(self.store.look(kind, mark=_mark(kind, query)), query))

    def check_search(self, kind: str, request: Request) -> None:
        """Raise Refusal for a search that this server does not answer."""

    def _bundle(self, kind: str, hits: list[Any], request: Request) -> Answer:
        query = dict(request.query)
        offset = int(query.get("_offset", 0))
        size = min(int(query.get("_count", self.rules.page_size)), self.rules.page_size)
        page = hits[offset : offset + size]
        links = [{"relation": "self", "url": self._page_url(kind, request, offset)}]
        if offset + size < len(hits):
            links.append({"relation": "next", "url": self._page_url(kind, request, offset + size)})
        entries = [
            {
                "fullUrl": f"{self.root}/{kind}/{one['id']}",
                "resource": one,
                "search": {"mode": "match"},
            }
            for one in page
        ]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(hits), "link": links}
        return said(200, bundle | ({"entry": entries} if entries else {}))

    def _page_url(self, kind: str, request: Request, offset: int) -> str:
        query = [pair for pair in request.query if pair[0] != "_offset"]
        return f"{self.root}/{kind}?{urlencode([*query, ('_offset', str(offset))])}"

    def create(self, kind: str, request: Request) -> Answer:
        self._need(kind, "create")
        resource = self._resource(kind, request)
        condition = request.headers.get("if-none-exist", "")
        with self.store.lock:
            if condition and self.rules.conditional_create:
                hits = self._found(kind, query_of(condition))
                if len(hits) > 1:
                    raise Refusal(412, "multiple-matches")
                if hits:
                    return kept(200, hits[0], root=self.root)
            made = self.store.create(self.accepted(resource, None))
            self.after(made, None)
            return self.created(made)

    def created(self, resource: Resource) -> Answer:
        """Return what a create is answered with."""
        return kept(201, resource, root=self.root)

    def update(self, kind: str, resource_id: str, request: Request) -> Answer:
        self._need(kind, "update")
        resource = self._resource(kind, request)
        if resource.get("id") != resource_id:
            raise Refusal(400, "invalid")
        with self.store.lock:
            before = self.store.read(kind, resource_id)
            self._check_version(kind, resource_id, request)
            now = self.store.update(self.accepted(resource, before), resource_id=resource_id)
            self.after(now, before)
            return kept(200, now, root=self.root)

    def patch(self, kind: str, resource_id: str, request: Request) -> Answer:
        self._need(kind, "patch")
        if request.headers.get("content-type", "").split(";")[0] != PATCH_JSON:
            raise Refusal(415, "not-supported")
        operations = request.json()
        with self.store.lock:
            before = self.store.read(kind, resource_id)
            if self.rules.patch_heeds_if_match:
                self._check_version(kind, resource_id, request)
            resource = self._patched(before, operations)
            now = self.store.update(self.accepted(resource, before), resource_id=resource_id)
            self.after(now, before)
            return self.changed(now)

    def changed(self, resource: Resource) -> Answer:
        """Return what a patch is answered with."""
        return kept(200, resource, root=self.root)

    def _patched(self, before: Resource, operations: Any) -> Resource:
        try:
            resource = patched(before, operations)
        except BadPatch as error:
            raise Refusal(422, "invalid") from error
        except TestFailed as error:
            raise Refusal(self.rules.stale_status, "conflict") from error
        check_shape(resource, known=self.store, rules=self.rules)
        return resource

    def delete(self, kind: str, resource_id: str, _request: Request) -> Answer:
        self._need(kind, "delete")
        self.store.delete(kind, resource_id)
        return Answer(204)

    def accepted(self, resource: Resource, before: Resource | None) -> Resource:
        """Return what of a resource is kept, or raise Refusal; `before` is None for a new one."""
        del before
        return resource

    def after(self, now: Resource, before: Resource | None) -> None:
        """Do what follows from a change, in the same moment."""

    def _resource(self, kind: str, request: Request) -> Resource:
        content = request.headers.get("content-type", "").split(";")[0]
        if content not in {"application/fhir+json", "application/json"}:
            raise Refusal(415, "not-supported")
        resource = request.json()
        if not isinstance(resource, dict) or resource.get("resourceType") != kind:
            raise Refusal(400, "structure")
        check_shape(resource, known=self.store, rules=self.rules)
        return resource

    def _check_version(self, kind: str, resource_id: str, request: Request) -> None:
        if not request.version:
            if self.rules.needs_if_match:
                raise Refusal(412, "required")
            return
        if request.version != self.store.version_of(kind, resource_id):
            raise Stale

    def _need(self, kind: str, interaction: str) -> None:
        if interaction not in self.rules.interactions(kind):
            raise Refusal(405, "not-supported")


def ids_in(resource: Mapping[str, Any], kind: str) -> list[str]:
    """Return the ids of one type that an appointment's participants name."""
    actors = [part.get("actor", {}) for part in resource.get("participant", [])]
    pairs = [str(actor.get("reference", "")).rpartition("/") for actor in actors]
    return [found_id for prefix, _slash, found_id in pairs if prefix.endswith(kind)]


def _mark(kind: str, query: Query) -> str:
    """Return what a search can be narrowed by before each resource is looked at, if anything."""
    asked = dict(query)
    number = asked.get("identifier", "").rpartition("|")[2]
    who = next((name for name in ("patient", "practitioner") if name in asked), "")
    if kind == "Appointment" and who and not number:
        number = f"{who.capitalize()}/{asked[who].rpartition('/')[2]}"
    return "" if {",", "\\"} & set(number) else number
