"""Where a provider's own video visit begins: in the patient's room, open when it is for them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.own_visits import OwnVisit, own_visits
from scheduling.video import Door, closes_at, door, opens_at
from scheduling.views.rooms import to_room


@page(audience=Audience.PROVIDER, permission="view_own_schedule", phi=True)
def join(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Lead into the room while it is open (302); before and after, say how the visit stands."""
    appointment = get_object_or_404(own_visits(request.user, request.clinics), pk=pk)
    now = timezone.now()
    standing = door(appointment, now=now)
    if standing is Door.OPEN:
        return to_room(appointment)
    context = {
        "visit": OwnVisit(appointment, now),
        "door": standing.value,
        "opens": opens_at(appointment),
        "closes": closes_at(appointment),
    }
    return render(request, "provider/join.html", context)
