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
from scheduling.models.waitlist import Opening, WaitlistEntry, WaitlistOffer

__all__ = [
    "Appointment",
    "AppointmentEvent",
    "BookedVia",
    "CancelReason",
    "IdempotencyKey",
    "ManageLink",
    "Opening",
    "OverrideReason",
    "SlotHold",
    "VisitNote",
    "WaitlistEntry",
    "WaitlistOffer",
]
