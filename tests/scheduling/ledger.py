"""What booking should do, in plain Python: visits, holds and absences, and no database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

OPENS, CLOSES = 0, 120
LANES = range(1, 21)


@dataclass(frozen=True)
class Span:
    """Minutes [start, end) after opening."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Kind:
    """A type of visit, lengths in minutes."""

    minutes: int
    before: int = 0
    after: int = 0


@dataclass(frozen=True)
class Booked:
    """A visit: live until it is cancelled, and undoable for a while when staff cancelled it."""

    patient: int
    provider: int
    lane: int
    kind: Kind
    start: int
    status: str = "SCHEDULED"
    was: str = ""
    undoable: bool = False

    @property
    def visit(self) -> Span:
        return Span(self.start, self.start + self.kind.minutes)

    @property
    def busy(self) -> Span:
        return Span(self.start - self.kind.before, self.visit.end + self.kind.after)

    @property
    def live(self) -> bool:
        return self.status != "CANCELLED"


@dataclass(frozen=True)
class Held:
    holder: str
    wish: Booked
    extensions: int = 0


@dataclass
class Ledger:
    """Keeps all by the ids that the database gave them."""

    visits: dict[UUID, Booked] = field(default_factory=dict)
    holds: dict[UUID, Held] = field(default_factory=dict)
    away: dict[UUID, tuple[int, Span]] = field(default_factory=dict)

    def refusals(
        self, wish: Booked, *, own: UUID | None = None, hold: UUID | None = None
    ) -> set[str]:
        """Name every refusal that is right for a wish; none when it must be granted."""
        found = self.absences(wish)
        if any(v.patient == wish.patient and v.visit.overlaps(wish.visit) for v in self.live(own)):
            found.add("PatientBusy")
        if wish.lane == 0 and self.taken(wish, own=own, hold=hold):
            found.add("SlotTaken")
        return found

    def absences(self, wish: Booked) -> set[str]:
        found = set()
        if wish.start < OPENS or wish.visit.end > CLOSES:
            found.add("OutsideHours")
        if any(p == wish.provider and span.overlaps(wish.visit) for p, span in self.away.values()):
            found.add("ProviderAway")
        return found

    def taken(self, wish: Booked, *, own: UUID | None = None, hold: UUID | None = None) -> bool:
        """Whether the provider's time is booked in any lane, or kept for somebody else."""
        kept = [held.wish for pk, held in self.holds.items() if pk != hold]
        return any(
            other.provider == wish.provider and other.busy.overlaps(wish.busy)
            for other in [*self.live(own), *kept]
        )

    def live(self, own: UUID | None = None) -> list[Booked]:
        return [visit for pk, visit in self.visits.items() if visit.live and pk != own]

    def free_lane(self, wish: Booked, *, own: UUID | None = None) -> Booked:
        """Return the wish in the lowest free lane from 1 on."""
        lanes = {
            other.lane
            for other in self.live(own)
            if other.provider == wish.provider and other.busy.overlaps(wish.busy)
        }
        return replace(wish, lane=next(lane for lane in LANES if lane not in lanes))

    def undo_refusals(self, pk: UUID) -> set[str]:
        """A visit comes back unless its patient, its own lane or its hours are gone."""
        gone = self.visits[pk]
        found = self.absences(gone)
        others = self.live(pk)
        if any(v.patient == gone.patient and v.visit.overlaps(gone.visit) for v in others):
            found.add("PatientBusy")
        if any(
            v.provider == gone.provider and v.lane == gone.lane and v.busy.overlaps(gone.busy)
            for v in others
        ):
            found.add("SlotTaken")
        return found

    def undo_hold(self, pk: UUID) -> UUID | None:
        """Return the hold that keeps a cancelled visit's time."""
        holder = f"undo:{pk}"
        return next((hold for hold, held in self.holds.items() if held.holder == holder), None)
