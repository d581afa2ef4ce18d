"""Who of the other side's patients is ours, asked once for each, before any visit is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from emr.kinds import State, Why
from emr.models import EMRConnection, EMRLink, OutboundMessage, PatientMatch
from emr.outbox import candidates, linking
from patients.looks import Look, looking
from patients.models import AuditEntry, MatchCandidate, Patient, PatientIdentifier
from patients.models.audit import Act
from providers.models import Provider, VisitType
from tests.emr.outbox.scene import HOUR, MINUTE, Scene, scene_at
from tests.emr.peers import Fault, generic_peer
from tests.emr.peers.cast import MRN
from tests.factories import PatientFactory, UserFactory
from tests.factories.emr import link_to

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _recorded(settings: Any) -> None:
    settings.LOOKS_MUST_BE_RECORDED = True


@pytest.fixture
def at_generic(provider: Provider, visit_type: VisitType) -> Iterator[Scene]:
    """A system without `$match`: a fault on POST Patient then befalls the making of one."""
    with generic_peer(patient_match=False) as peer:
        yield scene_at(peer, provider, visit_type)


@pytest.fixture
def ada(at_generic: Scene) -> Patient:
    """A patient whom the record system was never told of."""
    return PatientFactory.create(clinic=at_generic.clinic, name="Ada Moreno", phone="+12125550100")


def link_of(patient: Patient) -> EMRLink | None:
    return EMRLink.objects.filter(resource_type="Patient", local_id=patient.pk).first()


def creates(scene: Scene) -> None:
    EMRConnection.objects.update(creates_patients=True)


def push(scene: Scene) -> None:
    """A visit waits, its patient is asked for, and it leaves."""
    for minute in range(3):
        scene.push(later=minute * MINUTE)


def test_one_who_is_certain_is_linked_and_the_visit_goes(at_generic: Scene, ada: Patient) -> None:
    PatientIdentifier.objects.create(patient=ada, source_system=MRN, value="77")
    remote_id = at_generic.peer.add_patient(identifiers=[(MRN, "77")])
    at_generic.book(ada)
    push(at_generic)
    link = link_of(ada)
    assert link is not None
    assert link.resource_id == remote_id
    assert link.part_digests["name"]  # only what changes there from now on is taken in
    [there] = at_generic.remote
    assert {"reference": f"Patient/{remote_id}"} in [
        participant["actor"] for participant in there["participant"]
    ]
    assert at_generic.states == {State.DONE: 2}


def test_one_of_the_same_name_birthday_and_phone_is_linked_and_their_number_kept(
    at_generic: Scene, ada: Patient
) -> None:
    remote_id = at_generic.peer.add_patient(phone="212-555-0100", identifiers=[(MRN, "78")])
    at_generic.book(ada)
    push(at_generic)
    link = link_of(ada)
    assert link is not None
    assert link.resource_id == remote_id
    assert PatientIdentifier.objects.get(patient=ada).value == "78"


def test_a_name_and_a_birthday_alone_are_for_the_staff(at_generic: Scene, ada: Patient) -> None:
    creates(at_generic)
    remote_id = at_generic.peer.add_patient()
    at_generic.book(ada)
    push(at_generic)
    assert link_of(ada) is None
    match = PatientMatch.objects.get()
    with looking(Look()):
        assert [one.remote_id for one in candidates.kept_in(match.candidates)] == [remote_id]
    assert at_generic.states == {State.WAITING: 2}
    assert set(OutboundMessage.objects.values_list("why", flat=True)) == {Why.NO_PATIENT}
    assert at_generic.remote == []


def test_a_record_that_was_joined_into_another_there_is_followed(
    at_generic: Scene, ada: Patient
) -> None:
    PatientIdentifier.objects.create(patient=ada, source_system=MRN, value="77")
    survivor = at_generic.peer.add_patient(identifiers=[(MRN, "99")])
    at_generic.peer.add_patient(identifiers=[(MRN, "77")], replaced_by=survivor)
    at_generic.book(ada)
    push(at_generic)
    assert link_of(ada) is None
    with looking(Look()):  # her number stands in the old record alone: somebody has to look
        kept = candidates.kept_in(PatientMatch.objects.get().candidates)
    assert [one.remote_id for one in kept] == [survivor]


def test_a_survivor_who_has_her_number_too_is_linked(at_generic: Scene, ada: Patient) -> None:
    PatientIdentifier.objects.create(patient=ada, source_system=MRN, value="77")
    both = [(MRN, "99"), (MRN, "77")]
    survivor = at_generic.peer.add_patient(identifiers=both)
    at_generic.peer.add_patient(identifiers=[(MRN, "77")], replaced_by=survivor)
    at_generic.book(ada)
    push(at_generic)
    link = link_of(ada)
    assert link is not None
    assert link.resource_id == survivor


def test_nobody_alike_is_made_there_where_the_clinic_wants_it(
    at_generic: Scene, ada: Patient
) -> None:
    creates(at_generic)
    at_generic.book(ada)
    push(at_generic)
    [made] = at_generic.peer.store.all("Patient")
    assert made["name"][0]["family"] == "Moreno"
    link = link_of(ada)
    assert link is not None
    assert link.resource_id == made["id"]
    assert len(at_generic.remote) == 1


def test_nobody_alike_is_for_the_staff_where_it_does_not(at_generic: Scene, ada: Patient) -> None:
    at_generic.book(ada)
    push(at_generic)
    assert at_generic.peer.store.all("Patient") == []
    assert PatientMatch.objects.get().closed_at is None


def test_two_visits_of_somebody_new_make_one_patient_there(at_generic: Scene, ada: Patient) -> None:
    creates(at_generic)
    at_generic.book(ada)
    at_generic.book(ada, half_hour=4)
    push(at_generic)
    assert len(at_generic.peer.store.all("Patient")) == 1
    assert len(at_generic.remote) == 2


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER_STORE, Fault.TRUNCATED, Fault.RESET_BEFORE])
def test_a_lost_answer_makes_no_second_patient(
    at_generic: Scene, ada: Patient, fault: Fault
) -> None:
    creates(at_generic)
    at_generic.book(ada)
    at_generic.peer.fail(fault, on=("POST", "Patient"))
    at_generic.push()
    assert at_generic.message(what="PATIENT").state == State.UNKNOWN
    at_generic.push_for(5 * MINUTE)
    assert len(at_generic.peer.store.all("Patient")) == 1
    assert at_generic.states == {State.DONE: 2}


def test_a_look_for_somebody_is_recorded(at_generic: Scene, ada: Patient) -> None:
    at_generic.book(ada)
    at_generic.push()
    sent = AuditEntry.objects.filter(action=Act.SEND, patient_ids=[ada.pk])
    assert {"family_name", "dob"} <= set(sent.get().field_names)


def test_another_patients_record_is_not_taken_and_the_two_may_be_one(
    at_generic: Scene, ada: Patient
) -> None:
    PatientIdentifier.objects.create(patient=ada, source_system=MRN, value="77")
    remote_id = at_generic.peer.add_patient(identifiers=[(MRN, "77")])
    other = PatientFactory.create(clinic=at_generic.clinic, name="Ada Moreno")
    link_to(at_generic.connection, other, "Patient", remote_id)
    at_generic.book(ada)
    push(at_generic)
    assert link_of(ada) is None
    assert PatientMatch.objects.get().patient == ada
    pair = MatchCandidate.objects.get()
    assert {pair.one, pair.other} == {ada, other}


@pytest.fixture
def match(at_generic: Scene, ada: Patient) -> PatientMatch:
    """Ada's visit waits for somebody to say who she is there."""
    at_generic.peer.add_patient()
    at_generic.book(ada)
    push(at_generic)
    return PatientMatch.objects.get()


