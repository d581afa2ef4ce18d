"""A patient books in a real browser: without script, by keyboard alone, on a telephone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from providers.models import Clinic, Provider, VisitType
from scheduling.models import Appointment, SlotHold
from tests.factories import ProviderFactory, VisitTypeFactory
from tests.journeys.portal_booking import code_in_mail, end

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE: ViewportSize = {"width": 390, "height": 844}
LARGEST_FIRST_LOAD = 90 * 1024


@pytest.fixture(autouse=True)
def _open(provider: Provider, visit_type: VisitType, clinic: Clinic) -> None:
    """Riverside Clinic with two providers, two specialties and two visits."""
    cache.clear()
    ProviderFactory.create(clinic=clinic, name="Dr. Hannah Weiss", working=True)
    VisitTypeFactory.create(code="URGENT_CARE", label="Urgent care")


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A telephone's page on which no script runs."""
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    yield context.new_page()
    context.close()


@pytest.fixture
def phone_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def look(page: Page) -> None:
    """Hold a page against WCAG, and against the width of its screen."""
    violations = Axe().run(page).response["violations"]
    assert violations == [], [violation["id"] for violation in violations]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def fill_in(page: Page) -> None:
    for label, value in (
        ("First name", "Rosa"),
        ("Last name", "Delgado"),
        ("Month", "4"),
        ("Day", "7"),
        ("Year", "1961"),
        ("E-mail", "rosa@mail.example"),
        ("Phone", "(212) 555-0147"),
        ("Reason", "A cough that stays"),
    ):
        page.get_by_label(label).fill(value)


def go_on(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()


def to_the_times(page: Page, server: LiveServer) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="Start now").click()
    page.get_by_label("Me", exact=True).check()
    page.get_by_label("No, we have been there before").check()
    go_on(page, "Continue")
    page.get_by_label("Follow-up visit").check()
    go_on(page, "Show free times")
    page.locator("input[name=day]").first.check()
    go_on(page, "Show times")


def test_a_patient_books_without_script(plain_page: Page, live_server: LiveServer) -> None:
    page = plain_page
    to_the_times(page, live_server)
    page.locator("input[name=slot]").nth(1).check()
    go_on(page, "Keep this time for me")
    page.get_by_label("First name").fill("Rosa")
    go_on(page, "I need more time")
    expect(page.get_by_label("First name")).to_have_value("Rosa")
    fill_in(page)
    go_on(page, "Continue")
    go_on(page, "Send me the code")
    page.get_by_label("Code from the e-mail").fill(code_in_mail())
    go_on(page, "Book this visit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your visit is booked")
    expect(page.get_by_text(Appointment.objects.get().reference)).to_be_visible()


def test_every_page_of_the_way_is_accessible_on_a_telephone(
    phone_page: Page, live_server: LiveServer
) -> None:
    page = phone_page
    page.goto(live_server.url)
    look(page)
    page.get_by_role("link", name="Start now").click()
    look(page)
    go_on(page, "Continue")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    look(page)
    page.get_by_label("Me", exact=True).check()
    page.get_by_label("No, we have been there before").check()
    go_on(page, "Continue")
    look(page)
    page.get_by_label("Follow-up visit").check()
    go_on(page, "Show free times")
    look(page)
    page.get_by_role("link", name="Choose provider").click()
    look(page)
    go_on(page, "Show free times")
    go_on(page, "Show times")
    expect(page.get_by_role("alert")).to_contain_text("Choose a day.")
    look(page)
    page.locator("input[name=day]").first.check()
    go_on(page, "Show times")
    look(page)
    page.locator("input[name=slot]").first.check()
    go_on(page, "Keep this time for me")
    look(page)
    go_on(page, "Continue")
    look(page)
    fill_in(page)
    go_on(page, "Continue")
    look(page)
    go_on(page, "Send me the code")
    look(page)
    page.get_by_label("Code from the e-mail").fill(code_in_mail())
    go_on(page, "Book this visit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your visit is booked")
    look(page)


def test_a_lost_time_is_answered_with_others_and_one_click_keeps_one(
    phone_page: Page, plain_page: Page, live_server: LiveServer
) -> None:
    to_the_times(phone_page, live_server)
    phone_page.locator("input[name=slot]").first.check()
    wanted = phone_page.locator("input[name=slot]").first.input_value()
    to_the_times(plain_page, live_server)
    plain_page.locator(f"input[value='{wanted}']").check()
    go_on(plain_page, "Keep this time for me")
    go_on(phone_page, "Keep this time for me")
    expect(phone_page.get_by_role("heading", level=1)).to_contain_text("is not free any more")
    look(phone_page)
    expect(phone_page.locator(".offers button")).to_have_count(3)
    phone_page.locator(".offers button").first.click()
    expect(phone_page.get_by_text("We are keeping")).to_be_visible()


def test_a_time_that_ran_out_is_offered_again(phone_page: Page, live_server: LiveServer) -> None:
    to_the_times(phone_page, live_server)
    phone_page.locator("input[name=slot]").first.check()
    go_on(phone_page, "Keep this time for me")
    phone_page.get_by_label("First name").fill("Rosa")
    go_on(phone_page, "I need more time")
    end(SlotHold.objects.get())
    phone_page.reload()
    expect(phone_page.get_by_role("heading", level=1)).to_have_text("The time ran out")
    look(phone_page)
    phone_page.get_by_role("button", name="again").click()
    expect(phone_page.get_by_label("First name")).to_have_value("Rosa")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, selector: str) -> None:
    """Walk forward until the focus is there; nothing is further than sixty steps."""
    for _step in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_patient_books_by_keyboard_alone(phone_page: Page, live_server: LiveServer) -> None:
    page = phone_page
    page.goto(live_server.url)
    tab_to(page, "a.button")
    press(page, "Enter")
    page.wait_for_url("**/who/")
    tab_to(page, "[name=who]")
    press(page, "Space")
    tab_to(page, "[name=first]")
    press(page, "ArrowDown", "Enter")
    page.wait_for_url("**/visit/**")
    tab_to(page, "[name=type]")
    press(page, "Space", "Enter")
    page.wait_for_url("**/days/**")
    tab_to(page, "[name=day]")
    press(page, "Space", "ArrowDown", "Enter")
    page.wait_for_url("**/times/**")
    tab_to(page, "[name=slot]")
    press(page, "Space", "ArrowDown", "Enter")
    page.wait_for_url("**/held/*/")
    tab_to(page, "[name=given_name]")
    for typed in ("Rosa", "Delgado", "April", "7", "1961", "rosa@mail.example", "2125550147"):
        page.keyboard.type(typed)
        press(page, "Tab")
    page.keyboard.type("A cough that stays")
    press(page, "Shift+Tab", "Enter")  # Enter in a field goes on; it does not ask for more time
    page.wait_for_url("**/check/")
    tab_to(page, "main form.form button")
    press(page, "Enter")
    page.wait_for_url("**/code/")
    tab_to(page, "[name=code]")
    page.keyboard.type(code_in_mail())
    press(page, "Enter")
    page.wait_for_url("**/booked/**")
    assert Appointment.objects.get().patient.full_name == "Rosa Delgado"


def test_the_first_load_is_light(phone_page: Page, live_server: LiveServer) -> None:
    sizes: list[int] = []
    phone_page.on("response", lambda answer: sizes.append(len(answer.body())))
    phone_page.goto(live_server.url, wait_until="networkidle")
    assert 0 < sum(sizes) <= LARGEST_FIRST_LOAD
