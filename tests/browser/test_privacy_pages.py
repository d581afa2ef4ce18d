"""The record of looks, for officers and for patients: read by axe, by keyboard, without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from patients.models import Patient
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from providers.models import Clinic, Role
from tests.factories import MembershipFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW = 390


def cookie_of(user: User, live_server: Any) -> Any:
    client = Client()
    client.force_login(user)
    name = configured.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": live_server.url}


def work(patient: Patient, clinic: Clinic) -> None:
    """A receptionist looks at a record, and is refused it once."""
    user = UserFactory.create(first_name="Rhea", last_name="Castillo")
    MembershipFactory.create(user=user, clinic=clinic, role=Role.RECEPTIONIST)
    kept = audit.Record(
        who=lambda: audit.Who(user=user.pk), page="desk:patient", purpose="scheduling"
    )
    with audit.opened(kept):
        for outcome in (Outcome.DONE, Outcome.DENIED):
            audit.record(
                action=Act.ACCESS,
                patients=[patient.pk],
                fields=["given_name", "family_name", "dob", "phone", "email", "city"],
                outcome=outcome,
            )


def fits(page: Page) -> bool:
    """Nothing that axe knows is wrong, and nothing is wider than the screen."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth")
    return bool(wide <= page.viewport_size["width"])  # type: ignore[index]


@pytest.mark.parametrize("width", [NARROW, 1440])
def test_an_officer_finds_who_saw_a_patient(
    width: int, page: Page, live_server: Any, clinic: Clinic, patient: Patient
) -> None:
    work(patient, clinic)
    officer = MembershipFactory.create(clinic=clinic, role=Role.PRIVACY_OFFICER).user
    page.set_viewport_size({"width": width, "height": 900})
    page.context.add_cookies([cookie_of(officer, live_server)])
    page.goto(live_server.url + reverse("privacy:start"))
    assert fits(page)
    page.get_by_role("link", name="Who saw a patient").click()
    assert fits(page)
    page.get_by_label("First name").fill(patient.given_name)
    page.get_by_label("Last name").fill(patient.family_name)
    for box, value in (("Month", "2"), ("Day", "29"), ("Year", "1984")):
        page.get_by_label(box).fill(value)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Who saw this patient")
    expect(page.get_by_text("Rhea Castillo").first).to_be_visible()
    assert patient.family_name not in page.url + page.content()
    assert fits(page)


def test_a_patient_reads_the_list_without_scripts_on_a_phone(
    browser: Browser, live_server: Any, clinic: Clinic, patient: Patient
) -> None:
    work(patient, clinic)
    account = UserFactory.create(username="p-1", email="")
    Patient.objects.filter(pk=patient.pk).update(user=account)
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": NARROW, "height": 844}
    )
    context.add_cookies([cookie_of(account, live_server)])
    page = context.new_page()
    page.goto(live_server.url + reverse("portal:appointments"))
    page.get_by_role("link", name="Who looked at my record").click()
    expect(page.get_by_text("Looked at your record")).to_be_visible()
    expect(page.get_by_text("Rhea Castillo, Receptionist")).to_be_visible()
    with page.expect_download() as kept:
        page.get_by_role("link", name="Save as a file").click()
    assert kept.value.suggested_filename == "who-looked-at-my-record.csv"
    context.close()


def test_the_patients_list_has_no_faults(
    page: Page, live_server: Any, clinic: Clinic, patient: Patient
) -> None:
    work(patient, clinic)
    account = UserFactory.create(username="p-1", email="")
    Patient.objects.filter(pk=patient.pk).update(user=account)
    page.context.add_cookies([cookie_of(account, live_server)])
    page.set_viewport_size({"width": NARROW, "height": 844})
    page.goto(live_server.url + reverse("portal:record_looks"))
    assert fits(page)
