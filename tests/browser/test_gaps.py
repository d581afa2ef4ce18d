"""Gaps and the waitlist at the desk: read by axe, by keyboard, without scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from providers.models import Clinic, Provider, VisitType
from scheduling import gap_counts
from scheduling.actors import Actor
from scheduling.models import Appointment, Opening, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import offering
from tests.factories import MembershipFactory, PatientFactory, at, next_monday
from tests.factories.waitlist import entry_of, opening_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MONDAY = next_monday(1)
NINE = at(MONDAY, "09:00")
DAY = timedelta(days=1)
NARROW, WIDE = 390, 1440


@pytest.fixture
def receptionist(clinic: Clinic) -> User:
    gap_counts.forget()
    user = MembershipFactory.create(clinic=clinic).user
    assert isinstance(user, User)
    return user


@pytest.fixture
def gap(clinic: Clinic, provider: Provider, visit_type: VisitType) -> Opening:
    """Freed time that two patients would take."""
    for number, name in enumerate(["Rosa Moreno", "Ben Okafor"]):
        patient = PatientFactory.create(clinic=clinic, name=name, phone=f"+1212555011{number}")
        since = timezone.now() - (23 - number) * DAY
        entry_of(patient, provider=provider, visit_type=visit_type, created_at=since)
    return opening_of(provider, NINE)


def waits(name: str) -> WaitlistEntry:
    known = WaitlistEntry.objects.select_related("patient")
    return next(entry for entry in known if entry.patient.full_name == name)


def sign_in(context: Any, user: User, live_server: Any) -> None:
    client = Client()
    client.force_login(user)
    name = configured.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
    context.add_cookies([cookie])


def assert_fits(page: Page) -> None:
    """Nothing that axe knows is wrong, and nothing is wider than the screen."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"]  # type: ignore[index]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_pages_have_no_faults(
    width: int, scheme: Any, page: Page, live_server: Any, receptionist: User, gap: Opening
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    sign_in(page.context, receptionist, live_server)
    rosa = waits("Rosa Moreno")
    addresses = [
        reverse("desk:gaps"),
        reverse("desk:gap", args=[gap.pk]),
        reverse("desk:gap_withdraw", args=[gap.pk]),
        reverse("desk:waitlist"),
        reverse("desk:waitlist_find"),
        reverse("desk:waitlist_entry", args=[rosa.pk]),
        reverse("desk:waitlist_leave", args=[rosa.pk]),
        reverse("desk:waitlist_join", args=[rosa.patient_id]),
    ]
    for address in addresses:
        page.goto(live_server.url + address)
        assert_fits(page)
    by = Actor.staff(receptionist.pk)
    offering.offer_by_phone(opening=gap, entry=rosa, by=by, now=timezone.now())
    for address in addresses[:4]:
        page.goto(live_server.url + address)
        assert_fits(page)


def test_a_gap_is_reached_by_one_key_and_filled_by_keyboard(
    page: Page, live_server: Any, receptionist: User, gap: Opening
) -> None:
    page.set_viewport_size({"width": WIDE, "height": 900})
    sign_in(page.context, receptionist, live_server)
    page.goto(live_server.url + reverse("desk:board"))
    page.keyboard.press("g")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gaps to fill")
    page.locator(".gaps .row-link").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fill this gap")
    page.get_by_role("button", name="Rosa Moreno").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Kept for Rosa Moreno until")).to_be_visible()
    page.get_by_role("button", name="Book it for Rosa").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Booked: Rosa Moreno")).to_be_visible()
    assert Appointment.objects.get().patient == waits("Rosa Moreno").patient


