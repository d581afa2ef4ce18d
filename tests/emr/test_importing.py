"""New, changed, unchanged, repeated, older, contradicting and refused: what each writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from emr.findings import Tally
from emr.importing import import_files
from emr.intake.kinds import Target
from emr.models import EMRLink
from patients.models import Patient
from providers.models import Clinic, Provider, Specialty
from tests.emr.conftest import Importer, Resource
from tests.factories import ClinicFactory
from tests.patients.rings import BOTH, NEW

Make = Callable[..., Resource]
FIXTURE = Path(__file__).parent / "fixtures" / "bundle.json"
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE|WITH)\b", re.IGNORECASE)

pytestmark = pytest.mark.django_db


def writes(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries.captured_queries if WRITES.match(query["sql"])]


def import_fixture(clinic: Clinic) -> tuple[Tally, list[str]]:
    with CaptureQueriesContext(connection) as queries:
        tally = import_files(
            [FIXTURE],
            target=Target(clinic=clinic, source="test"),
            tell=lambda _finding: None,
            advance=lambda _count: None,
        )
    return tally, writes(queries)


def test_a_bundle_arrives_whole(clinic: Clinic) -> None:
    tally, _ = import_fixture(clinic)
    assert tally.outcomes == {
        ("Patient", "new"): 1,
        ("Patient", "refused"): 1,
        ("Practitioner", "new"): 1,
        ("PractitionerRole", "new"): 1,
        ("Organization", "new"): 1,
        ("Location", "new"): 1,
    }
    patient = Patient.objects.get()
    assert (patient.clinic, patient.given_name, patient.language) == (clinic, "Agustín", "es")
    provider = Provider.objects.get()
    assert (provider.clinic, provider.is_active, provider.npi_number) == (clinic, False, None)
    assert provider.specialty == Specialty.objects.get(nucc_code="207Q00000X")
    places = Clinic.objects.exclude(pk=clinic.pk)
    assert [(place.is_active, place.time_zone) for place in places] == [(False, None)] * 2


def test_a_second_run_writes_nothing(clinic: Clinic) -> None:
    _, first = import_fixture(clinic)
    tally, second = import_fixture(clinic)
    assert len(first) >= 10
    assert second == []
    assert {outcome for _, outcome in tally.outcomes} == {"unchanged", "refused"}


def test_a_change_at_the_source_writes_that_column_alone(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource(gender="female", birthDate="1980-05-06")])
    with CaptureQueriesContext(connection) as queries:
        run = run_import([resource(gender="female", birthDate="1980-05-07")])
    assert run.count("Patient", "updated") == 1
    [patient_write, link_write] = writes(queries)
    assert '"dob"' in patient_write
    assert '"sex"' not in patient_write
    assert "emr_emrlink" in link_write
    assert Patient.objects.get().dob.isoformat() == "1980-05-07"  # type: ignore[union-attr]


def test_a_changed_part_writes_only_the_columns_that_differ(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource(address=[{"city": "Old Town", "state": "MA"}])])
    with CaptureQueriesContext(connection) as queries:
        run_import([resource(address=[{"city": "New Town", "state": "MA"}])])
    patient_write = writes(queries)[0]
    assert '"city"' in patient_write
    assert '"state"' not in patient_write


def test_a_change_made_here_survives_another_change_at_the_source(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource(address=[{"city": "Old Town"}], gender="female")])
    patient = Patient.objects.get()
    patient.city = "Told at the desk"
    patient.save()
    run_import([resource(address=[{"city": "Old Town"}], gender="other")])
    patient = Patient.objects.get()
    assert (patient.city, patient.sex) == ("Told at the desk", "other")


def test_new_keys_make_nothing_look_changed_at_the_source(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource(address=[{"city": "Old Town"}])])
    patient = Patient.objects.get()
    patient.city = "Told at the desk"
    patient.save()
    with override_settings(
        BLIND_INDEX_KEY="n" * 60,
        BLIND_INDEX_KEY_OLD=settings.BLIND_INDEX_KEY,
        DATA_KEYS=BOTH,
    ):
        call_command("rotate_keys")
    with override_settings(BLIND_INDEX_KEY="n" * 60, DATA_KEYS=NEW):
        again = run_import([resource(address=[{"city": "Old Town"}])])
        assert again.count("Patient", "unchanged") == 1
        assert Patient.objects.get().city == "Told at the desk"


def test_a_row_deleted_here_arrives_again(run_import: Importer, resource: Make) -> None:
    run_import([resource()])
    Patient.objects.all().delete()
    assert run_import([resource()]).count("Patient", "new") == 1
    assert EMRLink.objects.get().local_id == Patient.objects.get().pk


def test_the_same_id_of_another_source_or_type_is_another_record(
    run_import: Importer, resource: Make, clinic: Clinic
) -> None:
    run_import([resource(), resource("Practitioner"), resource("Organization")])
    run_import([resource()], target=Target(clinic=clinic, source="another"))
    assert Patient.objects.count() == 2
    assert EMRLink.objects.count() == 4


def test_a_copy_in_a_second_file_is_repeated_not_written(
    run_import: Importer, resource: Make
) -> None:
    run = run_import([resource()], [resource()])
    assert (run.count("Patient", "new"), run.count("Patient", "repeated")) == (1, 1)


def test_of_two_versions_the_later_one_counts_in_either_order(
    run_import: Importer, resource: Make
) -> None:
    old = resource(gender="male", meta={"lastUpdated": "2026-01-01T00:00:00Z"})
    new = resource(
        gender="female", meta={"lastUpdated": "2026-01-01T00:00:00+00:00"[:-6] + "-01:00"}
    )
    for files in ([old], [new]), ([new], [old]), ([old, new],):
        run_import(*files)
        assert Patient.objects.get().sex == "female"
    with CaptureQueriesContext(connection) as queries:
        run = run_import([old], [new])
    assert writes(queries) == []
    assert run.codes == ["older"]


def test_a_contradiction_that_no_date_settles_is_refused_the_same_each_time(
    run_import: Importer, resource: Make
) -> None:
    files = [resource(gender="male")], [resource(gender="female")]
    assert run_import(*files).codes == ["contradicts"]
    with CaptureQueriesContext(connection) as queries:
        again = run_import(*files)
    assert again.codes == ["contradicts"]
    assert writes(queries) == []
    assert Patient.objects.get().sex == "male"


def test_a_bad_record_between_good_ones_stops_neither(run_import: Importer, resource: Make) -> None:
    bad: list[dict[str, Any]] = [
        resource(resource_id="nul", gender="male", address=[{"city": "a\0b"}]),
        resource(resource_id="half", name=[{"family": "\ud800"}]),
        resource(resource_id="long", name=[{"family": "x" * 1_000_000}]),
        resource(resource_id="x" * 65),
        resource(resource_id="nameless", name=[]),
        {"resourceType": "Patient"},
    ]
    run = run_import([resource(resource_id="a"), *bad, resource(resource_id="b")])
    assert (run.count("Patient", "new"), run.count("Patient", "refused")) == (2, 6)
    assert run.codes == [
        "unstorable-text",
        "unstorable-text",
        "too-long",
        "no-id",
        "no-name",
        "no-id",
    ]


def test_what_the_database_refuses_is_refused_alone_and_leaves_no_trace(
    run_import: Importer, resource: Make
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE patients_patient ADD CONSTRAINT no_others CHECK (sex <> 'other')"
        )
    people = [resource(resource_id=sex, gender=sex) for sex in ("male", "other", "female")]
    run = run_import(people)
    assert run.codes == ["database"]
    assert "no_others" in run.findings[0].reason
    assert set(EMRLink.objects.values_list("resource_id", flat=True)) == {"male", "female"}
    changed = run_import([resource(resource_id="male", gender="other")])
    assert changed.codes == ["database"]
    assert run_import([resource(resource_id="male", gender="male")]).count("Patient", "unchanged")


def test_a_refused_change_is_not_taken_for_written_when_it_comes_again(
    run_import: Importer, resource: Make
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE patients_patient ADD CONSTRAINT no_others CHECK (sex <> 'other')"
        )
    dates = [{"lastUpdated": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2, 3)]
    run_import([resource(gender="male", meta=dates[0])])
    before = EMRLink.objects.get().changed_at
    run = run_import([resource(gender="other", meta=date) for date in dates[1:]])
    assert run.codes == ["database"]
    assert run.count("Patient", "updated") == 0
    assert EMRLink.objects.get().changed_at == before


def test_what_is_found_wrong_only_at_the_end_is_refused_alone_too(
    run_import: Importer, resource: Make
) -> None:
    vanished = Target(clinic=ClinicFactory.build(time_zone=None, is_active=False), source="test")
    run = run_import([resource(), resource("Organization")], target=vanished)
    assert run.codes == ["database"]
    assert run.count("Organization", "new") == 1
    connection.check_constraints()


def test_what_stands_before_the_damage_in_a_file_arrives(clinic: Clinic, tmp_path: Path) -> None:
    cut = FIXTURE.read_text()
    (tmp_path / "cut.json").write_text(cut[: cut.index("Observation")])
    tally = import_files(
        [tmp_path / "cut.json"],
        target=Target(clinic=clinic, source="test"),
        tell=lambda _finding: None,
        advance=lambda _count: None,
    )
    assert tally.damaged == {1: "it ends inside a text"}
    assert (Patient.objects.count(), Provider.objects.count()) == (1, 1)


def test_a_patient_of_another_clinic_is_not_touched(run_import: Importer, resource: Make) -> None:
    run_import([resource(gender="male")])
    elsewhere = Target(clinic=ClinicFactory.create(slug="elsewhere"), source="test")
    run = run_import([resource(gender="female")], target=elsewhere)
    assert run.codes == ["other-clinic"]
    assert Patient.objects.get().sex == "male"


def test_a_patient_who_died_since_is_refused_and_stays_as_recorded(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource(gender="male")])
    dead = resource(gender="female", deceasedBoolean=True)
    run = run_import([dead], [dead])
    assert run.codes == ["deceased"]
    assert run.count("Patient", "repeated") == 1
    assert Patient.objects.get().sex == "male"


def test_no_finding_repeats_what_stood_in_the_record(run_import: Importer, resource: Make) -> None:
    told = "Zyxwvut"
    run = run_import(
        [
            resource(name=[{"family": told}], telecom=[{"system": "phone", "value": told}]),
            resource(resource_id="2", name=[{"family": told}], deceasedBoolean=True),
            resource(resource_id="3", name=[{"family": told + "\0"}]),
            resource(resource_id="4", name=[{"family": told}], birthDate="1980"),
        ]
    )
    assert sorted(run.codes) == ["birth-date", "deceased", "phone", "unstorable-text"]
    assert told not in repr(run.findings)
    assert told not in "\n".join(run.tally.table())


def test_digests_of_equal_people_differ(run_import: Importer, resource: Make) -> None:
    run_import([resource(resource_id="1"), resource(resource_id="2")])
    first, second = EMRLink.objects.all()
    assert bytes(first.digest) != bytes(second.digest)
    assert first.part_digests["name"] != second.part_digests["name"]
