"""Reads a record system while something of it is taken: the connection is opened when first needed.

Knows which connection, and nothing of what is done with an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from emr.drivers.base import Driver
from emr.drivers.opening import opened
from emr.models import EMRConnection
from emr.visits import Candidate, Remote


@dataclass
class Reader:
    """`people` are patients whose message itself says who they are, by their id there.

    Every verb raises the kinds of EMRError.
    """

    connection: EMRConnection
    stack: ExitStack = field(repr=False)
    people: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def driver(self) -> Driver:
        return self.stack.enter_context(opened(self.connection))

    def visit(self, remote_id: str) -> Remote:
        return self.driver.read(remote_id)

    def patient(self, remote_id: str) -> Candidate:
        said = self.people.get(remote_id)
        if said is not None:
            return Candidate(remote_id=remote_id, is_certain=True, raw=said)
        return self.driver.read_patient(remote_id)

    def resource(self, resource_type: str, remote_id: str) -> Mapping[str, Any]:
        return self.driver.read_resource(resource_type, remote_id)


@contextmanager
def reading(connection: EMRConnection) -> Iterator[Reader]:
    with ExitStack() as stack:
        yield Reader(connection, stack)
