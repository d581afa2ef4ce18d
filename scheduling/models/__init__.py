"""What scheduling keeps: appointments and their history, holds, keys and links."""

from scheduling.models.appointment import (
    Appointment,
    AppointmentEvent,
    BookedVia,
    CancelReason,
    OverrideReason,
    VisitNote,
)
from scheduling.models.hold import IdempotencyKey, SlotHold
from scheduling.models.link import ManageLink
from scheduling.models.waitlist import (
    Mode,
    Opening,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistPolicy,
)

__all__ = [
    "Appointment",
    "AppointmentEvent",
    "BookedVia",
    "CancelReason",
    "IdempotencyKey",
    "ManageLink",
    "Mode",
    "Opening",
    "OverrideReason",
    "SlotHold",
    "VisitNote",
    "WaitlistEntry",
    "WaitlistOffer",
    "WaitlistPolicy",
]
