"""The privacy office and the patient's own list of looks, after a day's work at the clinic."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from scheduling.models import Appointment
from scheduling.seeding import cast
from tests.browser import visitors
from tests.browser.subjects import Subject

WRONG = "since=2026-05-02&until=2026-05-01"


def _looks() -> list[Subject]:
    """Staff look at some records, and at one that is not theirs; then the pages show it."""
    officer, patient = visitors.staff("privacy"), visitors.own_record()
    desk, provider = visitors.staff("desk"), visitors.staff("provider")
    for address in (
        reverse("desk:board"),
        reverse("desk:patient", args=[patient.pk]),
        reverse("desk:patient_edit", args=[patient.pk]),
    ):
        desk.get(address)
    visits = Appointment.objects.filter(patient=patient, scheduled_start__lt=timezone.now())
    for visit in visits[:2]:
        provider.get(reverse("provider:visit", args=[visit.pk]))
    provider.get(reverse("desk:patient", args=[patient.pk]))
    receptionist = User.objects.get(username=f"{visitors.STAFF['desk']}@{cast.DOMAIN}")
    own, colleague = {"pk": patient.pk}, {"pk": receptionist.pk}
    return [
        Subject("privacy:start", "privacy", officer),
        Subject("privacy:start", "privacy", officer, query=WRONG, label="wrong", status=422),
        Subject("privacy:whose", "privacy", officer),
        Subject("privacy:patient", "privacy", officer, own),
        Subject("privacy:staff", "privacy", officer),
        Subject("privacy:colleague", "privacy", officer, colleague),
        Subject("privacy:own_acts", "provider", provider),
        Subject("portal:record_looks", "portal", visitors.demo_patient()),
    ]


WAYS = [_looks]
