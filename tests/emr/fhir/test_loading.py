"""The heavy library stays out until a resource is built."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("fhir.resources", "fhir_core", "joserfc", "hl7", "fhirkit", "fhirpathpy")
STARTED = f"""
import sys, django
django.setup()
import config.urls, emr.fhir.appointment, emr.fhir.notifications
print(sorted(name for name in {HEAVY!r} if name in sys.modules))
"""
USED = """
import sys, django
django.setup()
from emr.fhir.subscription import subscription
subscription("https://a.example/", "Patient?", "")
print("fhir.resources" in sys.modules)
"""


def _said(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return run.stdout.strip()


def test_starting_and_reading_load_nothing_heavy() -> None:
    assert _said(STARTED) == "[]"


def test_building_loads_it() -> None:
    assert _said(USED) == "True"
