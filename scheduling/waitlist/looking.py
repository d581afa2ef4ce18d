"""An opening as it is now: its offers, what keeps its time, and by which rule it is offered.

Decides nothing. What is decided by it is written only if nobody changed the opening since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from providers.fields import ClockTimestamp
from scheduling.models import Opening, SlotHold, WaitlistOffer
from scheduling.waitlist.keeping import hold_of
from scheduling.waitlist.pacing import Rule
from scheduling.waitlist.policies import policy_of

OFFERED = WaitlistOffer.Status.OFFERED


@dataclass(frozen=True)
class Seen:
    """`clock` is the database's: deadlines and holds are compared with that, as they bind by it."""

    opening: Opening
    clock: datetime
    offers: tuple[WaitlistOffer, ...]
    hold: SlotHold | None
    rule: Rule

    @cached_property
    def live(self) -> list[WaitlistOffer]:
        """The offers that can still be taken."""
        return [each for each in self._open if each.expires_at > self.clock]

    @cached_property
    def over(self) -> list[WaitlistOffer]:
        """The offers whose deadline has passed, and that nobody has closed yet."""
        return [each for each in self._open if each.expires_at <= self.clock]

    @property
    def last_made_at(self) -> datetime | None:
        """When it was last offered to anybody."""
        return max((each.made_at for each in self.offers), default=None)

    @property
    def _open(self) -> list[WaitlistOffer]:
        return [each for each in self.offers if each.status == OFFERED]


def look(pk: UUID) -> Seen:
    """Read an opening with all that the next step asks about it. Raises Opening.DoesNotExist."""
    opening = (
        Opening.objects.annotate(clock=ClockTimestamp())
        .select_related("provider", "clinic", "visit_type")
        .get(pk=pk)
    )
    offers = opening.offers.select_related("visit_type", "entry").order_by("made_at", "pk")
    return Seen(
        opening,
        opening.clock,
        tuple(offers),
        hold_of(pk),
        policy_of(opening),
    )
