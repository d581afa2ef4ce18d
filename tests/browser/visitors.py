"""Browsers that have come some way through the seeded clinic's pages, by using those pages.

Knows which fields a patient fills in, and nothing of how the pages answer.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from patients.models import MatchCandidate, Patient, contact_index
from patients.registration import account_for
from scheduling.seeding import cast
from tests.answers import Answer
from tests.page_forms import forms_in

CHOSEN = "first=no&type=FOLLOW_UP"
SOME_DAYS_ON = 3  # far enough for times to be left when the picture is taken
DETAILS = {
    "given_name": "Rosalind",
    "family_name": "Achterberg",
    "dob_month": "April",
    "dob_day": "7",
    "dob_year": "1961",
    "email": "rosalind@example.org",
    "phone": "212 555 0142",
    "reason": "Lab results, and a question about my blood pressure tablets",
}
STAFF = {
    "desk": "receptionist",
    "provider": "provider",
    "admin": "admin",
    "privacy": "privacy",
}


class DeadEnd(Exception):
    """A page on the way did not lead on."""


def browser() -> Client:
    """Return a browser to which a fault of the site is an answer of 500."""
    return Client(raise_request_exception=False)


def staff(role: str) -> Client:
    """Return the browser of a member of the demo's cast."""
    client = browser()
    client.force_login(User.objects.get(username=f"{STAFF[role]}@{cast.DOMAIN}"))
    return client


def demo_patient() -> Client:
    client = browser()
    account = account_for(contact_index("email", cast.DEMO_PATIENT_EMAIL))
    if account is None:
        raise DeadEnd("the demo's patient has no account")
    client.force_login(account)
    return client


def own_record() -> Patient:
    """Return the demo patient's record."""
    return Patient.objects.get(email_index=contact_index("email", cast.DEMO_PATIENT_EMAIL))


def keep_a_time(client: Client, *, who: str = "me") -> str:
    """Go from the days to a kept time; return the hold's id."""
    days = days_address(who)
    times = client.post(days, {"day": choices(client, days, "day")[SOME_DAYS_ON]})["Location"]
    return held_id(client.post(times, {"slot": choices(client, times, "slot")[0]}))


def days_address(who: str) -> str:
    """Return the page of days, for somebody's follow-up visit."""
    return reverse("portal:days", args=[cast.CLINIC_SLUG]) + f"?who={who}&{CHOSEN}"


def choices(client: Client, address: str, name: str) -> list[str]:
    """Return what a page lets one choose under this name. Raises DeadEnd where that is nothing."""
    answer = client.get(address)
    for form in forms_in(answer.content.decode()):
        if name in form.fields:
            return form.fields[name].options
    raise DeadEnd(f"nothing to choose as {name} at {address} ({answer.status_code})")


def keep_for_caller(client: Client) -> str:
    """Keep the first time that the desk is offered; return the hold's id."""
    offered = client.get(f"{reverse('desk:next_available')}?type=FOLLOW_UP")
    place = reverse("desk:hold_place")
    for form in forms_in(offered.content.decode()):
        if form.action == place:
            return urlsplit(client.post(place, form.data())["Location"]).path.split("/")[3]
    raise DeadEnd(f"no time to keep for a caller ({offered.status_code})")


def join_records(client: Client, pair: MatchCandidate) -> str:
    """Join two records by the pages that ask first; return the id of what was done."""
    chosen = client.post(reverse("records:pair", args=[pair.pk]), {"keep": "one"})["Location"]
    for form in forms_in(client.get(chosen).content.decode()):
        if "seen_keep" in form.fields:
            done = client.post(urlsplit(chosen).path, form.data())
            return urlsplit(done.headers.get("Location", "")).path.split("/")[3]
    raise DeadEnd("no button to join two records")


def held_id(answer: Answer) -> str:
    """Return the hold's id from a redirect to one of its pages."""
    return urlsplit(answer.headers.get("Location", "")).path.split("/")[2]


def fill_in(client: Client, hold: str) -> None:
    """Type who comes, and go on to the answers."""
    _must_lead_on(client.post(reverse("portal:details", args=[hold]), DETAILS))


def go_on(client: Client, hold: str) -> None:
    """Say that the answers are right."""
    _must_lead_on(client.post(reverse("portal:check", args=[hold])))


def ask_for_code(client: Client) -> None:
    """Ask to be signed in by a code."""
    address = {"contact": cast.DEMO_PATIENT_EMAIL}
    _must_lead_on(client.post(reverse("portal:sign_in"), address))


def _must_lead_on(answer: Answer) -> None:
    if answer.status_code != 302:
        raise DeadEnd(f"{answer.status_code} instead of the next page")
