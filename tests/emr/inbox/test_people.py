"""Patients whom the other side tells of: made, found again, changed part by part, joined."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from emr.kinds import Arrival, ConflictKind
from emr.models import EMRLink
from emr.outbox import linking
from emr.visits import Candidate
from patients.models import MatchCandidate, Patient, PatientIdentifier
from scheduling.models import Appointment
from tests.emr.inbox.conftest import Joined
from tests.emr.peers.cast import MRN
from tests.factories.emr import link_to

PATIENT = "Patient"


def known(joined: Joined, **columns: Any) -> str:
    """Return a patient there who has been read once, so that later changes are seen."""
    patient = joined.patient
    said = {
        "given": patient.given_name,
        "family": patient.family_name,
        "dob": patient.dob,
        "phone": patient.phone,
        "email": patient.email,
    }
    remote = joined.peer.add_patient(**(said | columns))
    EMRLink.objects.filter(resource_type=PATIENT, local_id=patient.pk).delete()
    raw = joined.peer.store.read(PATIENT, remote)
    linking.write_link(patient, Candidate(remote_id=remote, raw=raw), joined.connection)
    return remote


def telecom(*, phone: str, email: str) -> list[dict[str, str]]:
    return [{"system": "phone", "value": phone}, {"system": "email", "value": email}]


def test_a_visit_of_somebody_new_registers_them(joined: Joined) -> None:
    remote = joined.peer.add_patient(given="Nia", family="Okafor", identifiers=[(MRN, "771")])
    joined.tell(joined.add(joined.clock(), patient=remote))
    patient = Appointment.objects.get().patient
    assert (patient.given_name, patient.family_name) == ("Nia", "Okafor")
    assert patient.clinic == joined.connection.clinic
    assert PatientIdentifier.objects.get(value="771").patient == patient
    assert EMRLink.objects.get(resource_id=remote).part_digests


def test_a_second_visit_of_theirs_is_the_same_patient_s(joined: Joined) -> None:
    remote = joined.peer.add_patient(given="Nia", family="Okafor")
    for clock in ("10:00", "11:00"):
        joined.tell(joined.add(joined.clock(clock), patient=remote))
    assert Patient.objects.count() == 2
    assert len({visit.patient_id for visit in Appointment.objects.all()}) == 1


def test_one_whose_number_and_birthday_are_on_file_is_the_same(joined: Joined) -> None:
    EMRLink.objects.filter(resource_type=PATIENT).delete()
    PatientIdentifier.objects.create(patient=joined.patient, source_system=MRN, value="771")
    remote = joined.peer.add_patient(dob=joined.patient.dob, identifiers=[(MRN, "771")])
    joined.tell(joined.add(joined.clock(), patient=remote))
    assert Appointment.objects.get().patient == joined.patient
    assert Patient.objects.count() == 1


def test_the_number_alone_is_not_enough(joined: Joined) -> None:
    EMRLink.objects.filter(resource_type=PATIENT).delete()
    PatientIdentifier.objects.create(patient=joined.patient, source_system=MRN, value="771")
    remote = joined.peer.add_patient(dob=date(1931, 1, 1), identifiers=[(MRN, "771")])
    joined.tell(joined.add(joined.clock(), patient=remote))
    assert Appointment.objects.get().patient != joined.patient
    assert MatchCandidate.objects.count() == 1


def test_what_changed_there_alone_is_taken(joined: Joined) -> None:
    remote = known(joined)
    changed = telecom(phone="+12125550199", email=joined.patient.email)
    joined.peer.change(PATIENT, remote, telecom=changed)
    assert joined.tell(remote, PATIENT).state == Arrival.DONE
    joined.patient.refresh_from_db()
    assert joined.patient.phone == "+12125550199"


def test_what_changed_here_alone_stays(joined: Joined) -> None:
    remote = known(joined)
    joined.patient.phone = "+12125550142"
    joined.patient.save()
    joined.peer.change(PATIENT, remote, birthDate="1980-05-05")
    joined.tell(remote, PATIENT)
    joined.patient.refresh_from_db()
    assert (joined.patient.phone, str(joined.patient.dob)) == ("+12125550142", "1980-05-05")


def test_the_same_change_on_both_sides_is_none(joined: Joined) -> None:
    remote = known(joined)
    joined.patient.phone = "+12125550142"
    joined.patient.save()
    same = telecom(phone="+12125550142", email=joined.patient.email)
    joined.peer.change(PATIENT, remote, telecom=same)
    assert joined.tell(remote, PATIENT).state == Arrival.DONE
    assert joined.conflicts == []


def disputed(joined: Joined) -> str:
    """Return a patient whose phone number was changed on both sides, and e-mail there alone."""
    remote = known(joined)
    joined.patient.phone = "+12125550142"
    joined.patient.save()
    changed = telecom(phone="+12125550199", email="new@mail.example")
    joined.peer.change(PATIENT, remote, telecom=changed)
    return remote


def test_what_changed_on_both_sides_is_for_a_person_and_the_rest_is_taken(
    joined: Joined,
) -> None:
    message = joined.tell(disputed(joined), PATIENT)
    assert (message.state, message.codes) == (Arrival.CONFLICT, ["DEMOGRAPHICS"])
    (conflict,) = joined.conflicts
    assert (conflict.kind, conflict.patient) == (ConflictKind.DEMOGRAPHICS, joined.patient)
    assert "+12125550142" in conflict.sides
    assert "+12125550199" in conflict.sides
    joined.patient.refresh_from_db()
    assert joined.patient.phone == "+12125550142"
    assert joined.patient.email == "new@mail.example"


def test_an_open_dispute_is_still_one_at_the_next_notification(joined: Joined) -> None:
    remote = disputed(joined)
    for _time in range(2):
        joined.tell(remote, PATIENT)
    assert len(joined.conflicts) == 1


def test_a_patient_read_for_the_first_time_overwrites_nothing(joined: Joined) -> None:
    joined.peer.change(PATIENT, joined.patient_there, birthDate="1980-05-05")
    before = joined.patient.dob
    assert joined.tell(joined.patient_there, PATIENT).codes == ["first-sight"]
    joined.patient.refresh_from_db()
    assert joined.patient.dob == before


def test_somebody_who_is_no_patient_here_is_no_concern_of_ours(joined: Joined) -> None:
    stranger = joined.peer.add_patient(given="Un", family="Known")
    assert joined.tell(stranger, PATIENT).codes == ["unknown-patient"]
    assert Patient.objects.count() == 1


def join(joined: Joined, remote: str, survivor: str) -> None:
    link = [{"other": {"reference": f"Patient/{survivor}"}, "type": "replaced-by"}]
    joined.peer.change(PATIENT, remote, active=False, link=link)


def test_a_record_joined_into_another_there_is_followed(joined: Joined) -> None:
    remote, survivor = known(joined), joined.peer.add_patient(given="Ada", family="Moreno")
    join(joined, remote, survivor)
    assert joined.tell(remote, PATIENT).codes == ["joined-there"]
    live = EMRLink.objects.get(resource_type=PATIENT, ended_at=None)
    assert (live.resource_id, live.local_id) == (survivor, joined.patient.pk)


def test_two_of_our_patients_who_are_one_there_are_suggested_as_one(
    joined: Joined, somebody: Patient
) -> None:
    remote, survivor = known(joined), joined.peer.add_patient(given="Ada", family="Moreno")
    link_to(joined.connection, somebody, PATIENT, survivor)
    join(joined, remote, survivor)
    joined.tell(remote, PATIENT)
    pair = MatchCandidate.objects.get()
    assert {pair.one_id, pair.other_id} == {joined.patient.pk, somebody.pk}
    assert joined.tasks == ["BY_HAND"]


def test_records_joined_in_a_circle_are_kept_as_dead(joined: Joined) -> None:
    remote, survivor = known(joined), joined.peer.add_patient(given="Ada", family="Moreno")
    join(joined, remote, survivor)
    join(joined, survivor, remote)
    message = joined.tell(remote, PATIENT)
    assert (message.state, message.codes) == (Arrival.DEAD, ["joined-in-a-circle"])


@pytest.mark.parametrize("missing", ["name", "everything"])
def test_a_visit_of_somebody_who_cannot_be_registered_is_kept_as_dead(
    joined: Joined, missing: str
) -> None:
    nobody = joined.peer.add({"resourceType": PATIENT})
    if missing == "everything":
        joined.peer.store.delete(PATIENT, nobody)
    message = joined.tell(joined.add(joined.clock(), patient=nobody))
    assert message.state == Arrival.DEAD
    assert not Appointment.objects.exists()
