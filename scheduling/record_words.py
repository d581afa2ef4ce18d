"""Two records side by side in words: what each says, where they differ, and why they seem alike.

Says what the desk may see of a patient, and nothing of any visit but when it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.contacts import show_phone
from patients.merging import PARTS
from patients.models import Patient
from scheduling.templatetags.days import fulldate
from scheduling.visit_words import language_name

LABELS = {
    "name": gettext_lazy("Name"),
    "dob": gettext_lazy("Date of birth"),
    "sex": gettext_lazy("Sex"),
    "phone": gettext_lazy("Phone"),
    "email": gettext_lazy("E-mail"),
    "address": gettext_lazy("Address"),
    "insurance": gettext_lazy("Insurance"),
    "language": gettext_lazy("Language"),
    "doctor": gettext_lazy("Primary care"),
}
SAME, DIFFERENT, ONLY_ONE, ONLY_OTHER = "same", "different", "only-one", "only-other"
VERDICTS = {
    SAME: gettext_lazy("Same"),
    DIFFERENT: gettext_lazy("Different"),
    ONLY_ONE: gettext_lazy("Only in A"),
    ONLY_OTHER: gettext_lazy("Only in B"),
}
REASONS = {
    "given:EQUAL": gettext_lazy("same first name"),
    "given:SWAPPED": gettext_lazy("first and last name swapped"),
    "given:NICKNAME": gettext_lazy("short form of the first name"),
    "given:PART": gettext_lazy("first name in part"),
    "given:CLOSE": gettext_lazy("first name nearly the same"),
    "given:INITIAL": gettext_lazy("same initial"),
    "family:EQUAL": gettext_lazy("same last name"),
    "family:PART": gettext_lazy("last name in part"),
    "family:CLOSE": gettext_lazy("last name nearly the same"),
    "family:OTHER": gettext_lazy("other last name"),
    "dob:EQUAL": gettext_lazy("same date of birth"),
    "dob:SWAPPED": gettext_lazy("day and month of birth swapped"),
    "dob:CLOSE": gettext_lazy("one slip in the date of birth"),
    "dob:OTHER": gettext_lazy("other date of birth"),
    "sex:OTHER": gettext_lazy("other sex"),
    "suffix:OTHER": gettext_lazy("other suffix"),
    "phone:EQUAL": gettext_lazy("same phone"),
    "phone:OTHER": gettext_lazy("other phone"),
    "email:EQUAL": gettext_lazy("same e-mail"),
    "email:OTHER": gettext_lazy("other e-mail"),
    "member:EQUAL": gettext_lazy("same member number"),
    "member:OTHER": gettext_lazy("other member number"),
    "address:EQUAL": gettext_lazy("same address"),
    "address:PART": gettext_lazy("same ZIP code"),
    "address:OTHER": gettext_lazy("other address"),
    "number:EQUAL": gettext_lazy("same record number"),
    "number:OTHER": gettext_lazy("other record number"),
}
BANDS = {
    "CERTAIN": gettext_lazy("Very likely the same"),
    "POSSIBLE": gettext_lazy("May be the same"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One part of two records: what each says, and whether that is the same."""

    part: str
    label: str
    one: str
    other: str
    verdict: str

    @property
    def verdict_words(self) -> str:
        return str(VERDICTS[self.verdict])

    @property
    def is_to_choose(self) -> bool:
        return self.verdict == DIFFERENT


def comparison(one: Patient, other: Patient) -> list[Line]:
    """Return what two records say, part by part; what neither knows is left out."""
    lines = [_line(part, says(one, part), says(other, part)) for part in PARTS]
    return [line for line in lines if line.one or line.other]


def _line(part: str, one: str, other: str) -> Line:
    if one == other:
        verdict = SAME
    elif one and other:
        verdict = DIFFERENT
    else:
        verdict = ONLY_ONE if one else ONLY_OTHER
    return Line(part, str(LABELS[part]), one, other, verdict)


def says(record: Patient, part: str) -> str:
    """Return what a record says, one of `merging.PARTS`; empty where it says nothing."""
    return SAYS[part](record)


def _sex(record: Patient) -> str:
    return "" if record.sex == Patient.Sex.UNKNOWN else str(record.get_sex_display())


def _address(record: Patient) -> str:
    place = " ".join(part for part in (record.state, record.postal_code) if part)
    city = ", ".join(part for part in (record.city, place) if part)
    return "\n".join(part for part in (record.address_line, city) if part)


def _insurance(record: Patient) -> str:
    return "\n".join(
        str(part) for part in (record.insurance_plan, record.insurance_member_id) if part
    )


def _language(record: Patient) -> str:
    name = language_name(record.language)
    return f"{name}\n{_('Needs an interpreter')}" if record.needs_interpreter else name


SAYS: dict[str, Callable[[Patient], str]] = {
    "name": lambda record: record.full_name,
    "dob": lambda record: fulldate(record.dob) if record.dob else "",
    "sex": _sex,
    "phone": lambda record: show_phone(record.phone),
    "email": lambda record: record.email,
    "address": _address,
    "insurance": _insurance,
    "language": _language,
    "doctor": lambda record: (
        record.primary_care_provider.name if record.primary_care_provider else ""
    ),
}


def outcome(keep: Patient, away: Patient, from_away: Collection[str]) -> list[dict[str, str]]:
    """Return what the record will say once the two are joined, for a summary list."""
    rows = []
    for part, label in LABELS.items():
        own, others = says(keep, part), says(away, part)
        words = others if part in from_away or not own else own
        rows.append({"label": str(label), "value": words or "–"})
    return rows


def reasons(codes: Iterable[str]) -> str:
    """Return why two records seem to be one person's, and what speaks against it."""
    return ", ".join(str(REASONS[code]) for code in codes if code in REASONS)
