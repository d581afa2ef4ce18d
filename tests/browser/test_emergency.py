"""Opening a record in an emergency in a real browser: by keyboard, without script, by axe."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import BreakGlassGrant, GrantKind
from providers.models import Clinic, Provider, Role
from scheduling import notes
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, MembershipFactory, ProviderFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (320, 390, 1440)
REASON = "Fainted in the waiting room"


@pytest.fixture
def visit(provider: Provider) -> Appointment:
    MembershipFactory.create(user=provider.user, clinic=provider.clinic, role=Role.PROVIDER)
    visit = AppointmentFactory.create(provider=provider, reason="Chest pain")
    assert provider.user is not None
    notes.write_note(appointment=visit, text="Sleeps badly", seen="", by=provider.user)
    return visit


@pytest.fixture
def colleague(clinic: Clinic) -> User:
    provider = ProviderFactory.create(clinic=clinic)
    MembershipFactory.create(user=provider.user, clinic=clinic, role=Role.PROVIDER)
    assert provider.user is not None
    return provider.user


def sign_in(context: BrowserContext, site: LiveServer, user: User) -> Page:
    client = Client()
    client.force_login(user)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": site.url}])
    return context.new_page()


def type_the_form(page: Page, reference: str) -> None:
    """Fill in the form by keyboard alone, from the reference on, and send it."""
    page.get_by_label("Visit reference").focus()
    page.keyboard.type(reference)
    for _box in ("first name", "last name", "month", "day", "year", "purpose"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type(REASON)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def test_a_record_is_opened_and_ended_by_keyboard_alone(
    context: BrowserContext, live_server: LiveServer, visit: Appointment, colleague: User
) -> None:
    page = sign_in(context, live_server, colleague)
    page.goto(live_server.url + reverse("emergency:ask"))
    type_the_form(page, visit.reference)
    expect(page.get_by_text("Sleeps badly")).to_be_visible()
    expect(page.get_by_text("A patient's record is open")).to_be_visible()
    page.get_by_role("button", name="End now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The record is closed again.")).to_be_visible()
    expect(page.get_by_text("A patient's record is open")).to_be_hidden()


def test_it_works_without_script_and_a_mistake_keeps_what_was_typed(
    browser: Browser, live_server: LiveServer, visit: Appointment, colleague: User
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = sign_in(context, live_server, colleague)
    page.goto(live_server.url + reverse("emergency:ask"))
    type_the_form(page, "22222222")
    expect(page.get_by_text("Nobody was found").first).to_be_visible()
    expect(page.get_by_label("Why is it needed now?")).to_have_value(REASON)
    page.get_by_label("Visit reference").fill(visit.reference)
    page.get_by_role("button", name="Open the record").click()
    expect(page.get_by_text("Chest pain")).to_be_visible()
    context.close()


def test_axe_finds_nothing_to_blame_on_any_page_at_any_width(
    context: BrowserContext, live_server: LiveServer, visit: Appointment, colleague: User
) -> None:
    MembershipFactory.create(user=colleague, clinic=visit.clinic, role=Role.PRIVACY_OFFICER)
    page = sign_in(context, live_server, colleague)
    page.goto(live_server.url + reverse("emergency:ask"))
    type_the_form(page, visit.reference)
    expect(page.get_by_text("Sleeps badly")).to_be_visible()
    grant = BreakGlassGrant.objects.get(kind=GrantKind.EMERGENCY)
    addresses = [
        reverse("emergency:ask"),
        reverse("emergency:record", args=[grant.pk]),
        reverse("emergency:look"),
        reverse("emergency:reviews"),
        reverse("emergency:review", args=[grant.pk]),
        reverse("provider:shared"),
        reverse("provider:today"),
    ]
    for address in addresses:
        page.goto(live_server.url + address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found = Axe().run(page)
            assert found.violations_count == 0, (address, width, found.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
