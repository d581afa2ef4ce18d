"""What each vendor's record system allows and how it wants to be asked, as data; and which of it a
server's own CapabilityStatement bears out. Pure.

Refuses to know how anything is sent: the drivers read these tables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from emr.kinds import Feature, Vendor


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a CapabilityStatement has to say: one of `interactions` of a resource type,
    an operation of it, or that a create of it may be conditional."""

    resource: str
    interactions: tuple[str, ...] = ()
    operation: str = ""
    is_conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The rules of one vendor.

    `at_most` is what the vendor can do at all; `needs` what the statement must say for each, any
    one of a row (a feature without a row is not asked through that statement). `kept` are the
    elements of an appointment that a create may bear, all where it is empty. `moves` says which
    status may follow which; without rows any may. `too_many` are the codes by which a search says
    that it found more than it tells, `taken` those by which a booking says that somebody was
    quicker, `never_again` those after which nothing is tried again, whatever the HTTP status.
    """

    vendor: Vendor
    at_most: frozenset[Feature]
    needs: Mapping[Feature, tuple[Need, ...]]
    kept: tuple[str, ...] = ()
    moves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason_at_most: int = 0
    keeps_identifiers: bool = True
    too_many: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    never_again: frozenset[str] = frozenset()
    page_size: int = 100
    polls_back: timedelta = timedelta(days=1)
    polls_ahead: timedelta = timedelta(days=90)

    def way(self, here: str, there: str) -> tuple[str, ...] | None:
        """Return the shortest row of statuses from one to another, without the first; None where
        there is none, empty where both are the same. Without `moves` every way is one step."""
        if here == there:
            return ()
        if not self.moves:
            return (there,)
        trails: deque[tuple[str, ...]] = deque([(here,)])
        while trails:
            trail = trails.popleft()
            for after in self.moves.get(trail[-1], ()):
                if after == there:
                    return (*trail[1:], after)
                if after not in trail:
                    trails.append((*trail, after))
        return None


_NAMES = ("name", "definition")
READS = ("read",)
SEARCHES = ("search-type",)
CREATES = ("create",)
CHANGES = ("update", "patch")
PATCHES = ("patch",)

DOCUMENTS = Need("DocumentReference", CREATES)
TASKS = Need("Task", CREATES)
COVERAGES = Need("Coverage", SEARCHES)
NEW_PATIENT_ONCE = Need("Patient", CREATES, is_conditional=True)
PUTS = Need("Appointment", ("update",))

Needs = Mapping[Feature, tuple[Need, ...]]
_CHANGE = (Need("Appointment", CHANGES),)
_PATCH = (Need("Appointment", PATCHES),)
_PEOPLE: Needs = {
    Feature.FIND_PATIENT: (Need("Patient", SEARCHES),),
    Feature.MATCH_PATIENT: (Need("Patient", operation="match"),),
    Feature.CREATE_PATIENT: (Need("Patient", CREATES),),
}
_LOOKS: Needs = {
    Feature.READ: (Need("Appointment", READS),),
    Feature.SEARCH: (Need("Appointment", SEARCHES),),
    Feature.POLL: (Need("Appointment", SEARCHES),),
    Feature.NOTE: (DOCUMENTS, TASKS),
}
_STATUS_STEPS = (Feature.CONFIRM, Feature.ARRIVE, Feature.COMPLETE, Feature.CANCEL, Feature.NO_SHOW)

GENERIC = Profile(
    vendor=Vendor.GENERIC_R4,
    at_most=frozenset(Feature),
    needs={
        **_PEOPLE,
        **_LOOKS,
        **dict.fromkeys((*_STATUS_STEPS, Feature.RESCHEDULE), _CHANGE),
        Feature.FIND_SLOTS: (Need("Slot", SEARCHES),),
        Feature.BOOK: (Need("Appointment", CREATES),),
        Feature.SUBSCRIBE: (Need("Subscription", CREATES),),
        Feature.CONDITIONAL_CREATE: (Need("Appointment", is_conditional=True),),
    },
)

# Millennium drops identifiers, has no word for a patient who did not come or who confirmed, offers
# neither `$match` nor subscriptions, and leads to "fulfilled" through "checked-in" alone.
ORACLE = Profile(
    vendor=Vendor.ORACLE,
    at_most=frozenset(Feature)
    - {
        Feature.MATCH_PATIENT,
        Feature.CONFIRM,
        Feature.NO_SHOW,
        Feature.SUBSCRIBE,
        Feature.CONDITIONAL_CREATE,
    },
    needs={
        **_PEOPLE,
        **_LOOKS,
        **dict.fromkeys(
            (Feature.ARRIVE, Feature.COMPLETE, Feature.CANCEL, Feature.RESCHEDULE), _PATCH
        ),
        Feature.FIND_SLOTS: (Need("Slot", SEARCHES),),
        Feature.BOOK: (Need("Appointment", CREATES),),
    },
    kept=("resourceType", "status", "slot", "participant", "reasonCode"),
    moves={
        "proposed": ("booked", "cancelled"),
        "booked": ("arrived", "checked-in", "cancelled"),
        "arrived": ("checked-in", "cancelled"),
        "checked-in": ("fulfilled", "cancelled"),
    },
    reason_at_most=255,
    keeps_identifiers=False,
    too_many=frozenset({"too-costly", "too-long"}),
)

# Epic books by two STU3 operations at an address of their own, which the R4 statement is silent
# about; it changes no appointment in FHIR unless a later statement says that it does.
EPIC = Profile(
    vendor=Vendor.EPIC,
    at_most=frozenset(Feature) - {Feature.CONFIRM, Feature.SUBSCRIBE, Feature.CONDITIONAL_CREATE},
    needs={
        **_PEOPLE,
        **_LOOKS,
        **dict.fromkeys((*_STATUS_STEPS, Feature.RESCHEDULE), _CHANGE),
    },
    keeps_identifiers=False,
    too_many=frozenset({"4127"}),
    taken=frozenset({"business-rule", "conflict", "duplicate"}),
    never_again=frozenset({"4130", "4131"}),
)

PROFILES: Mapping[Vendor, Profile] = {
    Vendor.GENERIC_R4: GENERIC,
    Vendor.ORACLE: ORACLE,
    Vendor.EPIC: EPIC,
}


def features(profile: Profile, capability: Mapping[str, Any]) -> frozenset[Feature]:
    """Return what a server can be asked: what its vendor can and its CapabilityStatement says."""
    return frozenset(
        feature
        for feature in profile.at_most
        if feature not in profile.needs
        or any(offers(capability, need) for need in profile.needs[feature])
    )


def offers(capability: Mapping[str, Any], need: Need) -> bool:
    """Say whether a CapabilityStatement speaks of something; what it leaves out is not offered."""
    rows = (row for row in _resources(capability) if row.get("type") == need.resource)
    return any(_has(row, need) for row in rows)


def _has(row: Mapping[str, Any], need: Need) -> bool:
    said = {str(entry.get("code")) for entry in _entries(row, "interaction")}
    interacts = not need.interactions or not said.isdisjoint(need.interactions)
    operates = not need.operation or need.operation in _operations(row)
    conditional = not need.is_conditional or row.get("conditionalCreate") is True
    return interacts and operates and conditional


def _operations(row: Mapping[str, Any]) -> set[str]:
    """Return the names, and the last words of the definitions, of a type's operations: servers
    write `match`, `$match`, `patient-match` or only `…/Patient-match`."""
    said = [str(entry.get(key, "")) for entry in _entries(row, "operation") for key in _NAMES]
    ends = [text.rpartition("/")[2].lstrip("$").lower() for text in said]
    prefix = f"{str(row.get('type', '')).lower()}-"
    return {end.removeprefix(prefix) for end in ends}


def _resources(capability: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for rest in _entries(capability, "rest"):
        if rest.get("mode", "server") == "server":
            yield from _entries(rest, "resource")


def _entries(value: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    listed = value.get(name)
    if isinstance(listed, list):
        yield from (entry for entry in listed if isinstance(entry, Mapping))