def test_somebody_says_who_it_is_and_the_visit_goes(at_generic: Scene, match: PatientMatch) -> None:
    [there] = at_generic.peer.store.all("Patient")
    by = UserFactory.create()
    with looking(Look()):
        linking.link(match, remote_id=there["id"], by=by, now=timezone.now())
    push(at_generic)
    assert len(at_generic.remote) == 1
    match.refresh_from_db()
    assert (match.result, match.closed_by) == (PatientMatch.Result.LINKED, by)
    assert at_generic.states == {State.DONE: 1, State.SKIPPED: 1}


def test_somebody_has_the_patient_made_there(at_generic: Scene, match: PatientMatch) -> None:
    with looking(Look()):
        linking.create(match, by=UserFactory.create(), now=timezone.now())
    push(at_generic)
    assert len(at_generic.peer.store.all("Patient")) == 2
    assert len(at_generic.remote) == 1


def test_made_there_with_a_lost_answer_they_are_looked_for_and_not_made_again(
    at_generic: Scene, match: PatientMatch
) -> None:
    at_generic.peer.fail(Fault.RESET_AFTER_STORE, on=("POST", "Patient"))
    with looking(Look()):
        linking.create(match, by=UserFactory.create(), now=timezone.now())
    at_generic.push_for(10 * MINUTE)
    assert len(at_generic.peer.store.all("Patient")) == 2


def test_somebody_leaves_it_and_neither_this_visit_nor_the_next_is_told(
    at_generic: Scene, match: PatientMatch
) -> None:
    with looking(Look()):
        linking.leave(match, by=UserFactory.create(), now=timezone.now())
    at_generic.book(match.patient, half_hour=4)
    push(at_generic)
    assert at_generic.remote == []
    assert at_generic.states == {State.SKIPPED: 3}
    assert set(OutboundMessage.objects.values_list("why", flat=True)) == {Why.BY_HAND}
    assert not PatientMatch.objects.filter(closed_at=None).exists()


def test_what_is_decided_is_decided_once(at_generic: Scene, match: PatientMatch) -> None:
    by, now = UserFactory.create(), timezone.now()
    linking.leave(match, by=by, now=now)
    with looking(Look()), pytest.raises(linking.AlreadyDecided):
        linking.link(match, remote_id="1", by=by, now=now)
    with pytest.raises(linking.AlreadyDecided):
        linking.create(match, by=by, now=now)


def test_a_patient_whom_an_import_linked_meanwhile_wakes_by_itself(
    at_generic: Scene, match: PatientMatch
) -> None:
    [there] = at_generic.peer.store.all("Patient")
    link_to(at_generic.connection, match.patient, "Patient", there["id"])
    at_generic.push_for(HOUR / 12)
    assert len(at_generic.remote) == 1


def test_a_record_that_was_joined_while_it_was_looked_for_is_the_survivors(
    at_generic: Scene, ada: Patient
) -> None:
    """The link was written for the record that is no longer anybody's."""
    away = PatientFactory.create(clinic=at_generic.clinic, name="Ada Moreno")
    PatientIdentifier.objects.create(patient=ada, source_system=MRN, value="77")
    remote_id = at_generic.peer.add_patient(identifiers=[(MRN, "77")])
    link_to(at_generic.connection, away, "Patient", remote_id)
    Patient.objects.filter(pk=away.pk).update(merged_into=ada)
    at_generic.book(ada)
    push(at_generic)
    link = link_of(ada)
    assert link is not None
    assert link.resource_id == remote_id
    assert len(at_generic.remote) == 1
