"""A record opened in an emergency and by a privacy officer, its review, and a shared record."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import BreakGlassGrant, GrantKind
from providers.models import Provider
from scheduling.models import Appointment
from scheduling.seeding import cast
from tests.browser import visitors
from tests.browser.subjects import Subject

WHY = {
    "EMERGENCY": {"purpose": "TREATMENT", "reason": "Fainted in the waiting room, no answer"},
    "OVERSIGHT": {"purpose": "COMPLAINT", "reason": "A complaint about a call on Monday"},
}


def _emergency() -> list[Subject]:
    """Open a record by the pages, then read it, and the officer's queue."""
    desk, provider = visitors.staff("desk"), visitors.staff("provider")
    officer = visitors.staff("privacy")
    visit = _somebody_elses()
    opened = _open(provider, "emergency:ask", visit, GrantKind.EMERGENCY)
    looked = _open(officer, "emergency:look", visit, GrantKind.OVERSIGHT)
    return [
        Subject("emergency:ask", "emergency", desk),
        Subject("emergency:record", "emergency", provider, {"pk": opened}),
        Subject("provider:today", "emergency", provider, label="while-open"),
        Subject("emergency:look", "emergency", officer),
        Subject("emergency:looked_at", "emergency", officer, {"pk": looked}),
        Subject("emergency:reviews", "emergency", officer),
        Subject("emergency:review", "emergency", officer, {"pk": opened}),
    ]


def _somebody_elses() -> Appointment:
    """Return a visit that has been, of a patient whom the demo's provider has never seen."""
    own = Provider.objects.get(name=cast.CLINICIANS[0].name)
    visits = Appointment.objects.filter(scheduled_start__lt=timezone.now())
    return visits.exclude(patient__relationships__provider=own).latest("scheduled_start")


def _open(client: Client, name: str, visit: Appointment, kind: GrantKind) -> str:
    answer = client.post(reverse(name), {"reference": visit.reference, **WHY[kind]})
    if answer.status_code != 302:
        raise visitors.DeadEnd(f"{name} opened nothing: {answer.status_code}")
    return str(BreakGlassGrant.objects.filter(kind=kind).latest("granted_at").pk)


def _shared() -> list[Subject]:
    """Share a record of the provider's with a colleague, and one of a colleague's with them."""
    provider = visitors.staff("provider")
    own, other = (Provider.objects.get(name=one.name) for one in cast.CLINICIANS[:2])
    mine = Appointment.objects.filter(provider=own).latest("scheduled_start").patient_id
    theirs = Appointment.objects.filter(provider=other).exclude(patient=mine)
    patient = theirs.latest("scheduled_start").patient_id
    colleague = visitors.browser()
    if other.user is None:
        raise visitors.DeadEnd("the second clinician cannot sign in")
    colleague.force_login(other.user)
    for client, record, whom in ((provider, mine, other), (colleague, patient, own)):
        address = reverse("provider:shares", args=[record])
        answer = client.post(address, {"colleague": whom.pk, "days": "30"})
        if answer.status_code != 302:
            raise visitors.DeadEnd(f"nothing was shared: {answer.status_code}")
    return [
        Subject("provider:shares", "provider", provider, {"pk": mine}),
        Subject("provider:shared", "provider", provider),
        Subject("provider:shared_record", "provider", provider, {"pk": patient}),
    ]


WAYS = [_emergency, _shared]
