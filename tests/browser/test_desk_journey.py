"""A receptionist's day in a real browser: by keyboard alone, beside a colleague, without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType, Weekday
from scheduling.models import Appointment
from scheduling.transitions import Status
from tests.factories import (
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (320, 390, 1440)


def morning_zone() -> str:
    """Return a zone in which it is ten in the morning now, so that today has times to come."""
    ahead = (10 - datetime.now(tz=UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory.create(name="Riverside Clinic", time_zone__name=morning_zone())


@pytest.fixture
def provider(clinic: Clinic) -> Provider:
    provider = ProviderFactory.create(clinic=clinic, name="Dr. Amara Diallo")
    for day in Weekday:
        ProviderScheduleFactory.create(
            provider=provider, day_of_week=day, start_time=time(8), end_time=time(19)
        )
    return provider


@pytest.fixture
def visit_type() -> VisitType:
    return VisitTypeFactory.create(code="FOLLOW_UP", label="Follow-up", minimum_notice_minutes=0)


@pytest.fixture
def ada(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno")


@pytest.fixture
def receptionist(clinic: Clinic, provider: Provider, visit_type: VisitType, ada: Patient) -> User:
    user = MembershipFactory.create(clinic=clinic).user
    assert isinstance(user, User)
    return user


@pytest.fixture
def board(context: BrowserContext, live_server: LiveServer, receptionist: User) -> Page:
    """The day board, as after signing in with a second factor."""
    return _board(context, live_server, receptionist)


def _board(context: BrowserContext, live_server: LiveServer, user: User) -> Page:
    client = Client()
    client.force_login(user)
    for name, cookie in client.cookies.items():
        context.add_cookies([{"name": name, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + reverse("desk:board"))
    return page


@pytest.fixture
def plain(browser: Browser, live_server: LiveServer, receptionist: User) -> Iterator[Page]:
    """The board without any script."""
    context = browser.new_context(java_script_enabled=False)
    yield _board(context, live_server, receptionist)
    context.close()


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the wanted element has the focus, as a hand on the keyboard does."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("the keyboard does not get there")


def blameless(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(v["id"], v["nodes"][0]["html"]) for v in violations]


def side_panel(page: Page) -> Locator:
    return page.locator("#side-panel")


def book_by_keyboard(page: Page) -> None:
    """From the board: to its first free cell, find Ada, and Enter."""
    tab_to(page, page.locator(".board-free a").first)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#book-finder")).to_be_focused()
    page.keyboard.type("moreno")
    expect(side_panel(page).locator(".finder-results a")).to_have_count(1)
    blameless(page)
    page.keyboard.press("Enter")
    expect(page.locator("input[name=type]:checked")).to_be_focused()
    blameless(page)
    page.keyboard.press("Enter")
    expect(side_panel(page).get_by_text("Booked: Ada Moreno")).to_be_visible()


def test_booking_check_in_cancelling_and_undoing_by_keyboard_alone(board: Page) -> None:
    page, address = board, board.url
    blameless(page)
    book_by_keyboard(page)
    visit = Appointment.objects.get()
    block = page.locator(f"#visit-{visit.pk}")
    expect(block).to_contain_text("Ada Moreno Scheduled")
    blameless(page)
    tab_to(page, side_panel(page).get_by_role("button", name="Check in"))
    page.keyboard.press("Enter")
    expect(side_panel(page).get_by_text("Ada Moreno is checked in.")).to_be_visible()
    expect(block).to_contain_text("Arrived")
    tab_to(page, side_panel(page).get_by_role("link", name="Cancel visit"))
    page.keyboard.press("Enter")
    expect(side_panel(page).get_by_text("Why is it cancelled?")).to_be_visible()
    blameless(page)
    tab_to(page, side_panel(page).locator("input[name=reason]:checked"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(side_panel(page).get_by_text("The visit is cancelled.")).to_be_visible()
    blameless(page)
    assert Appointment.objects.get().status == Status.CANCELLED
    tab_to(page, side_panel(page).get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(side_panel(page).get_by_text("Undone.")).to_be_visible()
    expect(block).to_contain_text("Arrived")
    page.keyboard.press("Escape")
    expect(side_panel(page)).to_be_empty()
    expect(block).to_be_focused()
    assert page.url == address
    assert list(visit.events.values_list("kind", flat=True)) == [
        "BOOK",
        "CHECK_IN",
        "CANCEL",
        "UNDO",
    ]


# Types into the panel's finder in the moment it is there, before htmx has taken it up.
AT_ONCE = """
new MutationObserver((_changes, observer) => {
  const box = document.querySelector("#side-panel input[type=search]");
  if (!box) return;
  observer.disconnect();
  box.value = "moreno";
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
}).observe(document.body, { childList: true, subtree: true });
"""


def test_letters_typed_before_the_panel_is_ready_are_searched(board: Page) -> None:
    board.evaluate(AT_ONCE)
    board.locator(".board-free a").nth(1).click()
    expect(side_panel(board).get_by_role("link", name="Ada Moreno")).to_be_visible()
    expect(board.locator("#book-finder")).to_have_value("moreno")


def test_a_colleague_who_is_slower_is_refused_with_alternatives_of_one_click(
    board: Page, browser: Browser, live_server: LiveServer, clinic: Clinic, ada: Patient
) -> None:
    ben = PatientFactory.create(clinic=clinic, name="Ben Okafor")
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic).user)
    context = browser.new_context()
    session = client.cookies["sessionid"].value
    cookie = {"name": "sessionid", "value": session, "url": live_server.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    slower = context.new_page()
    slower.goto(live_server.url + reverse("desk:board"))
    slower.locator(".board-free a").nth(1).click()
    slower.locator("#book-finder").press_sequentially("okafor")
    side_panel(slower).get_by_role("link", name="Ben Okafor").click()
    expect(slower.locator("input[name=type]:checked")).to_be_focused()
    book_by_keyboard(board)
    slower.get_by_label("Reason for the visit").fill("Sore knee")
    slower.keyboard.press("Enter")
    alert = side_panel(slower).get_by_role("alert")
    expect(alert).to_contain_text("This time is no longer available.")
    expect(alert).to_be_focused()
    expect(alert.locator(".alternatives button")).to_have_count(3)
    expect(slower.get_by_label("Reason for the visit")).to_have_value("Sore knee")
    blameless(slower)
    alert.locator(".alternatives button").first.click()
    expect(side_panel(slower).get_by_text("Booked: Ben Okafor")).to_be_visible()
    context.close()
    first, second = Appointment.objects.get(patient=ada), Appointment.objects.get(patient=ben)
    assert first.scheduled_end <= second.scheduled_start or (
        second.scheduled_end <= first.scheduled_start
    )


def test_the_poll_brings_news_and_keeps_focus_and_scroll(
    board: Page, ada: Patient, provider: Provider, visit_type: VisitType
) -> None:
    page = board
    page.set_viewport_size({"width": 1000, "height": 420})
    cell = page.locator(".board-free a").nth(5)
    tab_to(page, page.locator(".board-free a").first)
    cell.focus()
    name = cell.get_attribute("id")
    page.locator(".board-scroll").evaluate("element => { element.scrollTop = 90 }")
    day = page.locator("#board-day").input_value()
    other = page.context.new_page()
    other.goto(page.url)
    book_by_keyboard(other)
    other.close()
    page.evaluate("htmx.trigger('[data-poll]', 'refresh')")
    expect(page.locator(".visit")).to_have_count(1)
    expect(page.locator(f"#{name}")).to_be_focused()
    assert page.locator(".board-scroll").evaluate("element => element.scrollTop") == 90
    assert page.locator("#board-day").input_value() == day


def test_keys_move_between_days_and_can_be_turned_off(board: Page) -> None:
    page = board
    today = page.locator("#board-day").input_value()
    page.keyboard.press("]")
    tomorrow = (datetime.fromisoformat(today) + timedelta(days=1)).date().isoformat()
    page.wait_for_url(f"**?day={tomorrow}")
    page.keyboard.press("t")
    page.wait_for_url(f"**{reverse('desk:board')}")
    page.goto(page.url + "shortcuts/")
    blameless(page)
    page.get_by_role("button", name="Turn single keys off").click()
    page.get_by_role("link", name="Day board").click()
    page.keyboard.press("]")
    page.wait_for_timeout(300)
    assert page.locator("#board-day").input_value() == today


def test_without_a_script_a_visit_is_booked_moved_and_cancelled(plain: Page) -> None:
    page = plain
    page.locator(".board-free a").nth(1).click()
    page.locator("#book-finder").fill("moreno")
    page.locator("#book-finder").press("Enter")
    page.get_by_role("link", name="Ada Moreno").click()
    page.locator("input[name=type]:checked").press("Enter")
    expect(page.get_by_text("Booked: Ada Moreno")).to_be_visible()
    start = Appointment.objects.get().scheduled_start
    page.get_by_role("link", name="Ada Moreno").click()
    page.get_by_role("link", name="Move").click()
    page.locator("input[name=slot]").first.check()
    page.get_by_role("button", name="Move visit").click()
    expect(page.get_by_text("Moved to")).to_be_visible()
    assert Appointment.objects.get().scheduled_start != start
    page.get_by_role("link", name="Cancel visit").click()
    page.get_by_role("button", name="Cancel visit").click()
    expect(page.get_by_text("The visit is cancelled.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_blame_on_any_page_at_any_width(board: Page, scheme: str) -> None:
    page = board
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    free = page.locator(".board-free a").nth(1).get_attribute("href")
    book_by_keyboard(page)
    visit = Appointment.objects.get()
    args, with_patient = [visit.pk], f"{free}&patient={visit.patient_id}"
    addresses = [
        reverse("desk:board"),
        str(free),
        with_patient,
        reverse("desk:appointment", args=args),
        reverse("desk:cancel", args=args),
        reverse("desk:move", args=args),
        reverse("desk:shortcuts"),
        f"{with_patient.replace('/book/', '/series/')}&type=FOLLOW_UP&every=1&times=4",
    ]
    root = page.url.split("/desk/")[0]
    for address in addresses:
        page.goto(root + address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            blameless(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_what_is_folded_away_opens_by_keyboard_and_folds_by_escape(board: Page) -> None:
    page, menu = board, board.locator("header details").last
    page.set_viewport_size({"width": 390, "height": 800})
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("button", name="Sign out")).to_be_in_viewport()
    blameless(page)
    page.keyboard.press("Escape")
    expect(menu.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()


def test_without_a_script_somebody_signs_out(plain: Page) -> None:
    plain.locator("header details summary").last.click()
    plain.get_by_role("button", name="Sign out").click()
    expect(plain).not_to_have_url(re.compile(r"/desk/$"))
