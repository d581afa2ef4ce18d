"""Who does something to an appointment: a person of some kind, or a named part of the system."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    STAFF = "STAFF"
    PROVIDER = "PROVIDER"
    PATIENT = "PATIENT"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Actor:
    """`user_id` is empty for the system and for a patient who came by a link."""

    kind: ActorKind
    user_id: int | None = None
    name: str = ""

    @property
    def is_staff(self) -> bool:
        """Whether cut-offs may be overridden and acts undone."""
        return self.kind in {ActorKind.STAFF, ActorKind.PROVIDER}

    @classmethod
    def staff(cls, user_id: int) -> Actor:
        return cls(ActorKind.STAFF, user_id)

    @classmethod
    def provider(cls, user_id: int) -> Actor:
        return cls(ActorKind.PROVIDER, user_id)

    @classmethod
    def patient(cls, user_id: int | None = None) -> Actor:
        return cls(ActorKind.PATIENT, user_id)

    @classmethod
    def system(cls, name: str) -> Actor:
        return cls(ActorKind.SYSTEM, None, name)
