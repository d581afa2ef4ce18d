"""The step from a page of ours into a video visit's room, which stands on another site."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect

from scheduling.models import Appointment
from scheduling.video import room_url


def to_room(appointment: Appointment) -> HttpResponse:
    """Lead into the room; the other site is not told from which address.

    Raises ValueError for a visit whose clinic has no rooms.
    """
    room = room_url(appointment)
    if room is None:
        raise ValueError("This visit has no room.")
    response = HttpResponseRedirect(room)
    response["Referrer-Policy"] = "no-referrer"
    return response
