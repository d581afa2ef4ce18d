"""The waitlist's figures in a real browser: by axe, by keyboard, and without scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from providers.models import Clinic, Provider, Role
from tests.factories import MembershipFactory
from tests.reminders.test_report_waitlist import fill
from tests.scheduling.waitlist.test_figures import freed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = [320, 390, 1440]


@pytest.fixture
def cookie(clinic: Clinic, provider: Provider, live_server: Any) -> Any:
    """The session of somebody who runs a clinic with enough of one kind of freed time."""
    fill(provider)
    for ended, times in (("CLAIMED", 9), ("EXHAUSTED", 6)):
        for _time in range(times):
            freed(provider, "RELEASE", ended, 10, came=timezone.now() - timedelta(days=2))
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user)
    name = configured.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": live_server.url}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_to_blame_and_nothing_is_too_wide(
    width: int, scheme: Any, page: Page, live_server: Any, cookie: Any
) -> None:
    page.context.add_cookies([cookie])
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}{reverse('reports:waitlist')}")
    expect(page.get_by_role("img", name="Shares of freed time")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_tabs_and_the_days_are_reached_by_keyboard(
    page: Page, live_server: Any, cookie: Any
) -> None:
    page.context.add_cookies([cookie])
    page.goto(f"{live_server.url}{reverse('reports:start')}")
    page.get_by_role("link", name="Waitlist", exact=True).last.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}{reverse('reports:waitlist')}")
    page.get_by_label("From", exact=True).focus()
    page.keyboard.type("02012020")
    page.get_by_label("To", exact=True).focus()
    page.keyboard.type("02292020")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No time came free on these days")).to_be_visible()


def test_figures_stand_there_without_scripts(
    browser: Browser, live_server: Any, cookie: Any
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(f"{live_server.url}{reverse('reports:waitlist')}")
    expect(page.get_by_role("row", name="Within 24 hours")).to_contain_text("57.1%")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert download.value.suggested_filename == "waitlist.csv"
    context.close()