def test_an_offered_cell_of_the_board_leads_to_its_gap_and_back(
    page: Page, live_server: Any, receptionist: User, gap: Opening
) -> None:
    page.set_viewport_size({"width": WIDE, "height": 900})
    sign_in(page.context, receptionist, live_server)
    offering.offer_by_phone(
        opening=gap,
        entry=waits("Rosa Moreno"),
        by=Actor.staff(receptionist.pk),
        now=timezone.now(),
    )
    page.goto(f"{live_server.url}{reverse('desk:board')}?day={MONDAY}")
    cell = page.locator(".visit.is-held a")
    expect(cell).to_contain_text("Waitlist")
    cell.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#side-panel")
    expect(panel.get_by_role("heading", name="Fill this gap")).to_be_focused()
    expect(panel.locator("[data-clock]")).to_be_visible()
    assert_fits(page)
    page.keyboard.press("Escape")
    expect(cell).to_be_focused()
    cell.click()
    panel.get_by_role("button", name="Book it for Rosa").click()
    expect(panel.get_by_text("Booked: Rosa Moreno")).to_be_visible()
    expect(page.locator(".board .visit", has_text="Rosa Moreno")).to_be_visible()


def test_a_free_cell_is_offered_to_the_waitlist_from_its_panel(
    page: Page, live_server: Any, receptionist: User, gap: Opening
) -> None:
    page.set_viewport_size({"width": WIDE, "height": 900})
    sign_in(page.context, receptionist, live_server)
    page.goto(f"{live_server.url}{reverse('desk:board')}?day={MONDAY}")
    page.locator(".board-free a", has_text="10:00").click()
    panel = page.locator("#side-panel")
    panel.get_by_role("button", name="Offer to the waitlist").click()
    expect(panel.get_by_role("heading", name="Fill this gap")).to_be_visible()
    expect(panel.get_by_text("Rosa Moreno").first).to_be_visible()
    assert Opening.objects.filter(cause=Opening.Cause.DESK).count() == 1


def test_a_gap_keeps_itself_fresh_and_leaves_the_focus_where_it_is(
    page: Page, live_server: Any, receptionist: User, gap: Opening
) -> None:
    sign_in(page.context, receptionist, live_server)
    page.goto(live_server.url + reverse("desk:gap", args=[gap.pk]))
    ben = waits("Ben Okafor")
    button = page.locator(f"#call-{ben.pk}")
    button.focus()
    WaitlistEntry.objects.filter(pk=waits("Rosa Moreno").pk).update(status="LEFT")
    page.evaluate("window.htmx.trigger(document.querySelector('[data-poll]'), 'refresh')")
    expect(page.get_by_text("Rosa Moreno")).to_have_count(0)
    expect(button).to_be_focused()


def test_all_of_it_works_without_scripts(
    browser: Browser, live_server: Any, receptionist: User, gap: Opening
) -> None:
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": NARROW, "height": 844}
    )
    sign_in(context, receptionist, live_server)
    page = context.new_page()
    page.goto(live_server.url + reverse("desk:gap", args=[gap.pk]))
    page.get_by_role("button", name="Rosa Moreno").click()
    expect(page.get_by_text("Kept for Rosa Moreno until")).to_be_visible()
    page.get_by_role("button", name="Said no").click()
    expect(page.get_by_text("Rosa Moreno said no")).to_be_visible()
    page.get_by_role("link", name="Stop offering it").click()
    page.get_by_role("button", name="Stop offering it").click()
    expect(page.get_by_text("not offered to the waitlist any more")).to_be_visible()
    page.goto(live_server.url + reverse("desk:waitlist"))
    page.get_by_role("link", name="Ben Okafor").click()
    page.get_by_role("checkbox", name="Fri").check()
    page.get_by_role("button", name="Save the wishes").click()
    expect(page.get_by_text("The place is kept.")).to_be_visible()
    page.get_by_role("link", name="Take off the waitlist").click()
    page.get_by_role("button", name="Take off the waitlist").click()
    expect(page.get_by_text("Ben Okafor is off the waitlist.")).to_be_visible()
    assert WaitlistOffer.objects.get(entry=waits("Rosa Moreno")).status == "DECLINED"
    assert waits("Ben Okafor").weekdays == [4]
    context.close()


def test_the_single_key_is_off_where_single_keys_are_turned_off(
    page: Page, live_server: Any, receptionist: User, gap: Opening
) -> None:
    sign_in(page.context, receptionist, live_server)
    page.context.add_cookies([{"name": "shortcuts", "value": "off", "url": live_server.url}])
    page.goto(live_server.url + reverse("desk:board"))
    page.keyboard.press("g")
    page.wait_for_timeout(300)
    expect(page).to_have_url(live_server.url + reverse("desk:board"))
