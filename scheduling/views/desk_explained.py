"""Why the desk finds nothing free, with links that look again as one thing less is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from patients.privacy.pages import StaffRequest
from providers.models import Weekday
from scheduling.availability import Query
from scheduling.availability.changing import Change, ChangeKind, Leeway
from scheduling.availability.explaining import explain
from scheduling.change_words import label_for_staff, note_for_staff
from scheduling.explanation_words import for_staff
from scheduling.forms.desk_place import Asked
from scheduling.policies import terms_for
from scheduling.views.desk_pages import at_desk
from scheduling.wishes import PARTS_OF_DAY


def why_nothing(
    request: StaffRequest, query: Query, *, patient: UUID | None, now: datetime
) -> dict[str, Any]:
    """Return `why` in words, and `steps` as rows: each a title, an address and the first time."""
    leeway = Leeway(
        clinics=tuple(request.clinics), shorter=True, less_notice=True, new_patient=True
    )
    found = explain(query, terms=terms_for(at_desk(request)), now=now, leeway=leeway)
    today = now.astimezone(request.clinic.zone).date()
    steps = [
        {
            "title": label_for_staff(change, found),
            "detail": note_for_staff(change, found),
            "href": _leads_to(change, request, patient=patient, from_today=today),
        }
        for change in found.changes
    ]
    return {"why": for_staff(found), "steps": steps}


def _leads_to(
    change: Change, request: StaffRequest, *, patient: UUID | None, from_today: Any
) -> str:
    """Return where a change is made; short notice is given a reason where the visit is booked."""
    if change.kind is ChangeKind.LESS_NOTICE:
        slot = change.slot
        asked = Asked(slot.clinic, slot.provider, slot.start, visit_type=change.query.visit_type)
        return asked.address("desk:book", patient=patient)
    params = search_params(change.query)
    if change.query.first_day <= from_today:
        del params["day"]
    if len(change.query.clinics) < len(request.clinics):
        params["clinic"] = change.slot.clinic.pk
    if patient is not None:
        params["patient"] = patient
    return f"{reverse('desk:next_available')}?{urlencode(params, doseq=True)}"


def search_params(query: Query) -> dict[str, Any]:
    """Return what the desk's form has to be told to look for this, clinics apart."""
    hours = (query.not_before, query.not_after)
    part = next((name for name, of_part in PARTS_OF_DAY.items() if of_part == hours), "")
    told: dict[str, Any] = {
        "type": query.visit_type.code,
        "day": query.first_day.isoformat(),
        "specialty": query.specialty and query.specialty.pk,
        "provider": query.provider and query.provider.pk,
        "part": part,
        "language": query.language,
        "plan": query.insurance_plan and query.insurance_plan.pk,
        "not_on": sorted(set(Weekday) - query.weekdays) if query.weekdays else [],
        "video": "on" if query.telehealth else "",
        "new": "on" if query.new_patient else "",
    }
    return {name: value for name, value in told.items() if value}
