"""Who a patient of ours may be at the other side: what agrees and what differs, in words.

Reads what the other side told of each; decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emr.fhir.errors import Refused
from emr.fhir.identity import Identity
from emr.intake.patients import PatientIntake
from emr.models import PatientMatch
from patients.models import Patient
from scheduling import record_words
from scheduling.record_words import DIFFERENT, ONLY_ONE, ONLY_OTHER, SAME

VERDICTS = {
    SAME: gettext_lazy("Same"),
    DIFFERENT: gettext_lazy("Different"),
    ONLY_ONE: gettext_lazy("Only here"),
    ONLY_OTHER: gettext_lazy("Only there"),
}
HERE_ALONE = {"doctor", "insurance"}


@dataclass(frozen=True, slots=True)
class Line:
    """One part of both records; `verdict` is one of `record_words`."""

    label: str
    ours: str
    theirs: str
    verdict: str

    @property
    def verdict_words(self) -> str:
        return str(VERDICTS[self.verdict])


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody of the other side. `problem`: why they cannot be taken, "" where they can."""

    remote_id: str
    name: str
    numbers: str
    likeness: str
    lines: tuple[Line, ...]
    problem: str = ""


def found_in(match: PatientMatch) -> list[Found]:
    """Return the candidates of a match, in the order in which they were told."""
    return [_found(match.patient, each) for each in json.loads(match.candidates)]


def _found(patient: Patient, told: Mapping[str, Any]) -> Found:
    resource = told.get("raw") or {}
    score = told.get("score")
    likeness = _("%(percent)d%% alike") % {"percent": round(score * 100)} if score else ""
    remote_id = str(told["remote_id"])
    try:
        theirs = _record(resource)
    except Refused as refusal:
        return Found(remote_id, remote_id, "", likeness, (), _problem(refusal))
    lines = tuple(
        Line(line.label, line.one, line.other, line.verdict)
        for line in record_words.comparison(patient, theirs)
        if line.part not in HERE_ALONE or line.other
    )
    problem = _("It was joined into another record there.") if told.get("replaced_by") else ""
    numbers = _numbers(resource) or remote_id
    return Found(remote_id, theirs.full_name, numbers, likeness, lines, problem)


def _record(resource: Mapping[str, Any]) -> Patient:
    """Return what a resource says as a record that is never saved. Raises Refused."""
    identity = Identity("Patient", str(resource.get("id", "")), None)
    columns = PatientIntake().read(identity, resource).columns()
    columns.pop("record_numbers", None)
    return Patient(**columns)


def _numbers(resource: Mapping[str, Any]) -> str:
    numbers = PatientIntake().read(Identity("Patient", "", None), resource).columns()
    return ", ".join(value for _system, value in numbers.get("record_numbers", []))


def _problem(refusal: Refused) -> str:
    words = {
        "deceased": _("The record there says that the patient has died."),
        "inactive": _("The record is not in use there any more."),
        "no-name": _("The record there has no name."),
    }
    return words.get(refusal.code, _("The record there cannot be read."))
