"""The privacy officer has the record verified: by keyboard, without scripts, on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from patients.models import AuditSeal
from providers.models import Clinic, Role
from tests.patients.privacy.staff_sign_in import member
from tests.patients.sealing import as_owner, ask, seal_all, write_rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cookie(clinic: Clinic, live_server: Any, settings: Any, tmp_path: Path) -> Any:
    """The session of an officer whose record is sealed."""
    settings.AUDIT_ANCHOR = str(tmp_path / "anchor")
    write_rows(40)
    seal_all(most_rows=10)
    client = Client()
    client.force_login(member(clinic, Role.PRIVACY_OFFICER))
    name = configured.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": live_server.url}


def has_no_faults(page: Page) -> bool:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    return True


def test_it_is_verified_by_keyboard_and_damage_is_told(
    page: Page, cookie: Any, live_server: Any
) -> None:
    page.context.add_cookies([cookie])
    page.goto(f"{live_server.url}/privacy/chain/")
    assert has_no_faults(page)
    press_until(page, "Verify now")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing was altered").first).to_be_visible()
    assert has_no_faults(page)

    row = AuditSeal.objects.get(number=2).first_id
    with as_owner(keeping=True):
        ask("DELETE FROM patients_auditentry WHERE id = %s", [row])
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text(f"Row {row} was removed after it was sealed.").first).to_be_visible()
    assert has_no_faults(page)


def press_until(page: Page, label: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == label:
            return
    raise AssertionError(f"{label} is not reached by keyboard")


def test_it_works_without_scripts_on_a_phone(
    browser: Browser, cookie: Any, live_server: Any
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(f"{live_server.url}/privacy/chain/")
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("Nothing was altered").first).to_be_visible()
    wide = page.locator("main").bounding_box()
    assert wide
    assert wide["width"] <= 390
    context.close()
