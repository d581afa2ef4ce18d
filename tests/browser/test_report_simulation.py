"""Trying the waitlist's rules in a real browser: by axe, by keyboard, without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from providers.models import Clinic, Role
from tests.factories import MembershipFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
QUERY = "source=invented&runs=6&slots=60&waiting=120"


@pytest.fixture
def cookie(clinic: Clinic, live_server: Any) -> Any:
    """The session of somebody who runs a clinic."""
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user)
    name = configured.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": live_server.url}


def address(live_server: Any, name: str = "waitlist_simulation", query: str = QUERY) -> str:
    return f"{live_server.url}{reverse(f'reports:{name}')}?{query}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_axe_finds_nothing_to_blame_and_nothing_is_too_wide(
    width: int, scheme: Any, page: Page, live_server: Any, cookie: Any
) -> None:
    page.context.add_cookies([cookie])
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    pages = [
        (address(live_server), 200),
        (address(live_server, query="runs=99"), 422),
        (address(live_server, "waitlist_use", "mode=OVERLAPPING"), 200),
    ]
    for where, status in pages:
        answer = page.goto(where)
        assert answer is not None
        assert answer.status == status
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_of_the_plot_do_not_lie_on_each_other(
    page: Page, live_server: Any, cookie: Any
) -> None:
    page.context.add_cookies([cookie])
    page.set_viewport_size({"width": 320, "height": 900})
    page.goto(address(live_server))
    expect(page.get_by_role("img", name="Share of freed times that were filled")).to_be_visible()
    overlaps = page.evaluate(
        """() => {
            const texts = [...document.querySelectorAll("svg.plot text")];
            const boxes = texts.map((t) => t.getBoundingClientRect());
            return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
                a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
        }"""
    )
    assert overlaps == []


def test_a_rule_is_tried_and_chosen_by_keyboard(page: Page, live_server: Any, cookie: Any) -> None:
    page.context.add_cookies([cookie])
    page.goto(address(live_server))
    yes = page.get_by_label("Patients of 100 who say yes")
    yes.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("20")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("acceptance=20"))
    expect(yes).to_have_value("20")
    page.get_by_role("link", name="Use: Several at once").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Several at once")).to_be_checked()
    page.get_by_role("button", name="Use this rule").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("freed time is offered so: Several at once.")).to_be_visible()


def test_all_of_it_works_without_scripts(browser: Browser, live_server: Any, cookie: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(address(live_server))
    expect(page.get_by_role("row", name="4 to 24 hours ahead")).to_contain_text("%")
    page.get_by_role("link", name="Use: Several at once").click()
    page.get_by_role("radio", name="Do not offer").check()
    page.get_by_role("button", name="Use this rule").click()
    expect(page.get_by_text("freed time is offered so: Do not offer.")).to_be_visible()
    context.close()
