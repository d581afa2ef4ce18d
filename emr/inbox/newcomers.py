"""Books the visits of the other side that are new here.

One that we have without its number there is the same visit; so is none that is over there already.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from emr.fhir.identity import referenced_id
from emr.inbox import agreed, applying, disagreeing, theirs
from emr.inbox.leaving import leave
from emr.inbox.outcomes import NotNow, Outcome, dead, ignored
from emr.inbox.people import patient_here, patient_of
from emr.inbox.reading import Reader
from emr.inbox.theirs import Theirs
from emr.kinds import Arrival, ConflictKind, TaskKind
from emr.models import EMRConnection, EMRLink
from emr.outbox.visits import standing_of
from emr.standings import Standing
from patients.models import Patient
from providers.models import VisitType
from scheduling.claiming import Claim
from scheduling.errors import PatientBusy, SchedulingError, SlotTaken
from scheduling.models import Appointment
from scheduling.transitions import Status

ASSUMED_TYPE = "type-assumed"
MOST_ROLES = 5
UNDECIDED: dict[type[SchedulingError], ConflictKind] = {
    PatientBusy: ConflictKind.PATIENT_BUSY,
    SlotTaken: ConflictKind.NO_LANE,
}


def like(said: Theirs, *, connection: EMRConnection) -> Appointment | None:
    """Return the visit of ours that this must be: of the patient, with the provider, at the time,
    and without a number there."""
    patient = patient_here(connection, said.remote.patient_id)
    if patient is None or said.provider is None or said.start is None:
        return None
    if said.status is not Status.SCHEDULED:
        return None
    linked = EMRLink.objects.filter(
        source_system=connection.source_system,
        resource_type=agreed.APPOINTMENT,
        local_model=Appointment._meta.label_lower,
        ended_at=None,
    )
    visits = Appointment.objects.live().filter(
        clinic=connection.clinic_id,
        patient=patient,
        provider=said.provider,
        scheduled_start=said.start,
    )
    unlinked = visits.exclude(pk__in=linked.values("local_id"))
    return unlinked.select_related(
        "patient", "provider", "clinic__time_zone", "appointment_type"
    ).first()


def take(said: Theirs, *, reader: Reader, now: datetime) -> Outcome:
    """Book a visit of theirs. Raises NotNow while one of the patient's is on its way there, and
    what reading the patient raises."""
    connection, remote = reader.connection, said.remote
    if said.status is not Status.SCHEDULED:
        return ignored("ended-there")
    if not remote.patient_id:
        return dead("no-patient")
    if said.start is None:
        return dead("no-start")
    said = said if said.provider else _by_role(said, reader)
    if said.provider is None:
        return dead("no-provider", patient=patient_here(connection, remote.patient_id))
    patient = patient_of(remote.patient_id, reader=reader)
    if agreed.is_being_booked(connection, patient=patient.pk):
        raise NotNow("being-told")
    kind, is_named = theirs.visit_type(remote, connection)
    if kind is None:
        return dead("no-visit-type", patient=patient.pk)
    outcome = _book(said, patient=patient, kind=kind, connection=connection, now=now)
    codes = outcome.codes if is_named else (*outcome.codes, ASSUMED_TYPE)
    return Outcome(outcome.state, codes, outcome.patient, outcome.appointment)


def _by_role(said: Theirs, reader: Reader) -> Theirs:
    """Look behind the roles that take part, where no provider of ours is named."""
    for role in theirs.roles_in(said.remote)[:MOST_ROLES]:
        whose = referenced_id(reader.resource("PractitionerRole", role).get("practitioner"))
        named = replace(said.remote, provider_ids=(whose,))
        found = theirs.read(named, connection=reader.connection)
        if found.provider is not None:
            return replace(said, provider=found.provider)
    return said


def again(visit: Appointment, said: Theirs, *, connection: EMRConnection, now: datetime) -> Outcome:
    """Book a visit anew that was cancelled here and stands there again; the link is then its."""
    want = said.standing(standing_of(visit))
    restored = Theirs(
        remote=said.remote,
        status=said.status,
        has_arrived=said.has_arrived,
        start=want.start,
        end=want.end,
        provider=said.provider or visit.provider,
    )
    kind = visit.appointment_type
    return _book(restored, patient=visit.patient, kind=kind, connection=connection, now=now)


def _book(
    said: Theirs,
    *,
    patient: Patient,
    kind: VisitType,
    connection: EMRConnection,
    now: datetime,
) -> Outcome:
    start, end = said.start, theirs.end_of(said, kind)
    if start is None or end is None or said.provider is None:
        raise ValueError("a visit is booked with a provider, a start and an end")
    wish = applying.Wish(
        patient=patient,
        provider=said.provider,
        visit_type=kind,
        start=start,
        end=end,
        reason=said.remote.reason,
    )
    settle = partial(_link, connection, said)
    claim = Claim(hold=None, settle=settle, terms=applying.AS_TOLD)
    try:
        applied = applying.book(
            wish, claim=claim, connection=connection, by=applying.SYSTEM, now=now
        )
    except tuple(UNDECIDED) as refusal:
        return _conflict(UNDECIDED[type(refusal)], wish, said, connection=connection)
    visit = _proceed(applied.appointment, said, connection=connection, now=now)
    agreed.write(connection, said.remote, visit, agreed=standing_of(visit))
    disagreeing.settle_open(
        connection,
        resource_type=agreed.APPOINTMENT,
        resource_id=said.remote.remote_id,
        appointment=visit,
        now=now,
    )
    if applied.is_beside_others:
        leave(TaskKind.BESIDE_OTHERS, connection=connection, visit=visit)
    return Outcome(Arrival.DONE, (), visit.patient_id, visit.pk)


def _link(connection: EMRConnection, said: Theirs, visit: Appointment) -> None:
    """Link a visit in the transaction that books it; its version there is not yet all taken."""
    agreed.write(connection, said.remote, visit, agreed=standing_of(visit), is_seen=False)


def _proceed(
    visit: Appointment, said: Theirs, *, connection: EMRConnection, now: datetime
) -> Appointment:
    want = said.standing(standing_of(visit))
    if not (want.has_arrived or want.is_confirmed):
        return visit
    reason = theirs.cancel_reason(said)
    return applying.bring(visit, want, reason=reason, connection=connection, now=now).appointment


def _conflict(
    kind: ConflictKind, wish: applying.Wish, said: Theirs, *, connection: EMRConnection
) -> Outcome:
    """Open a conflict: two visits of one patient at once, or more than there are lanes."""
    link = agreed.link_of(connection, said.remote.remote_id)
    if link is not None and Appointment.objects.live().filter(pk=link.local_id).exists():
        raise NotNow("linked-meanwhile")
    there = Standing(
        start=wish.start,
        end=wish.end,
        provider=str(wish.provider.pk),
        status=said.status,
        has_arrived=said.has_arrived,
        is_confirmed=said.remote.is_confirmed,
    )
    beside = _in_the_way(wish)
    dispute = disagreeing.of_visit(
        kind,
        remote_id=said.remote.remote_id,
        version_id=said.remote.version_id,
        patient=wish.patient.pk,
        appointment=None,
        ours=standing_of(beside) if beside else None,
        theirs=there,
        base=None,
    )
    disagreeing.open_conflict(connection, dispute)
    return Outcome(Arrival.CONFLICT, (kind.value,), wish.patient.pk)


def _in_the_way(wish: applying.Wish) -> Appointment | None:
    """Return the patient's own visit at that time."""
    own = Appointment.objects.live().filter(patient=wish.patient)
    return own.filter(scheduled_start__lt=wish.end, scheduled_end__gt=wish.start).first()
