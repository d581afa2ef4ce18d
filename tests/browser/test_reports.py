"""The figures in a real browser: by axe in light and dark, by keyboard, without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from providers.models import Clinic, Role, VisitType
from tests.factories import MembershipFactory
from tests.reminders.test_report_pages import fill

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = [320, 390, 1440]


@pytest.fixture
def cookie(clinic: Clinic, visit_type: VisitType, live_server: Any) -> Any:
    """The session of somebody who runs a clinic of two providers: one with enough visits."""
    fill(clinic, visit_type, ["Dr. Amara Diallo"], 11)
    fill(clinic, visit_type, ["Dr. Bartholomew Featherstonehaugh"], 3)
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
    page.goto(f"{live_server.url}{reverse('reports:start')}")
    expect(page.get_by_role("img", name="No-show rates. By provider")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_of_a_plot_do_not_lie_on_each_other(
    page: Page, live_server: Any, cookie: Any
) -> None:
    page.context.add_cookies([cookie])
    page.set_viewport_size({"width": 320, "height": 900})
    page.goto(f"{live_server.url}{reverse('reports:start')}")
    overlaps = page.evaluate(
        """() => [...document.querySelectorAll("svg.plot")].flatMap((svg) => {
            const boxes = [...svg.querySelectorAll("text")].map((t) => t.getBoundingClientRect());
            return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
                a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
        }).length"""
    )
    assert overlaps == 0


def test_days_are_chosen_by_keyboard(page: Page, live_server: Any, cookie: Any) -> None:
    page.context.add_cookies([cookie])
    page.goto(f"{live_server.url}{reverse('reports:start')}")
    page.get_by_label("From", exact=True).focus()
    page.keyboard.type("02012020")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.get_by_label("To", exact=True).focus()
    page.keyboard.type("02292020")
    page.keyboard.press("Enter")
    expect(page).to_have_url(
        f"{live_server.url}{reverse('reports:start')}?since=2020-02-01&until=2020-02-29"
    )
    expect(page.get_by_text("No closed visits on these days")).to_be_visible()


def test_figures_stand_there_without_scripts(
    browser: Browser, live_server: Any, cookie: Any
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(f"{live_server.url}{reverse('reports:start')}")
    row = page.get_by_role("row", name="Dr. Amara Diallo")
    expect(row).to_contain_text("36.4%")
    expect(page.get_by_role("row", name="Featherstonehaugh")).to_contain_text("Too few to say")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save visits as a file").click()
    assert download.value.suggested_filename == "no-shows.csv"
    context.close()
