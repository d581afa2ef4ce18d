"""Looks for a patient at the other side: by record number, by its own matching, by name.

Says who may be meant, and what the other side says of each; who it surely is, is not for here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from emr.drivers.answers import made
from emr.drivers.asking import Asker, Params, escaped, page_of, token
from emr.drivers.candidates import (
    NO_GRADE,
    Grade,
    candidate,
    graded,
    has_member_id,
    text,
    with_member_ids,
)
from emr.failures import NotFound, NotOffered, Refused
from emr.fhir.patient_out import match_parameters
from emr.fhir.patient_out import person as patient_of
from emr.fhir.tolerant import part
from emr.kinds import Feature
from emr.profiles import COVERAGES, NEW_PATIENT_ONCE, features, offers
from emr.visits import Candidate, Person

Resources = Sequence[Mapping[str, Any]]
NO_GRADES: Mapping[str, Grade] = MappingProxyType({})
# Of more candidates than these the coverages are not read.
MOST_COVERED = 5
# Somebody among more people than the other side lists: no id, and never certain.
CROWD = Candidate(remote_id="")


class People:
    """The patients of one server. `capability` is its CapabilityStatement."""

    def __init__(self, asker: Asker, capability: Mapping[str, Any]) -> None:
        self._asker = asker
        self._capability = capability
        self._features = features(asker.profile, capability)

    def find(self, person: Person) -> list[Candidate]:
        """Return who may be this person, from the first way that finds anybody.

        `CROWD` alone says that there are too many. Raises NotOffered.
        """
        if not self._features & {Feature.FIND_PATIENT, Feature.MATCH_PATIENT}:
            raise NotOffered(Feature.FIND_PATIENT.value)
        for way in (self._by_numbers, self._by_match, self._by_name):
            found = _settled(way(person))
            if found:
                return found
        return []

    def read(self, remote_id: str) -> Candidate:
        """Read a patient by id. Raises NotFound."""
        reply = self._asker.read("Patient", remote_id)
        if reply.body.get("resourceType") != "Patient":
            raise NotFound("not-a-patient")
        return candidate(reply.body)

    def create(self, person: Person) -> Candidate:
        """Make a patient; at most once where the server heeds a condition and we have a number."""
        if Feature.CREATE_PATIENT not in self._features:
            raise NotOffered(Feature.CREATE_PATIENT.value)
        headers = {}
        if person.identifiers and offers(self._capability, NEW_PATIENT_ONCE):
            known = token(*person.identifiers[0])
            headers["If-None-Exist"] = query("identifier", known)
        reply = self._asker.ask("POST", "Patient", json=patient_of(person), headers=headers)
        remote_id, _version = made(reply, "Patient")
        return Candidate(remote_id=remote_id, is_certain=True, raw=reply.body)

    def _by_numbers(self, person: Person) -> Iterator[Candidate]:
        if Feature.FIND_PATIENT in self._features:
            for system, value in person.identifiers:
                found = self._searched([("identifier", token(system, value))])
                yield from self._candidates(found, person)

    def _by_match(self, person: Person) -> Iterator[Candidate]:
        if Feature.MATCH_PATIENT not in self._features:
            return
        asked = match_parameters(person, only_certain=False)
        reply = self._asker.ask("POST", "Patient/$match", json=asked, is_safe=True)
        page = page_of(reply.body, "Patient")
        grades = {text(part(one.get("resource")).get("id")): graded(one) for one in page.entries}
        yield from self._candidates(page.resources, person, grades)

    def _by_name(self, person: Person) -> Iterator[Candidate]:
        if Feature.FIND_PATIENT not in self._features or not person.family:
            return
        try:
            found = self._searched(_named(person))
        except Refused as error:
            if not self._asker.profile.too_many & set(error.codes):
                raise
            yield CROWD
            return
        yield from self._candidates(found, person)

    def _searched(self, params: Params) -> Resources:
        return list(self._asker.found("Patient", params))

    def _candidates(
        self, found: Resources, person: Person, grades: Mapping[str, Grade] = NO_GRADES
    ) -> Iterator[Candidate]:
        is_few = len(found) <= MOST_COVERED
        looks_further = is_few and person.member_id and offers(self._capability, COVERAGES)
        for resource in found:
            grade = grades.get(text(resource.get("id")), NO_GRADE)
            yield candidate(self._covered(resource) if looks_further else resource, grade)

    def _covered(self, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a Patient with its insurance ids, read from its coverages where it bears none."""
        if has_member_id(resource):
            return resource
        coverages = self._asker.page("Coverage", [("patient", text(resource.get("id")))])
        said = (text(coverage.get("subscriberId")) for coverage in coverages.resources)
        return with_member_ids(resource, dict.fromkeys(said))


def query(name: str, value: str) -> str:
    """Write one search parameter as it stands in an address."""
    return urlencode([(name, value)], quote_via=quote, safe=":/|")


def _named(person: Person) -> Params:
    given = person.given.split()[:1]
    return [
        ("family", escaped(person.family)),
        *(("given", escaped(word)) for word in given),
        *([("birthdate", person.dob.isoformat())] if person.dob else []),
    ]


def _settled(found: Iterable[Candidate]) -> list[Candidate]:
    """Return each once, without merged records whose survivor is among them."""
    once: dict[str, Candidate] = {}
    for one in found:
        once.setdefault(one.remote_id, one)
    return [one for one in once.values() if not one.replaced_by or one.replaced_by not in once]
