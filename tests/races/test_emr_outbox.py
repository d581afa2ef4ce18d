"""Two pushers at once: each message is told once. Counted at the record system, not in a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone

from emr.kinds import State, What
from emr.models import EMRConnection, EMRLink, OutboundMessage
from emr.outbox import claims, pushing, writing
from patients.models import Patient
from providers.models import Clinic
from scheduling.models import Appointment
from tests.emr.outbox.faults.processes import worker
from tests.emr.peers import Peer, generic_peer
from tests.factories.emr import connection_to, link_to
from tests.races.crew import Crew
from tests.reminders.crowd import crowd

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
MANY = 200


@pytest.fixture
def peer() -> Iterator[Peer]:
    """One that would make a second appointment if it were asked twice."""
    with generic_peer(conditional_create=False) as running:
        yield running


def queue(size: int, peer: Peer, **columns: Any) -> EMRConnection:
    """Queue a booking of each of so many people, all of them known there."""
    rows = crowd(size, now=timezone.now())
    clinic = Clinic.objects.get(pk=rows[0].appointment.clinic_id)
    connection = connection_to(peer, clinic, **columns)
    for row in rows:
        visit = row.appointment
        link_to(connection, visit.patient, "Patient", peer.add_patient())
        OutboundMessage.objects.create(
            connection=connection,
            what=What.VISIT.value,
            act="BOOK",
            patient=visit.patient,
            appointment=visit,
            marker=writing.new_marker(),
            not_before=timezone.now(),
        )
    return connection


def states() -> set[str]:
    return set(OutboundMessage.objects.values_list("state", flat=True))


def test_two_pushers_tell_two_hundred_visits_once_each(peer: Peer) -> None:
    connection = queue(MANY, peer, workers=4)
    with ExitStack() as stack:
        both = [stack.enter_context(worker(str(connection.pk))) for _pusher in range(2)]
        for one in both:
            one.go()
        sent = [one.end() for one in both]
    assert sum(sent) == MANY
    assert min(sent) > 0  # both were at it
    assert len(peer.calls_to("POST", "Appointment")) == len(peer.appointments) == MANY
    marks = {there["identifier"][0]["value"] for there in peer.appointments}
    assert len(marks) == MANY
    assert states() == {State.DONE}


@pytest.mark.parametrize("threads", [2, 8])
def test_a_task_that_runs_twice_or_eight_times_at_once_doubles_nothing(
    peer: Peer, threads: int
) -> None:
    connection = queue(40, peer, workers=2)
    with Crew(threads) as crew:
        answers = crew.race([partial(pushing.push, connection.pk)] * threads)
    assert all(isinstance(answer, dict) for answer in answers), answers
    assert len(peer.calls_to("POST", "Appointment")) == len(peer.appointments) == 40


def test_without_the_claim_two_pushers_tell_the_same_twice(peer: Peer) -> None:
    """The control: whoever looks first and writes afterwards sends what another sends too."""
    connection = queue(8, peer)
    with Crew(2) as crew:
        take = partial(claims.claim, connection, most=8, now=timezone.now())
        once = [message.pk for claimed in crew.race([take, take]) for message in claimed]  # type: ignore[attr-defined]
        assert len(once) == len(set(once)) == 8
        OutboundMessage.objects.update(state=State.QUEUED.value)
        looked = Barrier(2)
        assert crew.race([partial(_look_and_write, looked)] * 2) == [8, 8]


def _look_and_write(looked: Barrier) -> int:
    found = list(OutboundMessage.objects.filter(state="QUEUED").values_list("pk", flat=True))
    looked.wait(30)
    for key in found:
        OutboundMessage.objects.filter(pk=key).update(state=State.CLAIMED.value)
    return len(found)


def test_many_visits_of_one_new_patient_make_one_patient_there(peer: Peer) -> None:
    """Each of eight pushers meets a visit of hers first; one message alone asks who she is."""
    connection = queue(8, peer, creates_patients=True)
    first = Patient.objects.order_by("pk")[0]
    OutboundMessage.objects.update(patient=first)
    Appointment.objects.update(patient=first)
    _forget_patients(connection, peer)
    with Crew(8) as crew:
        for _turn in range(3):
            answers = crew.race([partial(pushing.push, connection.pk)] * 8)
            assert all(isinstance(answer, dict) for answer in answers), answers
    assert len(peer.store.all("Patient")) == 1
    assert len(peer.appointments) == 8
    assert OutboundMessage.objects.filter(what=What.PATIENT.value).count() == 1


def _forget_patients(connection: EMRConnection, peer: Peer) -> None:
    """Nobody is known there yet."""
    EMRLink.objects.filter(source_system=connection.source_system, resource_type="Patient").delete()
    for one in peer.store.all("Patient"):
        peer.store.delete("Patient", one["id"])
