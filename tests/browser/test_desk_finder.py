"""The finder and the next free times in a real browser: by keyboard, and without script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling.models import Appointment, SlotHold
from tests.factories import MembershipFactory, PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (320, 390, 1440)


@pytest.fixture(autouse=True)
def _open(provider: Provider, visit_type: VisitType) -> None:
    """Riverside Clinic with a provider who has hours, and a visit to book."""


@pytest.fixture
def ana(clinic: Clinic) -> Patient:
    PatientFactory.create(clinic=clinic, name="Victor Castor", dob=date(1950, 2, 3))
    return PatientFactory.create(
        clinic=clinic, name="Ana Torres", dob=date(1961, 4, 7), phone="+12125550134"
    )


def enter(context: BrowserContext, clinic: Clinic, server: LiveServer) -> Page:
    """Return a page on which a receptionist is signed in."""
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic).user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    return context.new_page()


@pytest.fixture
def desk_page(context: BrowserContext, clinic: Clinic, live_server: LiveServer) -> Page:
    return enter(context, clinic, live_server)


@pytest.fixture
def plain_page(browser: Browser, clinic: Clinic, live_server: LiveServer) -> Iterator[Page]:
    """The same without any script."""
    context = browser.new_context(java_script_enabled=False)
    yield enter(context, clinic, live_server)
    context.close()


def look(page: Page) -> None:
    """Hold a page against WCAG, and against the width of every screen."""
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(v["id"], v["nodes"][0]["html"]) for v in violations]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_a_patient_is_found_and_opened_by_keyboard_alone(
    desk_page: Page, live_server: LiveServer, ana: Patient
) -> None:
    page = desk_page
    page.goto(live_server.url + reverse("desk:next_available"))
    page.keyboard.press("/")
    expect(page.locator("#finder")).to_be_focused()
    page.keyboard.type("tor")
    expect(page.locator(".finder-results a")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Victor Castor")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("link", name="Ana Torres")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('desk:patient', args=[ana.pk])}")
    expect(page.get_by_role("heading", name="Ana Torres")).to_be_visible()


def test_enter_in_the_box_opens_the_closest(
    desk_page: Page, live_server: LiveServer, ana: Patient
) -> None:
    page = desk_page
    page.goto(live_server.url + reverse("desk:finder"))
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("torres 4/7/61")
    expect(page.locator(".finder-results a")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('desk:patient', args=[ana.pk])}")


def test_what_was_typed_becomes_a_new_patient_by_keyboard(
    desk_page: Page, live_server: LiveServer
) -> None:
    page = desk_page
    page.goto(live_server.url + reverse("desk:finder"))
    page.keyboard.type("delgado, rosa 4/7/1961")
    expect(page.get_by_role("button", name="New patient with what you typed")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("First name")).to_have_value("Rosa")
    expect(page.get_by_label("Last name")).to_have_value("Delgado")
    page.get_by_label("Phone").press_sequentially("212 555 0199")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rosa Delgado")).to_be_visible()
    assert Patient.objects.get().dob == date(1961, 4, 7)


def test_a_time_is_kept_for_a_caller_and_booked_for_them(
    desk_page: Page, live_server: LiveServer, ana: Patient
) -> None:
    page = desk_page
    page.goto(live_server.url + reverse("desk:next_available"))
    page.get_by_role("button", name="Keep for caller").first.click()
    expect(page.locator(".countdown-clock [data-clock]")).to_contain_text("9:5")
    page.get_by_role("button", name="I need more time").click()
    expect(page.locator(".countdown-clock [data-clock]")).to_contain_text("11:5")
    page.keyboard.press("/")
    page.keyboard.type("torres")
    expect(page.locator(".finder-results a")).to_have_count(1)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Book it for Ana").click()
    page.get_by_role("button", name="Book", exact=False).first.click()
    page.wait_for_url("**/desk/?**")
    visit = Appointment.objects.get()
    assert visit.patient == ana
    assert not SlotHold.objects.exists()


def test_more_time_for_a_caller_loses_nothing_that_was_typed(
    desk_page: Page, live_server: LiveServer
) -> None:
    page = desk_page
    page.goto(live_server.url + reverse("desk:next_available"))
    page.get_by_role("button", name="Keep for caller").first.click()
    page.get_by_role("link", name="New patient").click()
    page.get_by_label("First name").fill("Rosa")
    page.get_by_role("button", name="I need more time").click()
    expect(page.locator(".countdown-clock [data-clock]")).to_contain_text("11:5")
    expect(page.get_by_role("button", name="I need more time")).to_be_focused()
    page.get_by_role("button", name="Let it go").click()
    expect(page.get_by_text("The time is free again.")).to_be_visible()
    expect(page.get_by_label("First name")).to_have_value("Rosa")
    assert not SlotHold.objects.exists()


def test_all_of_it_works_without_a_script(
    plain_page: Page, live_server: LiveServer, ana: Patient
) -> None:
    page = plain_page
    page.goto(live_server.url + reverse("desk:next_available"))
    page.get_by_role("button", name="Keep for caller").first.click()
    expect(page.get_by_text("is kept for your caller until")).to_be_visible()
    page.locator("#finder").fill("0134")
    page.locator("#finder").press("Enter")
    page.get_by_role("link", name="Ana Torres").click()
    expect(page.get_by_text("(212) 555-0134")).to_be_visible()
    page.get_by_role("button", name="Let it go").click()
    assert not SlotHold.objects.exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_blame_at_any_width(
    desk_page: Page, live_server: LiveServer, ana: Patient, scheme: str
) -> None:
    page = desk_page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(live_server.url + reverse("desk:finder"))
    page.keyboard.type("tor")
    expect(page.locator(".finder-results a")).to_have_count(2)
    look(page)
    for name, args in (("patient", [ana.pk]), ("patient_edit", [ana.pk]), ("patient_new", [])):
        page.goto(live_server.url + reverse(f"desk:{name}", args=args))
        look(page)
    page.goto(live_server.url + reverse("desk:next_available"))
    look(page)
    page.get_by_role("button", name="Keep for caller").first.click()
    look(page)


def test_a_double_is_warned_of_with_the_focus_on_it(
    desk_page: Page, live_server: LiveServer, ana: Patient
) -> None:
    page = desk_page
    page.goto(live_server.url + reverse("desk:patient_new"))
    for label, value in (
        ("First name", "Anna"),
        ("Last name", "Torres"),
        ("Date of birth", "4/7/1961"),
    ):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page.get_by_label("First name")).to_have_value("Anna")
    look(page)
    page.get_by_role("link", name="Ana Torres").click()
    page.wait_for_url(f"**{reverse('desk:patient', args=[ana.pk])}")


def test_the_policy_and_the_scripts_agree(
    desk_page: Page, live_server: LiveServer, ana: Patient
) -> None:
    complaints: list[str] = []
    desk_page.on("console", lambda message: complaints.append(message.text))
    desk_page.on("pageerror", lambda error: complaints.append(str(error)))
    for name in ("finder", "patient_new", "next_available"):
        desk_page.goto(live_server.url + reverse(f"desk:{name}"))
    desk_page.goto(live_server.url + reverse("desk:patient", args=[ana.pk]))
    assert complaints == []
