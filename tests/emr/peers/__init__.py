"""Record systems on this machine, each by its vendor's rules, for the tests to speak with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

from emr.demo_server.rest import Rest
from emr.demo_server.rules import Rules
from emr.demo_server.store import Store
from emr.kinds import Vendor
from tests.emr.peers.authority import Authority, TokenCall
from tests.emr.peers.epic import RULES as EPIC
from tests.emr.peers.epic import STU3, EpicRest, EpicScheduling
from tests.emr.peers.faults import Fault
from tests.emr.peers.oracle import RULES as ORACLE
from tests.emr.peers.oracle import OracleRest
from tests.emr.peers.server import Call, Peer

R4, SCHEDULING = "/fhir/r4", "/fhir/stu3"
_OF_AUTHORITY = {one.name for one in fields(Authority)}


@contextmanager
def generic_peer(*, auth: bool = False, **rules: Any) -> Iterator[Peer]:
    """A server of plain R4. `rules` are those of `Rules` (conditional_create, stale_status,
    patch_heeds_if_match, needs_if_match, patient_match, page_size, offers, …) and of `Authority`
    (client_id, client_secret, jwks, jwks_url, lifetime, delay).
    """
    ours, authority = _split(rules)
    rest = Rest(Store(), "", replace(Rules(), **ours))
    with Peer(Vendor.GENERIC_R4, {R4: rest}, auth=auth, authority=authority).running() as peer:
        yield peer


@contextmanager
def oracle_peer(*, auth: bool = False, **rules: Any) -> Iterator[Peer]:
    """Oracle Health Millennium; ids in `peer.locked` are open at somebody's there (423)."""
    ours, authority = _split(rules)
    rest = OracleRest(Store(), "", replace(ORACLE, **ours))
    peer = Peer(Vendor.ORACLE, {R4: rest}, auth=auth, authority=authority)
    peer.locked = rest.locked
    with peer.running():
        yield peer


@contextmanager
def epic_peer(*, auth: bool = False, **rules: Any) -> Iterator[Peer]:
    """Epic; STU3 is at `peer.scheduling_url`; ids in `peer.guarded` answer 4130."""
    ours, authority = _split(rules)
    store = Store()
    rest = EpicRest(store, "", replace(EPIC, **ours))
    rests: dict[str, Rest] = {R4: rest, SCHEDULING: EpicScheduling(store, "", STU3)}
    peer = Peer(Vendor.EPIC, rests, auth=auth, authority=authority)
    peer.guarded = rest.guarded
    peer.scheduling_url = peer.root_of(SCHEDULING)
    with peer.running():
        yield peer


def _split(rules: dict[str, Any]) -> tuple[dict[str, Any], Authority]:
    authority = {name: value for name, value in rules.items() if name in _OF_AUTHORITY}
    rest = {name: value for name, value in rules.items() if name not in _OF_AUTHORITY}
    return rest, Authority(**authority)


__all__ = [
    "Authority",
    "Call",
    "Fault",
    "Peer",
    "TokenCall",
    "epic_peer",
    "generic_peer",
    "oracle_peer",
]
