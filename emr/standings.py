"""Where a visit stands, in the words that both sides share; small enough to be kept and compared.

Pure. Holds ids, instants and a status: no name, no reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from scheduling.transitions import Status


@dataclass(frozen=True, slots=True)
class Standing:
    """`provider` is our provider's id as text, empty where the other side names one unknown here.

    `start` and `end` are aware instants, in UTC. `is_confirmed` is ours alone: the other side's
    "booked" says neither yes nor no to it, so CONFIRMED and SCHEDULED are one `status` here
    (SCHEDULED).
    """

    start: datetime
    end: datetime
    provider: str
    status: Status
    has_arrived: bool = False
    is_confirmed: bool = False

    def as_json(self) -> dict[str, Any]:
        said = asdict(self)
        said["start"], said["end"] = _text(self.start), _text(self.end)
        said["status"] = self.status.value
        return said

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Self:
        """Raises KeyError or ValueError for what `as_json` did not write."""
        return cls(
            start=datetime.fromisoformat(said["start"]),
            end=datetime.fromisoformat(said["end"]),
            provider=said["provider"],
            status=Status(said["status"]),
            has_arrived=bool(said["has_arrived"]),
            is_confirmed=bool(said["is_confirmed"]),
        )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
