"""Notices: what is to be said once of something that happened, or that somebody asked for.

Decides how long each may still be said. Refuses to look anybody up: whether a contact is known is
the worker's to find out, so that asking looks the same either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from patients.models import OneTimeCode, Patient
from providers.fields import new_id
from providers.models import Clinic
from reminders import writing
from reminders.kinds import Channel, NoticeKind
from reminders.models import Notice
from reminders.writing import Work, nudge
from scheduling.actors import Actor, ActorKind
from scheduling.models import Appointment, WaitlistOffer

__all__ = ["code_asked", "is_own_act", "link_asked", "notice", "nudge", "of_visit"]

LINK_LIVES = timedelta(hours=1)
# Who booked two days ago has seen or written down the time, or called.
BOOKED_LIVES = timedelta(days=2)
BY = "by"


def code_asked(code: OneTimeCode, *, language: str) -> None:
    """Have a one-time code sent to the contact that stands in its row. The code is not made yet."""
    kind = NoticeKind.SIGN_IN_CODE
    if code.purpose == OneTimeCode.Purpose.BOOKING:
        kind = NoticeKind.BOOKING_CODE
    now = timezone.now()
    row = Notice(
        kind=kind,
        subject=str(code.pk),
        channel=code.channel,
        code=code,
        language=language,
        due_at=now,
        not_after=code.expires_at,
    )
    writing.write(Work(notices=[row]), now=now)


def link_asked(reference: str, indexes: Sequence[str], *, channel: str, language: str) -> None:
    """Have a new link to a visit sent, if its patient has the contact of these blind indexes.

    `indexes` are hexadecimal; `details` of the notice are `reference` and `indexes`. Its channel
    says whether they are of an e-mail address or of a number.
    """
    now = timezone.now()
    row = Notice(
        kind=NoticeKind.LINK,
        subject=str(new_id()),
        channel=channel,
        language=language,
        details={"reference": reference, "indexes": list(indexes)},
        due_at=now,
        not_after=now + LINK_LIVES,
    )
    writing.write(Work(notices=[row]), now=now)


def notice(
    *,
    kind: NoticeKind,
    subject: str,
    channels: Sequence[Channel],
    clinic: Clinic | None = None,
    patient: Patient | None = None,
    appointment: Appointment | None = None,
    offer: WaitlistOffer | None = None,
    details: dict[str, Any] | None = None,
    language: str = "",
    due_at: datetime,
    not_after: datetime,
) -> list[Notice]:
    """Write a notice for each channel, once for each subject; return those that were not there.

    The worker is called where one is due already. `details` hold ids and codes, never PHI.
    """
    rows = [
        Notice(
            kind=kind,
            subject=subject,
            channel=channel,
            clinic=clinic,
            patient=patient,
            appointment=appointment,
            sequence=appointment.sequence if appointment else 0,
            offer=offer,
            details=details or {},
            language=language,
            due_at=due_at,
            not_after=not_after,
        )
        for channel in channels
    ]
    written = writing.write(Work(notices=rows), now=timezone.now())
    return [row for row in rows if row.pk in written.notices]


def of_visit(kind: NoticeKind, visit: Appointment, *, by: Actor, due_at: datetime) -> Notice:
    """Return the notice, not yet written, that something was done to a visit, by e-mail.

    Where the patient has no e-mail the worker takes the text message instead. It may be said until
    the visit begins; that it was booked, for two days at most.
    """
    once = {NoticeKind.BOOKED: "", NoticeKind.MOVED: f" {visit.sequence}"}
    until = visit.scheduled_start
    if kind is NoticeKind.BOOKED:
        until = min(until, due_at + BOOKED_LIVES)
    return Notice(
        kind=kind,
        subject=f"{visit.pk}{once.get(kind, f' {visit.version}')}",
        channel=Channel.EMAIL,
        clinic_id=visit.clinic_id,
        patient_id=visit.patient_id,
        appointment_id=visit.pk,
        sequence=visit.sequence,
        details={BY: by.kind.value},
        due_at=due_at,
        not_after=until,
    )


def is_own_act(row: Notice) -> bool:
    """Say whether it tells of what the patient did or asked for: such a notice waits for no
    morning and counts against no cap."""
    if row.kind in {NoticeKind.RELEASED, NoticeKind.RESTORED, NoticeKind.OFFER}:
        return False
    by: str = row.details.get(BY, ActorKind.PATIENT.value)
    return by == ActorKind.PATIENT.value
