"""Orders and results: one task each, for the desk and for the provider, and no clinical value."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from emr.inbox import closing
from emr.kinds import Arrival
from emr.models import EMRTask
from patients.models import Patient
from tests.emr.inbox.conftest import Joined
from tests.factories import UserFactory


def order(joined: Joined, **columns: object) -> str:
    subject = {"reference": f"Patient/{joined.patient_there}"}
    wanted = {"status": "active", "intent": "order", "subject": subject, "code": {"text": "MRI"}}
    return joined.peer.add({"resourceType": "ServiceRequest"} | wanted | columns)


def result(joined: Joined, kind: str = "DiagnosticReport", **columns: object) -> str:
    subject = {"reference": f"Patient/{joined.patient_there}"}
    return joined.peer.add(
        {"resourceType": kind, "status": "final", "subject": subject, "code": {"text": "HbA1c"}}
        | columns
    )


def test_an_order_opens_one_task_for_the_desk(joined: Joined) -> None:
    remote = order(joined)
    for _time in range(2):
        assert joined.tell(remote, "ServiceRequest").state == Arrival.DONE
    task = EMRTask.objects.get()
    assert (task.kind, task.patient, task.provider) == ("ORDER", joined.patient, None)
    assert (task.resource_type, task.resource_id) == ("ServiceRequest", remote)


def test_an_order_that_was_done_is_not_asked_for_again(joined: Joined) -> None:
    remote = order(joined)
    joined.tell(remote, "ServiceRequest")
    task = EMRTask.objects.get()
    by = UserFactory.create()
    assert closing.close(task, by=by, now=timezone.now()) is True
    assert closing.close(task, by=by, now=timezone.now()) is False
    joined.tell(remote, "ServiceRequest")
    assert joined.tasks == []


def test_an_order_for_somebody_new_registers_them(joined: Joined) -> None:
    stranger = joined.peer.add_patient(given="Nia", family="Okafor")
    joined.tell(order(joined, subject={"reference": f"Patient/{stranger}"}), "ServiceRequest")
    assert EMRTask.objects.get().patient == Patient.objects.exclude(pk=joined.patient.pk).get()


@pytest.mark.parametrize(
    "columns", [{"status": "draft"}, {"status": "completed"}, {"intent": "proposal"}]
)
def test_what_is_no_standing_order_opens_nothing(joined: Joined, columns: dict[str, str]) -> None:
    assert joined.tell(order(joined, **columns), "ServiceRequest").state == Arrival.IGNORED
    assert joined.tasks == []


@pytest.mark.parametrize("kind", ["DiagnosticReport", "Observation"])
def test_a_final_result_opens_one_task_for_the_patient_s_provider(
    joined: Joined, kind: str
) -> None:
    joined.booked(joined.clock())
    remote = result(joined, kind)
    for _time in range(2):
        joined.tell(remote, kind)
    task = EMRTask.objects.get()
    assert (task.kind, task.patient, task.provider) == ("RESULT", joined.patient, joined.provider)


def test_whom_the_patient_saw_last_goes_before_whom_they_see_next(joined: Joined) -> None:
    seen = joined.tell(joined.add(joined.now - timedelta(days=3))).appointment_id
    assert seen is not None
    joined.tell(result(joined), "DiagnosticReport")
    assert EMRTask.objects.get(kind="RESULT").provider == joined.provider


def test_a_result_that_is_not_final_opens_nothing(joined: Joined) -> None:
    message = joined.tell(result(joined, status="preliminary"), "DiagnosticReport")
    assert (message.state, message.codes) == (Arrival.IGNORED, ["not-final"])
    assert joined.tasks == []


def test_a_result_of_somebody_who_is_no_patient_here_opens_nothing(joined: Joined) -> None:
    stranger = joined.peer.add_patient(given="Nia", family="Okafor")
    remote = result(joined, subject={"reference": f"Patient/{stranger}"})
    assert joined.tell(remote, "DiagnosticReport").codes == ["unknown-patient"]
    assert joined.tasks == []


def test_nothing_of_what_was_found_is_kept(joined: Joined) -> None:
    joined.tell(result(joined, conclusion="a clinical word"), "DiagnosticReport")
    row = EMRTask.objects.values().get()
    assert not any("clinical" in str(value) or "HbA1c" in str(value) for value in row.values())


def test_what_nobody_follows_is_left_alone(joined: Joined) -> None:
    message = joined.tell("1", "Encounter")
    assert (message.state, message.codes) == (Arrival.IGNORED, ["not-followed"])
