"""Short news of the record system on other rooms' pages: a visit's line, a provider's results."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _

from emr import queries
from emr.models import EMRTask
from emr.queries import Place
from emr.words import task_words
from scheduling.desk_words import when_words
from scheduling.models import Appointment
from scheduling.presenters import Tag

register = template.Library()


@register.inclusion_tag("desk/emr/visit_line.html", takes_context=True)
def record_system_line(context: dict[str, Any], visit: Appointment) -> dict[str, Any]:
    """{% record_system_line visit %} → how a visit stands with each record system of its clinic.

    Asks nothing where the clinic has none.
    """
    clinics = [clinic.pk for clinic in context["request"].clinics]
    if not queries.needs_at(clinics).is_joined:
        return {"places": []}
    places = [{"name": place.name, "tag": _tag(place)} for place in queries.places_of(visit)]
    return {"places": places, "visit": visit}


def _tag(place: Place) -> Tag:
    if place.needs:
        return Tag("late", _("Needs somebody"))
    if place.waits:
        return Tag("scheduled", _("On its way"))
    if place.is_known:
        return Tag("completed", _("Up to date"))
    return Tag("cancelled", _("Not there"))


@register.inclusion_tag("provider/record_system.html", takes_context=True)
def own_record_tasks(context: dict[str, Any]) -> dict[str, Any]:
    """{% own_record_tasks %} → the signed-in provider's open tasks, each with its button."""
    request = context["request"]
    if not queries.needs_at([clinic.pk for clinic in request.clinics]).is_joined:
        return {"tasks": []}
    tasks = queries.provider_tasks(request.user, request.clinics).filter(closed_at=None)
    return {"tasks": [_row(task) for task in tasks], "csrf_token": context.get("csrf_token")}


def _row(task: EMRTask) -> dict[str, Any]:
    return {
        "pk": task.pk,
        "title": task.patient.full_name if task.patient else task_words(task.kind),
        "detail": task_words(task.kind),
        "system": task.connection.name,
        "entry": f"{task.resource_type}/{task.resource_id}" if task.resource_id else "",
        "opened": when_words(task.opened_at, task.clinic.zone),
    }
