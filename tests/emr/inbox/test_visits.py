"""What becomes here of appointments that are made and changed in the record system."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from emr.fhir.appointment import CONFIRMED_TAG, own_value
from emr.fhir.systems import OWN_SYSTEM, OWN_VISIT_TYPES
from emr.kinds import Arrival, ConflictKind, State, Why
from emr.models import EMRLink, InboundMessage, OutboundMessage
from patients.models import Patient
from providers.models import VisitType
from reminders.kinds import NoticeKind
from reminders.models import Notice
from scheduling import booking
from scheduling.models import Appointment, BookedVia
from scheduling.transitions import Status
from tests.emr.inbox.conftest import Joined
from tests.factories import ClinicFactory
from tests.factories.emr import link_to

HOUR = timedelta(hours=1)


def the_visit() -> Appointment:
    return Appointment.objects.get()


def test_a_visit_that_is_new_here_is_booked_as_told(joined: Joined) -> None:
    start = joined.clock()
    remote = joined.add(start, minutes=45, reasonCode=[{"text": "sore knee"}])
    message = joined.tell(remote)
    visit = the_visit()
    assert (message.state, message.appointment_id) == (Arrival.DONE, visit.pk)
    assert (visit.patient, visit.provider) == (joined.patient, joined.provider)
    assert (visit.scheduled_start, visit.scheduled_end) == (start, start + timedelta(minutes=45))
    assert (visit.booked_via, visit.reason_for_visit) == (BookedVia.EMR, "sore knee")
    link = EMRLink.objects.get(resource_type="Appointment")
    assert (link.local_id, link.version_id) == (visit.pk, "1")


def test_what_came_from_there_is_not_told_there(joined: Joined) -> None:
    remote = joined.add(joined.clock())
    joined.tell(remote)
    joined.move(remote, joined.clock("11:00"))
    joined.tell(remote)
    joined.peer.change("Appointment", remote, status="cancelled")
    joined.tell(remote)
    assert the_visit().status == Status.CANCELLED
    assert not OutboundMessage.objects.exists()


def test_a_visit_at_night_on_a_holiday_and_in_the_past_is_taken_too(joined: Joined) -> None:
    joined.provider.time_off.create(
        start_datetime=joined.clock("00:00"), end_datetime=joined.clock("23:59")
    )
    for number, start in enumerate([joined.clock("03:00"), joined.now - 40 * 24 * HOUR]):
        joined.tell(joined.add(start))
        assert Appointment.objects.count() == number + 1


def test_its_type_is_the_one_that_the_codes_name(joined: Joined) -> None:
    other = VisitType.objects.create(code="URGENT_CARE", label="Urgent care", minutes=20)
    coded = {"coding": [{"system": OWN_VISIT_TYPES, "code": "URGENT_CARE"}]}
    joined.tell(joined.add(joined.clock(), appointmentType=coded))
    assert the_visit().appointment_type == other


def test_without_a_known_code_it_is_an_ordinary_visit_and_that_is_said(joined: Joined) -> None:
    message = joined.tell(joined.add(joined.clock()))
    assert the_visit().appointment_type == joined.visit_type
    assert message.codes == ["type-assumed"]


def test_an_arrival_and_a_confirmation_come_with_the_visit(joined: Joined) -> None:
    remote = joined.add(joined.clock(), status="arrived", meta={"tag": [dict(CONFIRMED_TAG)]})
    joined.tell(remote)
    visit = the_visit()
    assert visit.status == Status.CONFIRMED
    assert visit.arrived_at is not None


def test_a_move_there_moves_the_visit_here_once(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.move(remote, joined.clock("11:00"))
    assert joined.tell(remote).state == Arrival.DONE
    visit.refresh_from_db()
    assert (visit.scheduled_start, visit.sequence) == (joined.clock("11:00"), 1)
    again = joined.tell(remote)
    assert (again.state, again.codes) == (Arrival.IGNORED, ["echo"])
    visit.refresh_from_db()
    assert visit.sequence == 1


def test_a_visit_that_only_lasts_longer_is_not_told_as_a_move(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.move(remote, joined.clock(), end=(joined.clock() + HOUR).isoformat())
    joined.tell(remote)
    visit.refresh_from_db()
    assert visit.scheduled_end == joined.clock() + HOUR
    assert not Notice.objects.filter(kind=NoticeKind.MOVED).exists()
    joined.move(remote, joined.clock("14:00"))
    joined.tell(remote)
    assert Notice.objects.filter(kind=NoticeKind.MOVED).exists()


@pytest.mark.parametrize(
    ("word", "status"),
    [("cancelled", Status.CANCELLED), ("fulfilled", Status.COMPLETED), ("noshow", Status.NO_SHOW)],
)
def test_an_ending_there_ends_the_visit_here(joined: Joined, word: str, status: Status) -> None:
    visit, remote = joined.shared(joined.clock())
    Appointment.objects.filter(pk=visit.pk).update(
        scheduled_start=joined.now - 2 * HOUR,
        scheduled_end=joined.now - HOUR,
        busy=(joined.now - 2 * HOUR, joined.now - HOUR),
    )
    link = EMRLink.objects.get(local_id=visit.pk)
    start, end = joined.now - 2 * HOUR, joined.now - HOUR
    link.agreed |= {"start": start.isoformat(), "end": end.isoformat()}
    link.save()
    joined.peer.change("Appointment", remote, status=word, start=None, end=None)
    assert joined.tell(remote).state == Arrival.DONE
    visit.refresh_from_db()
    assert visit.status == status


def test_booked_there_leaves_a_confirmation_here_alone(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    booking.confirm(appointment=visit, by=joined.desk, now=joined.now)
    joined.peer.change("Appointment", remote, comment="somebody typed something")
    joined.tell(remote)
    visit.refresh_from_db()
    assert visit.status == Status.CONFIRMED


def test_an_arrival_there_is_noted_here(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.peer.change("Appointment", remote, status="checked-in")
    joined.tell(remote)
    visit.refresh_from_db()
    assert visit.arrived_at is not None


def test_who_has_not_come_yet_is_no_no_show_before_the_grace_is_over(joined: Joined) -> None:
    start = timezone.now() - timedelta(minutes=5)
    remote = joined.add(start)
    joined.tell(remote)
    joined.peer.change("Appointment", remote, status="noshow")
    message = joined.tell(remote)
    assert (message.state, message.codes) == (Arrival.RECEIVED, ["too-early"])
    assert timedelta(minutes=8) < message.not_before - timezone.now() < timedelta(minutes=11)
    assert the_visit().status == Status.SCHEDULED


def test_a_visit_fulfilled_before_its_time_is_completed(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.peer.change("Appointment", remote, status="fulfilled")
    joined.tell(remote)
    visit.refresh_from_db()
    assert visit.status == Status.COMPLETED


def test_entered_in_error_cancels_the_visit_and_tells_the_desk(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.peer.change("Appointment", remote, status="entered-in-error")
    joined.tell(remote)
    visit.refresh_from_db()
    assert visit.status == Status.CANCELLED
    assert visit.events.get(kind="CANCEL").details["reason"] == "BOOKED_IN_ERROR"
    assert joined.tasks == ["ENTERED_IN_ERROR"]


@pytest.mark.parametrize("word", ["proposed", "waitlist", "", "Booked", "on hold, ask Mrs. Doe"])
def test_an_unknown_status_is_never_guessed_at(joined: Joined, word: str) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.move(remote, joined.clock("11:00"), status=word)
    message = joined.tell(remote)
    assert (message.state, message.codes) == (Arrival.DEAD, ["unknown-status"])
    visit.refresh_from_db()
    assert (visit.scheduled_start, visit.status) == (joined.clock(), Status.SCHEDULED)


def test_a_visit_over_another_of_the_provider_stands_beside_it(
    joined: Joined, somebody: Patient
) -> None:
    joined.booked(joined.clock(), patient=somebody)
    message = joined.tell(joined.add(joined.clock()))
    visit = Appointment.objects.get(patient=joined.patient)
    assert (message.state, visit.overbook_lane) == (Arrival.DONE, 1)
    assert joined.tasks == ["BESIDE_OTHERS"]


def test_a_move_over_another_of_the_provider_stands_beside_it(
    joined: Joined, somebody: Patient
) -> None:
    joined.booked(joined.clock("11:00"), patient=somebody)
    visit, remote = joined.shared(joined.clock())
    joined.move(remote, joined.clock("11:15"))
    joined.tell(remote)
    visit.refresh_from_db()
    assert (visit.scheduled_start, visit.overbook_lane) == (joined.clock("11:15"), 1)
    assert joined.tasks == ["BESIDE_OTHERS"]


def test_a_visit_over_the_patient_s_own_is_a_conflict(joined: Joined) -> None:
    own = joined.booked(joined.clock())
    joined.link(own, joined.add(joined.clock()))
    message = joined.tell(joined.add(joined.clock("10:15")))
    assert (message.state, message.codes[0]) == (Arrival.CONFLICT, "PATIENT_BUSY")
    (conflict,) = joined.conflicts
    assert (conflict.kind, conflict.patient) == (ConflictKind.PATIENT_BUSY, joined.patient)
    assert the_visit() == own


def test_a_move_over_the_patient_s_own_is_a_conflict_and_moves_nothing(joined: Joined) -> None:
    joined.booked(joined.clock("11:00"))
    visit, remote = joined.shared(joined.clock())
    joined.move(remote, joined.clock("11:00"))
    assert joined.tell(remote).state == Arrival.CONFLICT
    visit.refresh_from_db()
    assert visit.scheduled_start == joined.clock()


def test_two_different_moves_are_kept_side_by_side_and_nothing_is_told(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    booking.reschedule(
        appointment=visit, start=joined.clock("13:00"), by=joined.desk, now=joined.now
    )
    joined.move(remote, joined.clock("11:00"))
    message = joined.tell(remote)
    assert (message.state, message.codes) == (Arrival.CONFLICT, ["BOTH_MOVED"])
    (conflict,) = joined.conflicts
    assert conflict.appointment == visit
    assert all(hour in conflict.sides for hour in ("ours", "theirs", "base"))
    visit.refresh_from_db()
    assert visit.scheduled_start == joined.clock("13:00")
    (waiting,) = OutboundMessage.objects.all()
    assert (waiting.state, waiting.why) == (State.WAITING, Why.CONFLICT)


def test_a_conflict_ends_by_itself_when_both_sides_agree_again(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    booking.reschedule(
        appointment=visit, start=joined.clock("13:00"), by=joined.desk, now=joined.now
    )
    joined.move(remote, joined.clock("11:00"))
    joined.tell(remote)
    joined.move(remote, joined.clock("13:00"))
    joined.tell(remote)
    assert joined.conflicts == []
    assert OutboundMessage.objects.get().state == State.QUEUED


def test_a_newer_version_brings_an_open_conflict_up_to_date(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    booking.reschedule(
        appointment=visit, start=joined.clock("13:00"), by=joined.desk, now=joined.now
    )
    for clock in ("11:00", "14:00"):
        version = joined.move(remote, joined.clock(clock))
        joined.tell(remote)
    (conflict,) = joined.conflicts
    assert conflict.version_id == version
    assert "19:00" in conflict.sides or "18:00" in conflict.sides


def test_our_move_while_theirs_stands_is_left_to_be_told(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    booking.reschedule(
        appointment=visit, start=joined.clock("13:00"), by=joined.desk, now=joined.now
    )
    joined.peer.change("Appointment", remote, comment="nothing of ours")
    assert joined.tell(remote).state == Arrival.DONE
    visit.refresh_from_db()
    assert visit.scheduled_start == joined.clock("13:00")
    assert OutboundMessage.objects.get().state == State.QUEUED
    assert joined.conflicts == []


def test_a_visit_that_is_gone_there_is_for_a_person(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.peer.store.delete("Appointment", remote)
    assert joined.tell(remote, event="DELETE").state == Arrival.CONFLICT
    assert [one.kind for one in joined.conflicts] == [ConflictKind.GONE]
    visit.refresh_from_db()
    assert visit.status == Status.SCHEDULED


def test_our_own_visit_is_known_by_its_identifier(joined: Joined) -> None:
    visit = joined.booked(joined.clock())
    remote = joined.add(joined.clock(), identifiers=[(OWN_SYSTEM, own_value(visit.pk))])
    assert joined.tell(remote).state == Arrival.DONE
    assert the_visit() == visit
    assert EMRLink.objects.get(local_id=visit.pk).resource_id == remote


def test_our_own_visit_without_an_identifier_is_known_by_who_with_whom_and_when(
    joined: Joined,
) -> None:
    visit = joined.booked(joined.clock())
    remote = joined.add(joined.clock())
    joined.tell(remote)
    assert the_visit() == visit
    assert EMRLink.objects.get(local_id=visit.pk).resource_id == remote


def test_a_cancelled_one_at_the_same_time_is_not_taken_for_ours(joined: Joined) -> None:
    visit = joined.booked(joined.clock())
    message = joined.tell(joined.add(joined.clock(), status="cancelled"))
    assert (message.state, message.codes) == (Arrival.IGNORED, ["ended-there"])
    visit.refresh_from_db()
    assert visit.status == Status.SCHEDULED


def test_the_echo_of_a_message_on_its_way_makes_no_second_visit(joined: Joined) -> None:
    visit = joined.booked(joined.clock())
    OutboundMessage.objects.update(state=State.SENDING, sending_at=joined.now)
    remote = joined.add(joined.clock(), identifiers=[(OWN_SYSTEM, own_value(visit.pk))])
    message = joined.tell(remote)
    assert (message.state, message.codes) == (Arrival.RECEIVED, ["being-told"])
    assert the_visit() == visit
    assert not EMRLink.objects.filter(resource_type="Appointment").exists()


def test_while_something_is_perhaps_booked_there_nothing_of_the_patient_is_new(
    joined: Joined,
) -> None:
    """Without identifiers nobody can tell the one from the other yet."""
    visit = joined.booked(joined.clock())
    OutboundMessage.objects.update(state=State.UNKNOWN, sending_at=joined.now)
    Appointment.objects.filter(pk=visit.pk).update(version=5)
    moved = booking.reschedule(
        appointment=Appointment.objects.get(),
        start=joined.clock("15:00"),
        by=joined.desk,
        now=joined.now,
    )
    message = joined.tell(joined.add(joined.clock()))
    assert message.codes == ["being-told"]
    assert the_visit() == moved


def test_an_older_version_changes_nothing(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    EMRLink.objects.filter(local_id=visit.pk).update(version_id="7")
    joined.move(remote, joined.clock("11:00"))
    message = joined.tell(remote)
    assert (message.state, message.codes) == (Arrival.IGNORED, ["older"])
    visit.refresh_from_db()
    assert visit.scheduled_start == joined.clock()


def test_notifications_out_of_order_end_at_what_is_so_now(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    for clock in ("11:00", "12:00", "13:00"):
        joined.move(remote, joined.clock(clock))
    for version in ("4", "2", "3"):
        joined.tell(remote, version_id=version, key=f"Appointment/{remote}/{version}")
    visit.refresh_from_db()
    assert (visit.scheduled_start, visit.sequence) == (joined.clock("13:00"), 1)


def test_many_notifications_of_one_resource_are_one_reading(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    joined.move(remote, joined.clock("11:00"))
    for _notification in range(19):
        joined.receive(remote)
    joined.peer.calls.clear()
    joined.tell(remote)
    assert len(joined.peer.calls_to("GET", "Appointment")) == 1
    states = list(InboundMessage.objects.values_list("state", flat=True))
    assert sorted(states) == ["DONE", *["IGNORED"] * 19]
    visit.refresh_from_db()
    assert visit.sequence == 1


def test_a_visit_with_a_provider_not_known_here_is_kept_as_dead(joined: Joined) -> None:
    stranger = joined.peer.add_practitioner(name="Dr. Somebody Else")
    message = joined.tell(joined.add(joined.clock(), practitioner=stranger))
    assert (message.state, message.codes) == (Arrival.DEAD, ["no-provider"])
    assert message.patient == joined.patient


def test_a_provider_is_found_behind_the_role_that_is_named(joined: Joined) -> None:
    role = joined.peer.add(
        {
            "resourceType": "PractitionerRole",
            "practitioner": {"reference": f"Practitioner/{joined.provider_there}"},
        }
    )
    actors = [
        {"actor": {"reference": reference}, "status": "accepted"}
        for reference in (f"Patient/{joined.patient_there}", f"PractitionerRole/{role}")
    ]
    joined.tell(joined.add(joined.clock(), participant=actors))
    assert the_visit().provider == joined.provider


def test_a_visit_of_another_clinic_s_is_not_ours_because_it_says_so(joined: Joined) -> None:
    visit = joined.booked(joined.clock())
    Appointment.objects.filter(pk=visit.pk).update(clinic=ClinicFactory.create())
    remote = joined.add(
        joined.clock("14:00"),
        status="cancelled",
        identifiers=[(OWN_SYSTEM, own_value(visit.pk))],
    )
    joined.tell(remote)
    visit.refresh_from_db()
    assert visit.status == Status.SCHEDULED


def test_another_patient_at_our_visit_is_for_a_person(joined: Joined, somebody: Patient) -> None:
    visit, remote = joined.shared(joined.clock())
    other = joined.peer.add_patient(given="Other", family="Person")
    link_to(joined.connection, somebody, "Patient", other)
    actors = [
        {"actor": {"reference": f"Patient/{other}"}, "status": "accepted"},
        {"actor": {"reference": f"Practitioner/{joined.provider_there}"}, "status": "accepted"},
    ]
    joined.peer.change("Appointment", remote, participant=actors)
    assert joined.tell(remote).codes == ["OTHER"]
    visit.refresh_from_db()
    assert visit.patient == joined.patient


def test_a_visit_revived_there_is_booked_anew_here(joined: Joined) -> None:
    remote = joined.add(joined.clock())
    joined.tell(remote)
    joined.peer.change("Appointment", remote, status="cancelled")
    joined.tell(remote)
    joined.peer.change("Appointment", remote, status="booked")
    assert joined.tell(remote).state == Arrival.DONE
    live = Appointment.objects.live().get()
    assert live.scheduled_start == joined.clock()
    assert EMRLink.objects.get(resource_id=remote).local_id == live.pk


def test_an_appointment_that_was_replaced_there_is_nobody_s_any_more(joined: Joined) -> None:
    visit, remote = joined.shared(joined.clock())
    EMRLink.objects.filter(resource_id=remote).update(ended_at=joined.now)
    joined.peer.change("Appointment", remote, status="cancelled")
    assert joined.tell(remote).codes == ["replaced"]
    visit.refresh_from_db()
    assert visit.status == Status.SCHEDULED
