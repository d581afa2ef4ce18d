"""A patient at a browser without script: follows addresses, fills in forms, reads mail."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from providers.calendars import bump
from scheduling.models import SlotHold

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse

DETAILS = {
    "given_name": "Rosa",
    "family_name": "Delgado",
    "dob_month": "April",
    "dob_day": "7",
    "dob_year": "1961",
    "email": "Rosa@Mail.example",
    "phone": "(212) 555-0147",
    "reason": "A cough that stays",
}


def address(name: str, slug: str = "riverside", **params: str) -> str:
    choices = {"who": "me", "first": "no", "type": "FOLLOW_UP", **params}
    query = "&".join(f"{key}={value}" for key, value in choices.items() if value)
    return f"{reverse(f'portal:{name}', args=[slug])}?{query}"


def values(response: TestResponse, name: str) -> list[str]:
    """Return the values that a page's controls of one name offer, in order."""
    return re.findall(rf'name="{name}" value="([^"]+)"', response.content.decode())


def first_day(client: Client, **params: str) -> date:
    return date.fromisoformat(values(client.get(address("days", **params)), "day")[0])


def offered(client: Client, day: date, **params: str) -> list[str]:
    return values(client.get(address("times", day=day.isoformat(), **params)), "slot")


def keep(client: Client, slot: str, **params: str) -> UUID:
    """Keep a time and return the hold's id."""
    response = client.post(address("times", **params), {"slot": slot})
    assert response.status_code == 302, response.content.decode()
    return UUID(response["Location"].split("/")[2])


def held(client: Client, **params: str) -> SlotHold:
    """Keep the first time of the first day."""
    slot = offered(client, first_day(client, **params), **params)[0]
    return SlotHold.objects.get(pk=keep(client, slot, **params))


def code_in_mail() -> str:
    """Return the code of the last message that carries one."""
    found = [re.search(r"\b\d{4} \d{4}\b", str(message.body)) for message in mail.outbox]
    return [match.group() for match in found if match][-1]


def finish(client: Client, hold: SlotHold, details: dict[str, str] = DETAILS) -> TestResponse:
    """Type the details, ask for the code, and type it; return the answer to that."""
    client.post(reverse("portal:details", args=[hold.pk]), details)
    client.post(reverse("portal:check", args=[hold.pk]))
    return client.post(reverse("portal:code", args=[hold.pk]), {"code": code_in_mail()})


def choices_in(location: str) -> dict[str, str]:
    return {name: given[0] for name, given in parse_qs(urlsplit(location).query).items()}


def today() -> date:
    return timezone.localdate()


def end(hold: SlotHold) -> None:
    """Let a hold run out, as its ten minutes would."""
    with transaction.atomic():
        SlotHold.objects.filter(pk=hold.pk).update(expires_at=timezone.now())
        bump([hold.provider_id])
