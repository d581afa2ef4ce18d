"""Why a patient finds nothing free, with links that show what would be, made with one click."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from scheduling.actors import Actor
from scheduling.availability import Query
from scheduling.availability.changing import Change, ChangeKind, Leeway
from scheduling.availability.explaining import Explanation, explain
from scheduling.change_words import label_for_patients, note_for_patients
from scheduling.desk_words import day_name
from scheduling.explanation_plain_words import for_patients
from scheduling.models import Appointment, SlotHold
from scheduling.policies import terms_for
from scheduling.wishes import Wish

TERMS = terms_for(Actor.patient())
Rows = list[dict[str, Any]]


def why_no_days(wish: Wish, query: Query, *, own: SlotHold | None, now: datetime) -> dict[str, Any]:
    """Return `why` and `steps` for a search of many days; each step leads to days or to a day."""
    found = explain(query, terms=TERMS, now=now, ignore=own, leeway=_leeway(wish))
    return {"why": for_patients(found), "steps": _steps(wish, found, page="days")}


def why_no_times(
    wish: Wish, query: Query, *, own: SlotHold | None, now: datetime
) -> dict[str, Any]:
    """Return `why`, `steps` and the `empty_day`, for a page that shows other days."""
    leeway = _leeway(wish, other_days=False)
    found = explain(query, terms=TERMS, now=now, ignore=own, leeway=leeway)
    day = query.first_day.isoformat()
    steps = _steps(wish, found, page="times", day=day)
    return {"why": for_patients(found), "steps": steps, "empty_day": day_name(query.first_day)}


def _leeway(wish: Wish, *, other_days: bool = True) -> Leeway:
    return Leeway(other_days=other_days, in_person=wish.kind if wish.video else None)


def _steps(wish: Wish, found: Explanation, *, page: str, **params: str) -> Rows:
    return [
        {
            "title": label_for_patients(change),
            "detail": note_for_patients(change, found),
            "href": _leads_to(change, wish, page=page, **params),
        }
        for change in found.changes
    ]


def _leads_to(change: Change, wish: Wish, *, page: str, **params: str) -> str:
    """Return the page of days or times with the change made in the patient's choices."""
    if change.kind is ChangeKind.LATER:
        return wish.address("times", day=change.slot.local_start.date().isoformat())
    specialty = change.query.specialty
    care = str(specialty.pk) if specialty else ""
    changed: dict[ChangeKind, dict[str, str]] = {
        ChangeKind.TIME_OF_DAY: {"time": ""},
        ChangeKind.OTHER_PROVIDER: {"provider": "", "care": care},
        ChangeKind.LANGUAGE: {"language": ""},
        ChangeKind.PLAN: {"plan": ""},
        ChangeKind.IN_PERSON: {"place": ""},
    }
    all_open = {"time": "", "provider": "", "care": care, "language": "", "plan": ""}
    changed[ChangeKind.EVERYTHING] = all_open
    return wish.address(page, **params, **changed.get(change.kind, {}))


def why_no_move(
    visit: Appointment,
    query: Query,
    *,
    addresses: dict[ChangeKind, str],
    other_days: bool,
    now: datetime,
) -> dict[str, Any]:
    """Return `why` and `steps` for a visit to be moved; steps where an address is known."""
    leeway = Leeway(other_days=other_days)
    found = explain(query, terms=TERMS, now=now, ignore=visit, leeway=leeway)
    steps = [
        {
            "title": label_for_patients(change),
            "detail": note_for_patients(change, found),
            "href": addresses[change.kind],
        }
        for change in found.changes
        if change.kind in addresses
    ]
    empty_day = "" if other_days else day_name(query.first_day)
    return {"why": for_patients(found), "steps": steps, "empty_day": empty_day}
