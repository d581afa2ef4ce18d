"""A visit on its way to a record system: what is to be said of it, and how far the two agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emr.models import EMRConnection, EMRLink, OutboundMessage
from emr.outbox import agreements
from emr.outbox.planning import steps
from emr.standings import Standing
from emr.visits import Known, Step, Visit
from scheduling.models import Appointment
from scheduling.transitions import Status


@dataclass(slots=True)
class Telling:
    """A visit on its way to the other side, and how far the two agree by now."""

    message: OutboundMessage
    connection: EMRConnection
    appointment: Appointment
    visit: Visit
    wanted: Standing
    link: EMRLink | None
    was_unsure: bool
    is_blind: bool = False  # perhaps booked, and nobody can be asked whether it was

    @property
    def agreed(self) -> Standing | None:
        return agreements.agreed_in(self.link, wanted=self.wanted)

    @property
    def steps(self) -> list[Step]:
        """Return what is left to be said. What they may have is said again, and then cancelled."""
        if self.is_blind and self.link is None and self.wanted.status is Status.CANCELLED:
            return [Step.BOOK, Step.CANCEL]
        return steps(self.agreed, self.wanted)

    @property
    def remote_id(self) -> str:
        return "" if self.link is None else self.link.resource_id

    def agree(self, known: Known, standing: Standing, *, now: datetime) -> None:
        """Write down how far the other side is."""
        self.link = agreements.write(
            self.link,
            known,
            appointment=self.appointment,
            connection=self.connection,
            standing=standing,
            now=now,
        )
