"""Signing in by a code from a text, and asking for a lost link: by axe, by keyboard, no scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from patients.models import Patient
from reminders.channels.memory import outbox
from tests.factories import AppointmentFactory, PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOBILE = "+12012340123"
WIDTHS = [390, 1440]


def fits(page: Page) -> bool:
    """Nothing that axe knows is wrong, and nothing is wider than the screen."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth")
    return bool(wide <= page.viewport_size["width"])  # type: ignore[index]


def with_mobile() -> Patient:
    return PatientFactory.create(phone=MOBILE, phone_is_textable=True)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_patient_signs_in_by_number_with_the_keyboard_alone(
    width: int, page: Page, live_server: Any
) -> None:
    with_mobile()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/sign-in/")
    assert fits(page)
    page.get_by_label("E-mail address or mobile number").focus()
    page.keyboard.type("(201) 234-0123")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    assert fits(page)
    code = re.search(r"\d{4} ?\d{4}", outbox[-1].message.text)
    assert code is not None
    page.get_by_label("Code").focus()
    page.keyboard.type(code.group())
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/appointments/$"))


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_neither_address_nor_number_is_explained(
    width: int, page: Page, live_server: Any
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_label("E-mail address or mobile number").fill("+1 555 555 0134")
    page.keyboard.press("Enter")
    said = "We cannot send a text message to this number"
    expect(page.get_by_role("link", name=said)).to_be_visible()
    assert fits(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_lost_link_comes_by_text_without_scripts(
    width: int, browser: Browser, live_server: Any
) -> None:
    visit = AppointmentFactory.create(patient=with_mobile())
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/lost-link/")
    page.get_by_label("Reference").fill(visit.reference)
    page.get_by_label("E-mail address or mobile number").fill(MOBILE)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look for our message")).to_be_visible()
    link = re.search(r"/v/\S+", outbox[-1].message.text)
    assert link is not None
    page.goto(f"{live_server.url}{link.group()}")
    expect(page.get_by_text(visit.reference)).to_be_visible()
    context.close()
