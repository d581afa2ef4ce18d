"""Takes one appointment of the other side as it was read: new here, changed there, or nothing new.

What no rule decides becomes a conflict, what cannot be understood is kept as dead; nothing is
dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emr.agreeing import agree, has_ended
from emr.fhir.appointment import own_id
from emr.inbox import agreed, applying, disagreeing, newcomers, theirs
from emr.inbox.leaving import leave
from emr.inbox.outcomes import NotNow, Outcome, ignored
from emr.inbox.people import patient_here
from emr.inbox.reading import Reader
from emr.inbox.theirs import Theirs
from emr.kinds import Arrival, ConflictKind, TaskKind, Vendor
from emr.models import EMRConnection, EMRLink
from emr.outbox import writing
from emr.outbox.visits import standing_of
from emr.standings import Standing
from emr.visits import Remote
from scheduling.errors import (
    IllegalTransition,
    PatientBusy,
    SchedulingError,
    SlotTaken,
    TooEarly,
    UndoExpired,
)
from scheduling.models import Appointment
from scheduling.models.appointment import AppointmentQuerySet
from scheduling.transitions import Status

UNDECIDED: dict[type[SchedulingError], ConflictKind] = {
    PatientBusy: ConflictKind.PATIENT_BUSY,
    SlotTaken: ConflictKind.NO_LANE,
    UndoExpired: ConflictKind.STATUS,
    IllegalTransition: ConflictKind.STATUS,
    TooEarly: ConflictKind.STATUS,
}


def take(remote: Remote, *, reader: Reader, npi: str = "", now: datetime) -> Outcome:
    """Take an appointment. Raises emr.fhir.errors.Refused for what has no meaning here, NotNow for
    what is being told there at this moment, and the kinds of EMRError."""
    connection = reader.connection
    link = agreed.link_of(connection, remote.remote_id)
    if link is not None and link.ended_at is not None:
        return ignored("replaced")
    if link is not None and (known := agreed.known_as(link, remote)):
        return ignored(known, appointment=link.local_id)
    visit = _linked(link) or _own(remote, connection)
    said = theirs.read(remote, connection=connection, npi=npi, ours=visit)
    visit = visit or newcomers.like(said, connection=connection)
    if visit is None:
        return newcomers.take(said, reader=reader, now=now)
    link = agreed.link_of(connection, remote.remote_id)
    return _Meeting(connection, link, visit, said, now).settle()


def gone(remote_id: str, *, connection: EMRConnection) -> Outcome:
    """Take it that an appointment is no longer there; a visit that is to come is for a person."""
    link = agreed.link_of(connection, remote_id)
    visit = _linked(link) if link is not None and link.ended_at is None else None
    if visit is None or has_ended(ours := standing_of(visit)):
        return ignored("gone")
    dispute = disagreeing.of_visit(
        ConflictKind.GONE,
        remote_id=remote_id,
        version_id="",
        patient=visit.patient_id,
        appointment=visit,
        ours=ours,
        theirs=None,
        base=base_of(link),
    )
    disagreeing.open_conflict(connection, dispute)
    return Outcome(Arrival.CONFLICT, ("GONE",), visit.patient_id, visit.pk)


def base_of(link: EMRLink | None) -> Standing | None:
    """Return what both sides last agreed on, if a link says so."""
    return Standing.of_json(link.agreed) if link is not None and link.agreed else None


@dataclass
class _Meeting:
    """A visit that both sides have: what each says, compared and settled."""

    connection: EMRConnection
    link: EMRLink | None
    visit: Appointment
    said: Theirs
    now: datetime

    def settle(self) -> Outcome:
        if agreed.is_being_told(self.connection, appointment=self.visit.pk):
            raise NotNow("being-told")
        ours = standing_of(self.visit)
        there = self.said.standing(ours)
        base = self._base(there)
        if not self._is_same_patient():
            return self._conflict(ConflictKind.OTHER, ours, there, base)
        verdict = agree(base=base, ours=ours, theirs=there)
        if verdict.conflict is not None:
            return self._conflict(verdict.conflict, ours, there, base)
        if verdict.take is None:
            outcome = self._agree(self.visit, verdict.agreed, push=verdict.push)
            is_same = self.link is not None and base == ours
            return ignored("nothing-new", appointment=self.visit.pk) if is_same else outcome
        if ours.status is Status.CANCELLED and not has_ended(verdict.take):
            return self._revive(verdict.take, ours, there)
        try:
            applied = applying.bring(
                self.visit,
                verdict.take,
                reason=theirs.cancel_reason(self.said),
                connection=self.connection,
                now=self.now,
            )
        except tuple(UNDECIDED) as refusal:
            self.visit.refresh_from_db()
            return self._conflict(UNDECIDED[type(refusal)], standing_of(self.visit), there, base)
        self._leave_tasks(applied)
        return self._agree(applied.appointment, verdict.agreed, push=verdict.push)

    def _base(self, there: Standing) -> Standing | None:
        """Return what both agreed on. A visit of ours that is met for the first time while we
        have more to tell of it has not changed there: ours is the later word."""
        base = base_of(self.link)
        if base is None and agreed.has_more_to_tell(self.connection, appointment=self.visit.pk):
            return there
        return base

    def _is_same_patient(self) -> bool:
        here = patient_here(self.connection, self.said.remote.patient_id)
        return here is None or here == self.visit.patient_id

    def _revive(self, want: Standing, ours: Standing, there: Standing) -> Outcome:
        """A visit that was cancelled and stands again there: undone here, else booked anew."""
        try:
            visit = applying.bring(
                self.visit,
                want,
                reason=theirs.cancel_reason(self.said),
                connection=self.connection,
                now=self.now,
            ).appointment
        except (UndoExpired, SlotTaken, PatientBusy):
            return newcomers.again(self.visit, self.said, connection=self.connection, now=self.now)
        return self._agree(visit, there, push=False)

    def _agree(self, visit: Appointment, both: Standing | None, *, push: bool) -> Outcome:
        remote = self.said.remote
        agreed.write(self.connection, remote, visit, agreed=both)
        disagreeing.settle_open(
            self.connection,
            resource_type=agreed.APPOINTMENT,
            resource_id=remote.remote_id,
            appointment=visit,
            now=self.now,
        )
        is_told = self.connection.sends_visits and push
        if is_told and not agreed.has_more_to_tell(self.connection, appointment=visit.pk):
            writing.tell_again(visit, self.connection, now=self.now)
        return Outcome(Arrival.DONE, (), visit.patient_id, visit.pk)

    def _leave_tasks(self, applied: applying.Applied) -> None:
        if applied.is_beside_others:
            leave(TaskKind.BESIDE_OTHERS, connection=self.connection, visit=applied.appointment)
        if self.said.is_in_error:
            leave(TaskKind.ENTERED_IN_ERROR, connection=self.connection, visit=applied.appointment)

    def _conflict(
        self, kind: ConflictKind, ours: Standing, there: Standing, base: Standing | None
    ) -> Outcome:
        remote = self.said.remote
        if self.link is None:
            agreed.write(self.connection, remote, self.visit, agreed=base, is_seen=False)
        dispute = disagreeing.of_visit(
            kind,
            remote_id=remote.remote_id,
            version_id=remote.version_id,
            patient=self.visit.patient_id,
            appointment=self.visit,
            ours=ours,
            theirs=there,
            base=base,
        )
        disagreeing.open_conflict(self.connection, dispute)
        return Outcome(Arrival.CONFLICT, (kind.value,), self.visit.patient_id, self.visit.pk)


def _linked(link: EMRLink | None) -> Appointment | None:
    if link is None:
        return None
    return _visits().filter(pk=link.local_id).first()


def _own(remote: Remote, connection: EMRConnection) -> Appointment | None:
    """Return the visit of ours whose identifier an appointment bears, if this clinic has it.

    A copy of one that is linked already is another appointment, but in HL7 v2, where the other
    side's own number comes later.
    """
    named = own_id(remote.identifiers)
    if named is None:
        return None
    visit = _visits().filter(pk=named, clinic=connection.clinic_id).first()
    link = agreed.link_to(connection, named) if visit is not None else None
    if link is None or link.resource_id == remote.remote_id:
        return visit
    if connection.vendor != Vendor.HL7V2:
        return None
    EMRLink.objects.filter(pk=link.pk).update(resource_id=remote.remote_id)
    return visit


def _visits() -> AppointmentQuerySet:
    return Appointment.objects.select_related(
        "patient", "provider", "clinic__time_zone", "appointment_type"
    )
