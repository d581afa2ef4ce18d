"""Two sides of a conflict in words, line by line: what is here, what is there, and what was agreed.

Opens the sealed sides; decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emr.kinds import ConflictKind
from emr.models import SyncConflict
from emr.standings import Standing
from providers.models import Provider
from scheduling.desk_words import when_words
from scheduling.presenters import ARRIVED, WORDS, clock
from scheduling.transitions import Status

SIDES = ("ours", "theirs", "base")
OPEN = {Status.SCHEDULED, Status.CONFIRMED}
COLUMNS = {
    "given_name": gettext_lazy("First name"),
    "family_name": gettext_lazy("Last name"),
    "name_suffix": gettext_lazy("Suffix"),
    "dob": gettext_lazy("Date of birth"),
    "sex": gettext_lazy("Sex"),
    "phone": gettext_lazy("Phone"),
    "email": gettext_lazy("E-mail"),
    "address_line": gettext_lazy("Street"),
    "city": gettext_lazy("City"),
    "state": gettext_lazy("State"),
    "postal_code": gettext_lazy("ZIP code"),
    "language": gettext_lazy("Language"),
    "needs_interpreter": gettext_lazy("Needs an interpreter"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One fact on three sides; `base` is what both last agreed on, "" where that is not known."""

    label: str
    ours: str
    theirs: str
    base: str

    @property
    def differs(self) -> bool:
        return self.ours != self.theirs


def sides_of(conflict: SyncConflict) -> dict[str, Mapping[str, Any]]:
    """Return the three sides as they were written; one that is missing is empty."""
    told = json.loads(conflict.sides)
    return {side: told.get(side) or {} for side in SIDES}


def standing(side: Mapping[str, Any]) -> Standing | None:
    """Return a side that tells of a visit; None of one that does not."""
    return Standing.of_json(side) if "start" in side else None


def lines_of(conflict: SyncConflict) -> list[Line]:
    """Return what the two sides say, in the order in which people read it."""
    sides = sides_of(conflict)
    if conflict.kind == ConflictKind.DEMOGRAPHICS:
        return _details(sides)
    zone = conflict.connection.clinic.zone
    standings = {side: standing(told) for side, told in sides.items()}
    names = _names(one.provider for one in standings.values() if one)
    told = {side: _visit(one, names, zone) for side, one in standings.items()}
    labels = [str(label) for label in (_("When"), _("Until"), _("With"), _("Status"))]
    return [
        Line(label, *(told[side][place] for side in SIDES)) for place, label in enumerate(labels)
    ]


def _visit(one: Standing | None, names: Mapping[str, str], zone: ZoneInfo) -> tuple[str, ...]:
    if one is None:
        return ("", "", "", "")
    return (
        when_words(one.start, zone),
        clock(one.end.astimezone(zone)),
        names.get(one.provider, _("a provider not known here")),
        status_words(one),
    )


def status_words(one: Standing) -> str:
    """Return a standing's status as the desk's tags call it."""
    if one.status in OPEN and one.has_arrived:
        return str(WORDS[ARRIVED])
    kind = "confirmed" if one.status in OPEN and one.is_confirmed else one.status.value.lower()
    return str(WORDS[kind.replace("_", "-")])


def visit_words(one: Standing, zone: ZoneInfo) -> str:
    """Return "Tuesday, June 9, 3:30 pm with Dr. Ito" of a standing."""
    names = _names([one.provider])
    return _("%(when)s with %(provider)s") % {
        "when": when_words(one.start, zone),
        "provider": names.get(one.provider, _("a provider not known here")),
    }


def _names(keys: Iterable[str]) -> dict[str, str]:
    known = {UUID(key) for key in keys if key}
    found = Provider.objects.filter(pk__in=known).values_list("pk", "name")
    return {str(key): name for key, name in found}


def _details(sides: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """Return a patient's columns: the two sides hold them by name, perhaps below their parts."""
    flat = {side: _columns(told) for side, told in sides.items()}
    names = dict.fromkeys(name for side in SIDES for name in flat[side])
    return [
        Line(str(COLUMNS.get(name, name)), *(_text(flat[side].get(name)) for side in SIDES))
        for name in names
        if name in COLUMNS
    ]


def _columns(told: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in told.items():
        columns |= value if isinstance(value, Mapping) else {name: value}
    return columns


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)
