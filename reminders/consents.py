"""Writes down that somebody said yes or no to a channel by a number or address, not by a page.

Everybody who has it on file is meant by it: whose phone it is, no carrier knows.
"""

from __future__ import annotations

from datetime import datetime

from patients.looks import note_patients
from patients.models import Patient
from reminders.kinds import Channel
from reminders.models import ConsentChange


def note_change(
    *,
    channel: Channel,
    recipient: str,
    given: bool,
    source: ConsentChange.Source,
    now: datetime,
) -> None:
    """Add one row for each patient who is reached at this normalised number or address."""
    contact = {"phone" if channel is Channel.SMS else "email": recipient}
    found = list(Patient.objects.reached_at(**contact).values_list("pk", flat=True))
    note_patients(found)
    for pk in found:
        ConsentChange.objects.create(
            patient_id=pk, channel=channel.value, given=given, source=source.value, at=now
        )
