"""Where a patient's video visit begins: into the room while it is open, else when that will be."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse

from patients.privacy.pages import Audience, PageRequest, page
from scheduling.models import Appointment
from scheduling.presenters import clock
from scheduling.video import Door, door, opens_at
from scheduling.views.portal_visit import open_link, show, visit_page
from scheduling.views.rooms import to_room


@page(audience=Audience.PUBLIC, phi=True)
def join_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take a link's token out of the address, and go on to the room's door."""
    return open_link(request, token, to="portal:join")


@visit_page()
def join(request: PageRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """Lead into the room while it is open (302); before and after, say how the visit stands."""
    standing = door(visit, now=now)
    if standing is Door.OPEN:
        return to_room(visit)
    opens = clock(opens_at(visit).astimezone(visit.zone))
    return show(request, "join", visit, door=standing.value, opens=opens)
