"""A caller who is new: a time is kept while they are registered, and booked for them at the end."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling.models import Appointment, SlotHold
from tests.factories import PatientFactory
from tests.page_forms import PageForm, forms_in
from tests.scheduling.desk_cast import at_the_desk

pytestmark = pytest.mark.django_db


def form_with(page: HttpResponse, name: str) -> PageForm:
    """Return the page's first form with a field of this name."""
    return next(form for form in forms_in(page.content.decode()) if name in form.fields)


def send(client: Client, page: Any, name: str, **typed: str) -> Any:
    """Send the form with a field of this name, as the page filled it in but for what is typed."""
    form = form_with(page, name)
    address = form.action or page.wsgi_request.get_full_path()
    return client.post(address, {**form.data(), **typed}, follow=True)


@pytest.mark.usefixtures("provider", "visit_type")
def test_a_new_caller_gets_the_time_that_was_kept_for_them(clinic: Clinic) -> None:
    client = at_the_desk(clinic)
    page = client.get(reverse("desk:next_available"))
    kept = send(client, page, "start")
    hold = SlotHold.objects.get()
    assert urlsplit(kept.redirect_chain[-1][0]).path == reverse("desk:hold", args=[hold.pk])

    link = f"{reverse('desk:patient_new')}?next="
    assert link in kept.content.decode()
    book = f"{reverse('desk:book')}?hold={hold.pk}"
    form = client.get(reverse("desk:patient_new"), {"next": book})
    typed = {"given_name": "Rosa", "family_name": "Delgado", "dob": "4/7/1961"}
    booking = send(client, form, "given_name", **typed)
    rosa = Patient.objects.get()
    assert booking.redirect_chain[-1][0] == f"{book}&patient={rosa.pk}"

    send(client, booking, "type", step="book")
    visit = Appointment.objects.get()
    assert (visit.patient, visit.scheduled_start) == (rosa, hold.visit_start)
    assert not SlotHold.objects.exists()
    assert "Rosa Delgado" in client.get(reverse("desk:patient", args=[rosa.pk])).content.decode()


def test_a_known_caller_is_found_by_their_reference(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    client = at_the_desk(clinic)
    patient = PatientFactory.create(clinic=clinic, name="Ana Torres")
    page = client.get(reverse("desk:next_available"), {"patient": str(patient.pk)})
    send(client, page, "start")
    hold = SlotHold.objects.get()
    assert hold.patient == patient
    booking = client.get(reverse("desk:book"), {"hold": str(hold.pk), "patient": str(patient.pk)})
    send(client, booking, "type", step="book")
    reference = Appointment.objects.get().reference
    found = client.post(reverse("desk:finder"), {"q": reference.lower()})
    assert reverse("desk:patient", args=[patient.pk]) in found.content.decode()
