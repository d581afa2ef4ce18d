"""A whole folder of bundles made by others, where FHIR_SAMPLE_DIR names one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from emr.files import find_files
from emr.importing import import_files
from emr.intake.kinds import Target
from patients.models import Patient, PatientIdentifier
from providers.models import Clinic, Provider
from tests.emr.test_importing import writes

FOLDER = os.environ.get("FHIR_SAMPLE_DIR", "")


@pytest.mark.django_db
@pytest.mark.skipif(not FOLDER, reason="FHIR_SAMPLE_DIR names no folder of sample bundles")
def test_every_living_patient_practitioner_and_organisation_arrives_once(clinic: Clinic) -> None:
    files, target = find_files([Path(FOLDER)]), Target(clinic=clinic, source="sample")

    def run() -> tuple[dict[tuple[str, str], int], list[str]]:
        with CaptureQueriesContext(connection) as queries:
            tally = import_files(
                files, target=target, tell=lambda _finding: None, advance=lambda _count: None
            )
        assert tally.damaged == {}
        return tally.outcomes, writes(queries)

    first, _ = run()
    assert (first["Patient", "new"], first["Patient", "refused"]) == (39, 5)
    assert (Patient.objects.count(), PatientIdentifier.objects.count()) == (39, 39)
    assert Provider.objects.filter(is_active=False, npi_number=None).count() == 102
    assert Clinic.objects.filter(is_active=False, time_zone=None).count() == 102
    second, written = run()
    assert written == []
    assert second["Patient", "unchanged"] == 39
