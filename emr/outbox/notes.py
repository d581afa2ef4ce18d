"""Writes one draft note of a completed visit there, for its provider to look over and sign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from emr.drivers.base import Driver
from emr.failures import EMRError, NotOffered
from emr.kinds import State, TaskKind, Why
from emr.models import OutboundMessage
from emr.outbox import agreements, claims
from emr.outbox.begun import Clock, begin
from emr.outbox.outcomes import Outcome, give_up, kept, leave_to_people, not_sent
from emr.outbox.people import wait_for_patient
from emr.outbox.visits import is_known, read, visit_of
from emr.visits import Known, Note
from scheduling.models import Appointment, VisitNote
from scheduling.transitions import Status


@dataclass(frozen=True, slots=True)
class Writing:
    """A note on its way."""

    appointment: Appointment
    note: Note
    was_unsure: bool


def write(message: OutboundMessage, driver: Driver, clock: Clock) -> Outcome:
    """Bring one message about a note to an end, or to a later time."""
    made = begin(message, _made, clock=clock)
    if isinstance(made, Outcome):
        return made
    was_unsure = made.was_unsure
    try:
        known = _found(made, driver)
        was_unsure = False
        known = known or driver.write_note(made.note)
    except NotOffered:
        return leave_to_people(message, TaskKind.NOTE, made.appointment, now=clock())
    except EMRError as error:
        return not_sent(message, error, was_unsure=was_unsure, now=clock())
    return _written(message, made, known, now=clock())


def _made(message: OutboundMessage, now: datetime) -> tuple[Writing, int | None] | Outcome:
    """Write the note, or write down why there is to be none: it may have been undone."""
    connection = message.connection
    appointment = read(message)
    if appointment.undo_until is not None and appointment.undo_until > now:
        claims.hand_back(message, not_before=appointment.undo_until)
        return Outcome.LATER
    if appointment.status != Status.COMPLETED:
        return kept(Outcome.SKIPPED, is_mine=claims.skip(message, why=Why.UNDONE, now=now))
    if agreements.link_of(appointment.pk, connection, kind=agreements.NOTE):
        is_mine = claims.skip(message, why=Why.NOTHING_TO_SAY, now=now)
        return kept(Outcome.SKIPPED, is_mine=is_mine)
    visit = visit_of(appointment, connection, marker=message.marker)
    waiting = wait_for_patient(message, visit, now=now)
    if waiting is not None:
        return waiting
    if not is_known(visit.provider, connection):
        return give_up(message, Why.NO_PROVIDER, away_from=State.CLAIMED, now=now)
    link = agreements.link_of(appointment.pk, connection)
    if link is None:
        codes = ("no-appointment",)
        return give_up(message, Why.REFUSED, codes, away_from=State.CLAIMED, now=now)
    note = Note(
        marker=str(message.pk),
        visit=visit,
        appointment=agreements.known_by(link),
        text=text_of(appointment),
        author=visit.provider,
        written_at=visit.changed_at,
    )
    return Writing(appointment, note, message.sending_at is not None), appointment.version


def text_of(appointment: Appointment) -> str:
    """Return the facts of a visit and what its provider wrote about it, a line for each."""
    written = VisitNote.objects.filter(appointment=appointment).first()
    with override(settings.LANGUAGE_CODE):
        start, end = appointment.local_start, appointment.local_end
        when = _("%(day)s, %(start)s to %(end)s") % {
            "day": f"{start:%Y-%m-%d}",
            "start": f"{start:%H:%M}",
            "end": f"{end:%H:%M %Z}",
        }
        lines = [
            (_("Draft from the appointment portal"), appointment.reference),
            (_("Visit"), appointment.appointment_type.label),
            (_("Time"), when),
            (_("Provider"), appointment.provider.name),
            (_("Place"), appointment.clinic.name),
            (_("Reason for the visit"), appointment.reason_for_visit),
            (_("Note"), written.text if written else ""),
        ]
    return "\n".join(f"{name}: {value}" for name, value in lines if value)


def _found(made: Writing, driver: Driver) -> Known | None:
    """Return the note that an earlier try has left there; None where there is none, or nobody can
    be asked: its marker makes the next one the same."""
    if not made.was_unsure:
        return None
    try:
        return driver.find_note(made.note)
    except NotOffered:
        return None


@transaction.atomic
def _written(message: OutboundMessage, made: Writing, known: Known, *, now: datetime) -> Outcome:
    if not claims.done(message, now=now):
        return Outcome.LOST
    agreements.write_note(known, appointment=made.appointment, connection=message.connection)
    return Outcome.SENT
