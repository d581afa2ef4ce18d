"""Leave to take a time that was offered: what binds whoever has it, and what is settled with it.

Booking knows no waitlist: it uses up the hold, keeps to the terms, and calls `settle` in its own
transaction, under the calendar's lock, when nothing forbids the visit any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scheduling.models import Appointment, SlotHold
from scheduling.placing import Terms

CLAIM_TERMS = Terms(on_grid=True, notice_and_horizon=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The clinic offered the time, so neither cut-off nor notice nor horizon binds who takes it.

    `hold` keeps the time for the offer; without one the time must be free. `settle` gets the
    visit as it will be; whatever it raises undoes the booking.
    """

    hold: SlotHold | None
    settle: Callable[[Appointment], None]
    terms: Terms = CLAIM_TERMS
