"""What the tests of the desk's pages share: a receptionist's browser and the pages' forms."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic, Provider, Role
from scheduling.models import Appointment
from tests.factories import MembershipFactory, at, next_monday

MONDAY = next_monday(1)
NINE = at(MONDAY, "09:00")
HTMX = {"HX-Request": "true"}


def at_the_desk(clinic: Clinic, role: Role = Role.RECEPTIONIST) -> Client:
    """Return a signed-in browser of somebody who works at a clinic."""
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic, role=role).user)
    return client


def book_url(provider: Provider, start: datetime, patient: Patient | None = None) -> str:
    known = {"provider": provider.pk, "start": start.isoformat()}
    if patient is not None:
        known["patient"] = patient.pk
    return f"{reverse('desk:book')}?{urlencode(known)}"


def shown(response: Any) -> str:
    """Return a page's text without its tags, spaces run together."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def key_in(response: Any) -> str:
    found = re.search(r'name="key" value="([^"]+)"', response.content.decode())
    assert found is not None
    return found[1]


def do(client: Client, visit: Appointment, name: str, **more: Any) -> Any:
    """Press the button of an act, as a panel that shows the visit as it is passed in."""
    url = reverse("desk:act", args=[visit.pk, name])
    return client.post(url, {"version": visit.version}, **more)
