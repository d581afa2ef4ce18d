"""The components in a real browser: by keyboard, and by what an assistive reader finds."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from config.gallery.views import AUDIENCES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (320, 390, 1440)


def open_gallery(page: Page, server: LiveServer, audience: str, width: int = 1440) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server.url}{reverse('gallery')}?as={audience}")
    expect(page.locator("[data-error-summary]")).to_be_focused()  # the scripts have run


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_blame(
    page: Page, live_server: LiveServer, audience: str, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    open_gallery(page, live_server, audience)
    assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(
    page: Page, live_server: LiveServer, audience: str, width: int
) -> None:
    open_gallery(page, live_server, audience, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_policy_and_the_scripts_agree(page: Page, live_server: LiveServer) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for audience in AUDIENCES:
        open_gallery(page, live_server, audience)
    assert complaints == []


def test_the_error_summary_takes_the_focus(page: Page, live_server: LiveServer) -> None:
    open_gallery(page, live_server, "portal")
    expect(page.locator("[data-error-summary]")).to_be_focused()


def test_the_board_is_one_tab_stop_and_walks_by_arrows(page: Page, live_server: LiveServer) -> None:
    open_gallery(page, live_server, "desk")
    expect(page.locator('.board-day a[tabindex="0"]')).to_have_count(1)
    page.locator("#e0-3").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#f0-615")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#e1-2")).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("#e1-0")).to_be_focused()
    expect(page.locator('.board-day a[tabindex="0"]')).to_have_count(1)


def test_a_single_key_works_outside_a_field_and_types_inside(
    page: Page, live_server: LiveServer
) -> None:
    open_gallery(page, live_server, "desk")
    page.keyboard.press("/")
    expect(page.locator("#finder")).to_be_focused()
    page.keyboard.type("?n")
    expect(page.locator("#finder")).to_have_value("?n")
    expect(page.locator("#shortcuts")).not_to_be_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()


def test_a_hold_speaks_at_two_minutes_and_at_one(page: Page, live_server: LiveServer) -> None:
    page.clock.install()
    open_gallery(page, live_server, "portal")
    voice = page.locator("span[data-voice]")
    expect(voice).to_have_text("")
    page.clock.run_for(470_000)
    expect(voice).to_contain_text("Two minutes")
    page.clock.run_for(60_000)
    expect(voice).to_contain_text("One minute")


def test_a_second_click_sends_nothing(page: Page, live_server: LiveServer) -> None:
    open_gallery(page, live_server, "portal")
    sent: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        sent.append(route.request.url)
        route.fulfill(status=204)

    page.route("**/*", answer)
    page.evaluate(
        "document.querySelectorAll('form').forEach((form) => { form.noValidate = true; })"
    )
    button = page.get_by_role("button", name="Continue").first
    button.click()
    button.click()
    page.wait_for_timeout(200)
    assert len(sent) == 1
