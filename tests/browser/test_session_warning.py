"""The end of a sign-in in a real browser: warned of, put off, and told when it has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from patients.privacy.sign_in import sessions
from providers.models import Clinic, Provider
from tests.patients.privacy.staff_sign_in import member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DIALOG = "#session-warning"


@pytest.fixture
def user(clinic: Clinic) -> User:
    return member(clinic)


@pytest.fixture
def at_desk(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(context: BrowserContext, live_server: Any, at_desk: Client) -> Iterator[Page]:
    """A receptionist's browser on a page of the desk."""
    for name, cookie in at_desk.cookies.items():
        context.add_cookies([{"name": name, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    page.clock.install()
    page.goto(f"{live_server.url}/desk/patients/new/")
    yield page
    page.close()


def idle(client: Client, *, seconds: int) -> None:
    """Let so many seconds pass for the server: the session's times move into the past."""
    session = client.session
    session[sessions.SEEN_KEY] -= seconds
    session.save()


def test_the_warning_comes_in_time_and_one_press_puts_it_off(desk: Page, at_desk: Client) -> None:
    desk.locator("#id_given_name").fill("Rosalind")
    idle(at_desk, seconds=800)
    desk.clock.fast_forward(785_000)

    dialog = desk.locator(DIALOG)
    expect(dialog).to_be_visible()
    stay = dialog.get_by_role("button", name="Stay signed in")
    expect(stay).to_be_focused()
    expect(dialog.locator("[data-voice]")).to_contain_text("signed out in two minutes")
    found = Axe().run(desk, context=DIALOG)
    assert found.violations_count == 0, found.generate_report()

    desk.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(desk.locator("#id_given_name")).to_be_focused()
    expect(desk.locator("#id_given_name")).to_have_value("Rosalind")
    assert sessions.times_of(at_desk.session).seconds_left(sessions.clock()) > 880


def test_escape_stays_signed_in_too(desk: Page, at_desk: Client) -> None:
    idle(at_desk, seconds=800)
    desk.clock.fast_forward(785_000)
    expect(desk.locator(DIALOG)).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.locator(DIALOG)).to_be_hidden()
    assert sessions.times_of(at_desk.session).seconds_left(sessions.clock()) > 880


def test_a_busy_other_tab_keeps_the_warning_away(desk: Page) -> None:
    desk.clock.fast_forward(785_000)
    desk.clock.run_for(3_000)
    expect(desk.locator(DIALOG)).to_be_hidden()


def test_the_end_clears_the_page_and_says_why(desk: Page, at_desk: Client) -> None:
    desk.locator("#id_given_name").fill("Rosalind")
    idle(at_desk, seconds=901)
    desk.clock.fast_forward(901_000)

    heading = desk.get_by_role("heading", name="You were signed out")
    expect(heading).to_be_focused()
    assert "Rosalind" not in desk.content()
    assert desk.title() == "You were signed out"
    link = desk.get_by_role("link", name="Sign in again")
    assert str(link.get_attribute("href")).endswith("?next=%2Fdesk%2Fpatients%2Fnew%2F")
    found = Axe().run(desk)
    assert found.violations_count == 0, found.generate_report()


def test_a_poll_that_comes_too_late_clears_the_board(
    desk: Page, live_server: Any, at_desk: Client, provider: Provider
) -> None:
    today = timezone.localdate()
    monday = today + timedelta(days=7 - today.weekday())
    desk.goto(f"{live_server.url}/desk/?day={monday}")
    idle(at_desk, seconds=901)
    with desk.expect_response("**/desk/now/**") as answer:
        desk.clock.run_for(31_000)
    assert answer.value.status == 401
    expect(desk.get_by_role("heading", name="You were signed out")).to_be_visible()
