"""What another system's records become after two of ours were joined, and new ones beside ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from emr.models import EMRConnection, EMRLink, OutboundMessage, PatientMatch
from emr.outbox import writing
from patients.merging import Choices, merge, unmerge
from patients.models import MatchCandidate, Patient
from patients.registration import stamp_of
from patients.suggesting import TASK
from providers.models import Clinic
from tests.emr.conftest import Importer, Resource
from tests.factories import ClinicFactory, PatientFactory, UserFactory
from tests.factories.emr import EMRConnectionFactory

Make = Callable[..., Resource]
pytestmark = pytest.mark.django_db


def numbered(value: str) -> list[dict[str, Any]]:
    return [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:h", "value": value}]


def linked(resource_id: str) -> Patient:
    link = EMRLink.objects.get(resource_type="Patient", resource_id=resource_id)
    return Patient.objects.get(pk=link.local_id)


def test_changes_at_the_source_reach_the_survivor_and_after_parting_the_own_record(
    run_import: Importer, resource: Make, now: datetime
) -> None:
    run_import([resource(resource_id="1"), resource(resource_id="2", gender="male")])
    keep, away = linked("1"), linked("2")
    by = UserFactory.create()
    choices = Choices(seen=(stamp_of(keep), stamp_of(away)))
    done = merge(keep=keep, away=away, choices=choices, by=by, now=now)
    assert linked("2") == keep
    run_import([resource(resource_id="2", gender="male", birthDate="1980-05-01")])
    assert Patient.objects.get(pk=keep.pk).dob == Patient.objects.get(merged_into=None).dob
    assert Patient.objects.get(pk=away.pk).dob is None
    unmerge(merge=done, by=by, now=now)
    assert linked("2") == away
    assert linked("1") == keep


def test_new_patients_are_compared_once_the_batch_is_written(
    run_import: Importer, resource: Make, django_capture_on_commit_callbacks: Any
) -> None:
    people = [resource(resource_id=str(n)) for n in range(3)]
    with django_capture_on_commit_callbacks() as queued:
        run_import(people)
    ids = [str(pk) for pk in Patient.objects.order_by("pk").values_list("pk", flat=True)]
    assert [call.args for call in queued] == [(TASK, ids)]
    with django_capture_on_commit_callbacks() as queued:
        run_import([resource(resource_id="0", gender="male")])
    assert queued == []


def test_two_records_with_one_number_wait_for_somebodys_look(
    run_import: Importer, resource: Make
) -> None:
    run_import(
        [resource(resource_id=key, identifier=numbered("A")) for key in ("1", "2")],
    )
    pair = MatchCandidate.objects.get()
    assert {pair.one, pair.other} == {linked("1"), linked("2")}
    assert "number:EQUAL" in pair.reasons


def test_one_number_at_two_clinics_makes_no_pair(
    clinic: Clinic, run_import: Importer, resource: Make
) -> None:
    run_import([resource(resource_id="1", identifier=numbered("A"))])
    elsewhere = ClinicFactory.create()
    Patient.objects.update(clinic=elsewhere)
    run_import([resource(resource_id="2", identifier=numbered("A"))])
    assert not MatchCandidate.objects.exists()


@pytest.fixture
def joined(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(clinic=clinic)


def waits(patient: Patient, joined: EMRConnection, now: datetime) -> None:
    """Let somebody be asked who this patient is at the other side."""
    writing.ask_for_patient(patient, connection=joined, now=now)
    PatientMatch.objects.create(connection=joined, patient=patient)


def asked(patient: Patient) -> list[str]:
    rows = OutboundMessage.objects.filter(patient=patient).order_by("pk")
    return list(rows.values_list("state", flat=True))


def test_two_questions_about_one_person_become_one_and_part_again(
    clinic: Clinic, joined: EMRConnection, now: datetime
) -> None:
    keep, away = PatientFactory.create_batch(2, clinic=clinic)
    for patient in (keep, away):
        waits(patient, joined, now)
    by = UserFactory.create()
    choices = Choices(seen=(stamp_of(keep), stamp_of(away)))
    done = merge(keep=keep, away=away, choices=choices, by=by, now=now)
    assert sorted(asked(keep)) == ["QUEUED", "SKIPPED"]
    assert PatientMatch.objects.filter(patient=keep, closed_at=None).count() == 1
    unmerge(merge=done, by=by, now=now)
    assert asked(keep) == asked(away) == ["QUEUED"]
    for patient in (keep, away):
        assert PatientMatch.objects.get(patient=patient).closed_at is None


def test_one_question_goes_over_and_comes_back(
    clinic: Clinic, joined: EMRConnection, now: datetime
) -> None:
    keep, away = PatientFactory.create_batch(2, clinic=clinic)
    waits(away, joined, now)
    by = UserFactory.create()
    choices = Choices(seen=(stamp_of(keep), stamp_of(away)))
    done = merge(keep=keep, away=away, choices=choices, by=by, now=now)
    assert (asked(keep), asked(away)) == (["QUEUED"], [])
    unmerge(merge=done, by=by, now=now)
    assert (asked(keep), asked(away)) == ([], ["QUEUED"])
