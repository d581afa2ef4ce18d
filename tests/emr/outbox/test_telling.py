"""What becomes of a visit at the record system: one message after the other, by what is so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from emr.kinds import ConflictKind, State, TaskKind, What, Why
from emr.models import EMRCode, EMRConnection, EMRLink, EMRTask, OutboundMessage, SyncConflict
from emr.outbox import writing
from emr.standings import Standing
from patients.models import AuditEntry
from patients.models.audit import Act
from scheduling import booking
from scheduling.models import Appointment
from scheduling.transitions import Status
from tests.emr.outbox.scene import HOUR, MINUTE, Scene, begun, cancel
from tests.factories import ClinicFactory, ProviderFactory, someone_at_the_desk

pytestmark = pytest.mark.django_db
OVER = timedelta(minutes=11)


@pytest.fixture(autouse=True)
def _recorded(settings: Any) -> None:
    """Nothing sealed is opened without a record of it."""
    settings.LOOKS_MUST_BE_RECORDED = True


def link_of(visit: Appointment) -> EMRLink:
    return EMRLink.objects.get(resource_type="Appointment", local_id=visit.pk, ended_at=None)


def agreed(visit: Appointment) -> Standing:
    return Standing.of_json(link_of(visit).agreed)


def again(visit: Appointment) -> Appointment:
    return Appointment.objects.select_related("clinic", "provider").get(pk=visit.pk)


def move(visit: Appointment, by: timedelta = HOUR) -> Appointment:
    return booking.reschedule(
        appointment=again(visit),
        start=visit.scheduled_start + by,
        by=someone_at_the_desk(),
        now=timezone.now(),
    )


def test_a_booking_is_made_there_and_agreed_on(at_generic: Scene) -> None:
    visit = at_generic.book()
    assert at_generic.push() == {"sent": 1, "unfinished": 0}
    [there] = at_generic.remote
    assert there["status"] == "booked"
    assert there["identifier"][0]["value"] == f"urn:uuid:{visit.pk}"
    link = link_of(visit)
    assert link.resource_id == there["id"]
    assert link.version_id == there["meta"]["versionId"]
    assert (agreed(visit).start, agreed(visit).provider) == (
        visit.scheduled_start,
        str(visit.provider_id),
    )
    assert at_generic.message().state == State.DONE


def test_a_look_is_recorded_of_each_message_and_names_the_patient(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    sent = AuditEntry.objects.get(action=Act.SEND)
    assert sent.patient_ids == [visit.patient_id]
    assert (sent.system_actor, sent.purpose, sent.clinic) == ("system:emr", "emr", visit.clinic)
    assert "reason_for_visit" in sent.field_names


def test_moved_confirmed_arrived_and_done(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    visit = move(visit)
    at_generic.push()
    assert at_generic.remote[0]["start"] == f"{visit.scheduled_start:%Y-%m-%dT%H:%M:%S}Z"
    visit = booking.confirm(appointment=visit, by=someone_at_the_desk(), now=timezone.now())
    at_generic.push()
    assert at_generic.remote[0]["meta"]["tag"]
    assert agreed(visit).is_confirmed
    visit = booking.check_in(appointment=visit, by=someone_at_the_desk(), now=timezone.now())
    at_generic.push()
    assert at_generic.remote[0]["status"] == "arrived"
    visit = begun(visit)
    booking.complete(appointment=visit, by=someone_at_the_desk(), now=timezone.now())
    at_generic.push(later=OVER)
    [there] = at_generic.remote
    assert there["status"] == "fulfilled"
    assert agreed(visit).status is Status.COMPLETED
    assert at_generic.states == {State.DONE: 6}  # five of the visit, and the note


def test_what_happened_while_nobody_was_there_is_said_at_once_as_it_is_now(
    at_generic: Scene,
) -> None:
    visit = at_generic.book()
    move(visit)
    booking.confirm(appointment=move(visit, 2 * HOUR), by=someone_at_the_desk(), now=timezone.now())
    at_generic.push()
    assert len(at_generic.peer.calls_to("POST", "Appointment")) == 1
    [there] = at_generic.remote
    assert there["start"] == f"{visit.scheduled_start + 2 * HOUR:%Y-%m-%dT%H:%M:%S}Z"
    assert at_generic.states == {State.DONE: 1, State.SKIPPED: 3}
    assert set(OutboundMessage.objects.filter(state="SKIPPED").values_list("why", flat=True)) == {
        Why.NOTHING_TO_SAY
    }


def test_a_visit_that_was_cancelled_before_it_was_ever_told_is_not_told(
    at_generic: Scene,
) -> None:
    cancel(at_generic.book())
    at_generic.push(later=OVER)
    assert at_generic.remote == []
    assert at_generic.states == {State.SKIPPED: 2}


def test_a_staff_cancellation_leaves_after_ten_minutes_and_an_undone_one_never(
    at_generic: Scene,
) -> None:
    visit, other = at_generic.book(), at_generic.book(half_hour=4)
    at_generic.push()
    cancel(visit)
    undone = cancel(other)
    at_generic.push(later=9 * MINUTE)
    assert {there["status"] for there in at_generic.remote} == {"booked"}
    booking.undo(appointment=undone, by=someone_at_the_desk(), now=timezone.now())
    calls = len(at_generic.peer.calls)
    at_generic.push()
    assert len(at_generic.peer.calls) == calls
    assert at_generic.message(appointment=other).why == Why.UNDONE
    at_generic.push(later=OVER)
    by_id = {there["id"]: there["status"] for there in at_generic.remote}
    assert by_id == {
        link_of(visit).resource_id: "cancelled",
        link_of(other).resource_id: "booked",
    }


def test_a_move_that_is_still_queued_does_not_carry_a_cancellation_out_early(
    at_generic: Scene,
) -> None:
    visit = at_generic.book()
    at_generic.push()
    cancel(move(visit))
    assert at_generic.push()["later"] == 1
    assert at_generic.remote[0]["status"] == "booked"
    at_generic.push(later=OVER)
    assert at_generic.remote[0]["status"] == "cancelled"


def test_sent_now_it_leaves_now(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    booking.send_now(appointment=cancel(visit), by=someone_at_the_desk(), now=timezone.now())
    at_generic.push()
    assert at_generic.remote[0]["status"] == "cancelled"
    assert "cancelationReason" in at_generic.remote[0]


def test_undone_after_it_was_told_it_is_taken_back(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    cancelled = cancel(visit)
    at_generic.push(later=OVER)
    booking.undo(appointment=cancelled, by=someone_at_the_desk(), now=timezone.now())
    at_generic.push()
    assert [there["status"] for there in at_generic.remote] == ["booked"]


def test_what_cannot_be_brought_back_there_is_booked_anew(at_oracle: Scene) -> None:
    visit = at_oracle.book()
    at_oracle.push()
    cancelled = cancel(visit)
    at_oracle.push(later=OVER)
    booking.undo(appointment=cancelled, by=someone_at_the_desk(), now=timezone.now())
    at_oracle.free(0)
    at_oracle.push()
    assert sorted(there["status"] for there in at_oracle.remote) == ["booked", "cancelled"]
    old, new = EMRLink.objects.filter(resource_type="Appointment").order_by("ended_at")
    assert old.ended_at is not None
    assert new == link_of(visit)


def test_a_no_show_is_said(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    booking.mark_no_show(appointment=begun(visit), by=someone_at_the_desk(), now=timezone.now())
    at_generic.push(later=OVER)
    assert at_generic.remote[0]["status"] == "noshow"


def test_a_no_show_that_oracle_has_no_word_for_is_somebodys_task(at_oracle: Scene) -> None:
    visit = at_oracle.book()
    at_oracle.push()
    in_two_weeks = 14 * 24 * HOUR
    booking.mark_no_show(
        appointment=again(visit), by=someone_at_the_desk(), now=timezone.now() + in_two_weeks
    )
    at_oracle.push(later=in_two_weeks + OVER)
    task = EMRTask.objects.get()
    assert (task.kind, task.appointment, task.clinic) == (TaskKind.NO_SHOW, visit, visit.clinic)
    assert (at_oracle.message().state, at_oracle.message().why) == (
        State.SKIPPED,
        Why.NOT_OFFERED,
    )
    assert at_oracle.remote[0]["status"] == "booked"


def test_what_epic_cannot_be_told_is_somebodys_task(at_epic: Scene) -> None:
    visit = at_epic.book()
    at_epic.push()
    assert [there["status"] for there in at_epic.remote] == ["booked"]
    cancel(visit)
    at_epic.push(later=OVER)
    assert EMRTask.objects.get().kind == TaskKind.BY_HAND
    assert at_epic.states == {State.DONE: 1, State.SKIPPED: 1}


def test_a_visit_that_moves_to_another_clinic_is_cancelled_at_the_firsts_system(
    at_generic: Scene,
) -> None:
    visit = at_generic.book()
    at_generic.push()
    elsewhere = ClinicFactory.create()
    colleague = ProviderFactory.create(clinic=elsewhere, working=True)
    booking.reschedule(
        appointment=again(visit),
        start=visit.scheduled_start,
        provider=colleague,
        clinic=elsewhere,
        by=someone_at_the_desk(),
        now=timezone.now(),
    )
    at_generic.push()
    assert at_generic.remote[0]["status"] == "cancelled"


def test_a_provider_whom_they_do_not_know_is_for_the_staff(at_generic: Scene) -> None:
    EMRLink.objects.filter(resource_type="Practitioner").delete()
    at_generic.book()
    assert at_generic.push()["dead"] == 1
    assert at_generic.message().why == Why.NO_PROVIDER
    assert at_generic.peer.calls_to("POST", "Appointment") == []


def test_a_visit_type_without_a_code_is_for_the_staff_where_one_is_needed(
    at_oracle: Scene,
) -> None:
    EMRCode.objects.all().delete()
    at_oracle.book()
    assert at_oracle.push()["dead"] == 1
    assert at_oracle.message().why == Why.NO_CODE


def test_nothing_is_sent_of_a_visit_about_which_the_two_disagree(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    conflict = SyncConflict.objects.create(
        connection=at_generic.connection,
        kind=ConflictKind.BOTH_MOVED.value,
        patient_id=visit.patient_id,
        appointment=visit,
        sides="{}",
    )
    move(visit)
    calls = len(at_generic.peer.calls)
    assert at_generic.push()["waiting"] == 1
    assert len(at_generic.peer.calls) == calls
    assert at_generic.message().why == Why.CONFLICT
    conflict.closed_at = timezone.now()
    conflict.save()
    writing.wake(connection=at_generic.connection, appointment=visit, now=timezone.now())
    assert at_generic.push()["sent"] == 1


def test_a_link_that_says_nothing_of_where_both_stand_is_told_all(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    EMRLink.objects.filter(resource_type="Appointment").update(agreed={})
    writing.tell_again(visit, at_generic.connection, now=timezone.now())
    assert at_generic.push()["sent"] == 1
    assert agreed(visit).start == visit.scheduled_start


def test_an_appointment_there_that_is_another_visits_is_not_taken(at_generic: Scene) -> None:
    first, second = at_generic.book(), at_generic.book(half_hour=4)
    at_generic.push()
    theirs = link_of(first)
    link_of(second).delete()
    EMRLink.objects.filter(pk=theirs.pk).update(local_id=second.pk)
    # The other side answers with what it has under the first visit's mark.
    OutboundMessage.objects.all().delete()
    writing.tell_again(first, at_generic.connection, now=timezone.now())
    at_generic.push()
    assert at_generic.message().state == State.DEAD
    assert at_generic.message().codes == ["linked-otherwise"]


def test_messages_of_nobody_else_are_touched(at_generic: Scene) -> None:
    elsewhere = EMRConnection.objects.create(
        clinic=at_generic.clinic, name="Old", source_system="urn:old", vendor="GENERIC_R4"
    )
    assert not elsewhere.is_active
    at_generic.book()
    at_generic.push()
    assert OutboundMessage.objects.filter(what=What.VISIT.value).count() == 1
