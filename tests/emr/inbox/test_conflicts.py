"""What a person decides about two sides: ours is told, theirs is taken, once."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User

from emr.inbox import conflicts
from emr.kinds import State
from emr.models import EMRLink, OutboundMessage, SyncConflict
from emr.outbox.agreements import agreed_in, link_of
from emr.outbox.planning import steps
from emr.outbox.visits import standing_of
from emr.visits import Step
from patients.models import Patient
from scheduling import booking
from scheduling.errors import PatientBusy, UndoExpired
from scheduling.models import Appointment
from scheduling.transitions import Status
from tests.emr.inbox.conftest import Joined
from tests.emr.inbox.test_people import disputed
from tests.factories import UserFactory


@pytest.fixture
def clerk(db: None) -> User:
    return UserFactory.create()


def both_moved(joined: Joined) -> tuple[Appointment, str, SyncConflict]:
    visit, remote = joined.shared(joined.clock())
    booking.reschedule(
        appointment=visit, start=joined.clock("13:00"), by=joined.desk, now=joined.now
    )
    joined.move(remote, joined.clock("11:00"))
    joined.tell(remote)
    visit.refresh_from_db()
    return visit, remote, joined.conflicts[0]


def still_to_say(joined: Joined, visit: Appointment) -> list[Step]:
    wanted = standing_of(visit)
    link = link_of(visit.pk, joined.connection)
    return steps(agreed_in(link, wanted=wanted), wanted)


def test_ours_stands_and_the_difference_is_told(joined: Joined, clerk: User, now: datetime) -> None:
    visit, _remote, conflict = both_moved(joined)
    conflicts.keep_ours(conflict, by=clerk, now=now)
    assert joined.conflicts == []
    assert OutboundMessage.objects.get().state == State.QUEUED
    assert still_to_say(joined, visit) == [Step.RESCHEDULE]


def test_theirs_is_taken_and_nothing_is_left_to_say(
    joined: Joined, clerk: User, now: datetime
) -> None:
    visit, _remote, conflict = both_moved(joined)
    conflicts.take_theirs(conflict, by=clerk, now=now)
    visit.refresh_from_db()
    assert visit.scheduled_start == joined.clock("11:00")
    assert visit.events.filter(kind="MOVE", by_user=clerk).exists()
    assert still_to_say(joined, visit) == []
    settled = SyncConflict.objects.get()
    assert (settled.resolution, settled.closed_by) == ("THEIRS", clerk)


@pytest.mark.parametrize("settle", [conflicts.keep_ours, conflicts.take_theirs])
def test_it_is_settled_once(
    joined: Joined,
    clerk: User,
    now: datetime,
    settle: object,
) -> None:
    _visit, _remote, conflict = both_moved(joined)
    conflicts.keep_ours(conflict, by=clerk, now=now)
    with pytest.raises(conflicts.AlreadySettled):
        settle(conflict, by=clerk, now=now)  # type: ignore[operator]


def test_ours_stands_though_nothing_was_queued(joined: Joined, clerk: User, now: datetime) -> None:
    visit, _remote, conflict = both_moved(joined)
    OutboundMessage.objects.all().delete()
    conflicts.keep_ours(conflict, by=clerk, now=now)
    assert OutboundMessage.objects.get().appointment == visit


def test_a_visit_that_is_gone_there_is_made_there_anew(
    joined: Joined, clerk: User, now: datetime
) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.peer.store.delete("Appointment", remote)
    joined.tell(remote)
    conflicts.keep_ours(joined.conflicts[0], by=clerk, now=now)
    assert still_to_say(joined, visit) == [Step.BOOK]
    assert OutboundMessage.objects.get().state == State.QUEUED


def test_a_visit_that_is_gone_there_is_called_off_here(
    joined: Joined, clerk: User, now: datetime
) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.peer.store.delete("Appointment", remote)
    joined.tell(remote)
    conflicts.take_theirs(joined.conflicts[0], by=clerk, now=now)
    visit.refresh_from_db()
    assert visit.status == Status.CANCELLED
    assert not OutboundMessage.objects.exists()
    assert EMRLink.objects.get(resource_id=remote).ended_at is not None


def test_a_visit_over_the_patient_s_own_is_taken_once_that_is_out_of_the_way(
    joined: Joined, clerk: User, now: datetime
) -> None:
    own, _own_remote = joined.shared(joined.clock())
    remote = joined.add(joined.clock("10:15"))
    joined.tell(remote)
    (conflict,) = joined.conflicts
    with pytest.raises(PatientBusy):
        conflicts.take_theirs(conflict, by=clerk, now=now)
    assert joined.conflicts == [conflict]
    booking.reschedule(appointment=own, start=joined.clock("15:00"), by=joined.desk, now=now)
    conflicts.take_theirs(conflict, by=clerk, now=now)
    taken = Appointment.objects.get(scheduled_start=joined.clock("10:15"))
    assert EMRLink.objects.get(resource_id=remote).local_id == taken.pk


def test_two_endings_are_settled_by_ours_alone(joined: Joined, clerk: User, now: datetime) -> None:
    visit, remote = joined.shared(joined.clock())
    done = booking.check_in(appointment=visit, by=joined.desk, now=now)
    done = booking.complete(appointment=done, by=joined.desk, now=now)
    Appointment.objects.filter(pk=visit.pk).update(undo_until=None)
    joined.peer.change("Appointment", remote, status="noshow")
    joined.tell(remote)
    (conflict,) = joined.conflicts
    assert conflict.kind == "STATUS"
    visit.refresh_from_db()
    with pytest.raises(Exception, match=r"(?i)not possible"):
        conflicts.take_theirs(conflict, by=clerk, now=now)
    conflicts.keep_ours(conflict, by=clerk, now=now)
    assert still_to_say(joined, visit) == [Step.REVERT, Step.COMPLETE]


@pytest.mark.parametrize("can_be_undone", [True, False])
def test_an_ending_is_taken_back_as_long_as_it_can_be_undone(
    joined: Joined, clerk: User, now: datetime, *, can_be_undone: bool
) -> None:
    visit, remote = joined.shared(joined.clock())
    done = booking.check_in(appointment=visit, by=joined.desk, now=now)
    booking.complete(appointment=done, by=joined.desk, now=now)
    joined.move(remote, joined.clock("11:00"))
    joined.tell(remote)
    (conflict,) = joined.conflicts
    if not can_be_undone:
        Appointment.objects.filter(pk=visit.pk).update(undo_until=None)
        with pytest.raises(UndoExpired):
            conflicts.take_theirs(conflict, by=clerk, now=now)
        assert joined.conflicts == [conflict]
        return
    conflicts.take_theirs(conflict, by=clerk, now=now)
    visit.refresh_from_db()
    assert (visit.status, visit.scheduled_start) == (Status.SCHEDULED, joined.clock("11:00"))
    assert joined.conflicts == []


@pytest.mark.parametrize(
    ("settle", "phone"),
    [(conflicts.keep_ours, "+12125550142"), (conflicts.take_theirs, "+12125550199")],
)
def test_a_dispute_about_a_patient_is_settled_and_stays_so(
    joined: Joined, clerk: User, now: datetime, settle: object, phone: str
) -> None:
    remote = disputed(joined)
    joined.tell(remote, "Patient")
    settle(joined.conflicts[0], by=clerk, now=now)  # type: ignore[operator]
    assert Patient.objects.get().phone == phone
    joined.peer.change("Patient", remote, maritalStatus={"text": "no matter"})
    joined.tell(remote, "Patient")
    assert joined.conflicts == []
    assert Patient.objects.get().phone == phone
