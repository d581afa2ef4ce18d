"""The command: what it prints, writes and answers."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from emr.models import EMRLink
from patients.models import Patient
from providers.models import Clinic
from tests.emr.conftest import Resource

FIXTURE = Path(__file__).parent / "fixtures" / "bundle.json"
pytestmark = pytest.mark.django_db


def run(*arguments: Path | str) -> str:
    output = StringIO()
    call_command("import_fhir", *map(str, arguments), "--clinic", "riverside", stdout=output)
    return output.getvalue()


def test_it_prints_counts_and_reasons_but_no_names(clinic: Clinic) -> None:
    output = run(FIXTURE)
    assert "the patient is deceased" in output
    assert "the NPI is not valid" in output
    for name in ("Agust", "Fonseca", "Riojas", "Hettinger", "bundle"):
        assert name not in output


def test_it_stores_no_social_security_licence_or_passport_number(clinic: Clinic) -> None:
    run(FIXTURE)
    columns = [column.attname for column in Patient._meta.concrete_fields]
    told = [[getattr(row, column) for column in columns] for row in Patient.objects.all()]
    from_patients = json.dumps(told, default=str)
    assert Patient.objects.get().family_name in from_patients
    numbers = json.dumps(list(Patient.objects.get().identifiers.values()), default=str)
    links = json.dumps(list(EMRLink.objects.values("resource_id", "part_digests")), default=str)
    everything = from_patients + numbers + links
    assert "cb5696d9-a0de-4f49-94f9-433f96a28eb0" in numbers
    for number in ("999-88-8619", "S99955854", "X46531854X", "999-93-4328"):
        assert number not in everything


def test_the_source_is_the_one_named(clinic: Clinic) -> None:
    run(FIXTURE)
    run(FIXTURE, "--source", "north")
    sources = EMRLink.objects.filter(resource_type="Patient").values_list(
        "source_system", flat=True
    )
    assert sorted(sources) == ["fhir-import", "north"]


def test_a_report_lists_findings_as_csv_or_json_lines(clinic: Clinic, tmp_path: Path) -> None:
    run(FIXTURE, "--report", tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    run(FIXTURE, "--report", tmp_path / "report.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [{key: str(value) for key, value in line.items()} for line in lines] == rows
    assert {(row["outcome"], row["code"]) for row in rows} == {
        ("refused", "deceased"),
        ("kept", "npi"),
    }
    assert rows[0]["resource_id"]


def test_a_damaged_file_does_not_stop_the_rest_but_is_an_error(
    clinic: Clinic, tmp_path: Path, resource: Callable[..., Resource]
) -> None:
    (tmp_path / "1_Secret_Name.json").write_text("{nonsense")
    (tmp_path / "2.json").write_text(json.dumps(resource()))
    output = StringIO()
    with pytest.raises(CommandError, match="1 of 2 files") as error:
        call_command("import_fhir", str(tmp_path), "--clinic", "riverside", stdout=output)
    assert error.value.returncode == 1
    assert "File 1 of 2: it" in output.getvalue()
    assert "Secret" not in output.getvalue() + str(error.value)
    assert Patient.objects.count() == 1
    output = StringIO()
    with pytest.raises(CommandError):
        call_command(
            "import_fhir", str(tmp_path), "--clinic=riverside", "--show-file-names", stdout=output
        )
    assert "1_Secret_Name.json" in output.getvalue()


def test_what_was_mistyped_is_named_before_anything_is_read(clinic: Clinic, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no file or folder"):
        run(tmp_path / "missing.json", FIXTURE)
    with pytest.raises(CommandError, match="no clinic"):
        call_command("import_fhir", str(FIXTURE), "--clinic", "nowhere")
    with pytest.raises(CommandError, match="source"):
        run(FIXTURE, "--source", "")
    with pytest.raises(CommandError, match="report"):
        run(FIXTURE, "--report", tmp_path / "no" / "such" / "folder.csv")
    assert Patient.objects.count() == 0
