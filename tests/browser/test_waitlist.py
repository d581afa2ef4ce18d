"""Waiting and being offered time, in a real browser: by keyboard, without script, by telephone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling import links
from scheduling.models import Appointment, WaitlistEntry, WaitlistOffer
from scheduling.waitlist.tokens import digest_of, token_of
from tests.factories import AppointmentFactory, ProviderFactory, at, next_monday
from tests.factories.waitlist import entry_of, offer_of, opening_of
from tests.journeys.portal_booking import code_in_mail

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MONDAY, LATER = next_monday(1), next_monday(2)
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
SMALLEST_TARGET = 44
PICTURES = os.environ.get("WAITLIST_PICTURES", "")


@pytest.fixture(autouse=True)
def _open(provider: Provider, visit_type: VisitType, clinic: Clinic) -> None:
    """A clinic with two providers, one of whom sees patients by video too."""
    cache.clear()
    ProviderFactory.create(clinic=clinic, name="Dr. Hannah Weiss", working=True)


@pytest.fixture
def visit(provider: Provider, patient: Patient, visit_type: VisitType) -> Appointment:
    return AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=visit_type, start=at(LATER, "09:00")
    )


@pytest.fixture
def offer(visit: Appointment) -> WaitlistOffer:
    entry = entry_of(
        visit.patient,
        provider=visit.provider,
        visit_type=visit.appointment_type,
        replaces=visit,
    )
    made = offer_of(entry, opening_of(visit.provider, at(MONDAY, "10:00")))
    WaitlistOffer.objects.filter(pk=made.pk).update(token_digest=digest_of(made.pk))
    return made


@pytest.fixture(params=[PHONE, DESKTOP], ids=["telephone", "desktop"])
def shown(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=request.param, reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A telephone's page on which no script runs."""
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    yield context.new_page()
    context.close()


def look(page: Page, name: str = "") -> None:
    """Hold a page against WCAG, the width of its screen, and the size of a finger."""
    if PICTURES and name:
        width = page.viewport_size["width"]  # type: ignore[index]
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    violations = Axe().run(page).response["violations"]
    assert violations == [], [violation["id"] for violation in violations]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    heights: list[float] = page.eval_on_selector_all(
        "main :is(.button, label.choice)", "all => all.map(one => one.offsetHeight)"
    )
    assert all(height >= SMALLEST_TARGET for height in heights), heights


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def open_offer(page: Page, server: LiveServer, offer: WaitlistOffer) -> None:
    page.goto(f"{server.url}{reverse('portal:offer', args=[token_of(offer.pk)])}")


def open_visit(page: Page, server: LiveServer, visit: Appointment) -> None:
    token = links.issue(visit, now=timezone.now())
    page.goto(f"{server.url}{reverse('portal:link', args=[token])}")


def heading(page: Page) -> Any:
    return expect(page.get_by_role("heading", level=1))


def end_as(offer: WaitlistOffer, status: str) -> None:
    WaitlistOffer.objects.filter(pk=offer.pk).update(status=status)


def test_an_offer_is_taken_on_a_telephone_and_on_a_desk(
    shown: Page, live_server: LiveServer, offer: WaitlistOffer, visit: Appointment
) -> None:
    open_offer(shown, live_server, offer)
    heading(shown).to_have_text("An earlier time is free")
    assert token_of(offer.pk) not in shown.url
    expect(shown.locator("[data-clock]")).to_contain_text("1:59:")
    look(shown, "offer")
    press(shown, "Take this time")
    heading(shown).to_contain_text("The time is yours")
    look(shown, "offer-claimed")
    assert Appointment.objects.get().scheduled_start == at(MONDAY, "10:00")


def test_an_offer_is_taken_without_script(
    plain: Page, live_server: LiveServer, offer: WaitlistOffer
) -> None:
    open_offer(plain, live_server, offer)
    expect(plain.get_by_text("You can take it until")).to_be_visible()
    expect(plain.locator("[data-clock]")).to_be_hidden()
    press(plain, "Take this time")
    heading(plain).to_contain_text("The time is yours")


def test_an_offer_is_declined_by_keyboard(
    page: Page, live_server: LiveServer, offer: WaitlistOffer
) -> None:
    open_offer(page, live_server, offer)
    for _step in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText === 'Keep my visit'"):
            break
    page.keyboard.press("Enter")
    heading(page).to_have_text("You said no to this time")
    assert WaitlistOffer.objects.get().status == "DECLINED"


def test_every_end_of_an_offer_reads_well(
    shown: Page, live_server: LiveServer, offer: WaitlistOffer
) -> None:
    for status, words in (
        ("GONE", "This time is gone"),
        ("EXPIRED", "The time to answer is over"),
        ("DECLINED", "You said no to this time"),
    ):
        end_as(offer, status)
        open_offer(shown, live_server, offer)
        heading(shown).to_have_text(words)
        look(shown, f"offer-{status.lower()}")
    shown.goto(f"{live_server.url}/o/{'x' * 22}/")
    heading(shown).to_have_text("This link does not work")
    look(shown, "offer-unknown")


def test_an_offer_that_clashes_with_another_visit_says_so(
    shown: Page, live_server: LiveServer, offer: WaitlistOffer, visit: Appointment
) -> None:
    AppointmentFactory.create(
        provider=ProviderFactory.create(clinic=visit.clinic, working=True),
        patient=visit.patient,
        start=at(MONDAY, "10:00"),
    )
    open_offer(shown, live_server, offer)
    press(shown, "Take this time")
    heading(shown).to_have_text("You have another visit then")
    look(shown, "offer-busy")


def test_a_patient_waits_for_an_earlier_time(
    shown: Page, live_server: LiveServer, visit: Appointment
) -> None:
    open_visit(shown, live_server, visit)
    heading(shown).to_have_text("Your appointment")
    look(shown, "visit")
    shown.get_by_role("link", name="Tell me if an earlier time comes free").click()
    heading(shown).to_have_text("Wait for an earlier time")
    look(shown, "earlier")
    shown.get_by_label("Until which day?").fill("2001-01-01")
    press(shown, "Continue")
    expect(shown.locator("[data-error-summary]")).to_be_focused()
    look(shown, "earlier-errors")
    shown.get_by_label("Until which day?").fill("")
    shown.get_by_label("Monday", exact=True).check()
    shown.get_by_label("Mornings").check()
    press(shown, "Continue")
    heading(shown).to_have_text("These times are free now")
    look(shown, "earlier-free")
    press(shown, "Join the waitlist")
    heading(shown).to_have_text("Your place on the waitlist")
    look(shown, "entry")
    shown.get_by_role("link", name="Change what I wait for").click()
    heading(shown).to_have_text("Change what you wait for")
    look(shown, "entry-change")
    shown.get_by_label("Evenings").check()
    press(shown, "Save")
    expect(shown.get_by_text("Your wishes are saved.")).to_be_visible()
    press(shown, "Pause")
    expect(shown.get_by_text("We offer you nothing for now.")).to_be_visible()
    look(shown, "entry-paused")
    shown.get_by_role("link", name="My waitlist").click()
    heading(shown).to_have_text("My waitlist")
    look(shown, "waitlist")
    shown.go_back()
    press(shown, "Offer me times again")
    shown.get_by_role("link", name="Leave the waitlist").click()
    heading(shown).to_have_text("Leave the waitlist?")
    look(shown, "entry-leave")
    press(shown, "Leave the waitlist")
    expect(shown.get_by_text("You left the waitlist.")).to_be_visible()
    look(shown, "entry-left")


def test_an_offer_stands_on_top_of_the_place_in_line(
    shown: Page, live_server: LiveServer, offer: WaitlistOffer, visit: Appointment
) -> None:
    open_visit(shown, live_server, visit)
    shown.get_by_role("link", name="See my place on the waitlist").click()
    expect(shown.get_by_text("A time is free for you")).to_be_visible()
    look(shown, "entry-offered")
    shown.get_by_role("link", name="Look at it and answer").click()
    heading(shown).to_have_text("An earlier time is free")


def join_from_the_days(page: Page, server: LiveServer) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="Start now").click()
    page.get_by_label("Me", exact=True).check()
    page.get_by_label("No, we have been there before").check()
    press(page, "Continue")
    page.get_by_label("Follow-up visit").check()
    press(page, "Show free times")
    page.get_by_label("None of these: join the waitlist").check()
    press(page, "Show times")
    heading(page).to_have_text("Join the waitlist")
    page.get_by_label("Dr. Hannah Weiss").check()


def fill_in(page: Page) -> None:
    for label, value in (
        ("First name", "Rosa"),
        ("Last name", "Delgado"),
        ("Month", "4"),
        ("Day", "7"),
        ("Year", "1961"),
        ("E-mail", "rosa@mail.example"),
        ("Phone", "(212) 555-0147"),
    ):
        page.get_by_label(label).fill(value)


def test_somebody_new_joins_without_script(plain: Page, live_server: LiveServer) -> None:
    join_from_the_days(plain, live_server)
    press(plain, "Continue")
    press(plain, "Continue")
    fill_in(plain)
    press(plain, "Send me the code")
    plain.get_by_label("Code from the e-mail").fill(code_in_mail())
    press(plain, "Join the waitlist")
    heading(plain).to_have_text("Your place on the waitlist")
    assert WaitlistEntry.objects.get().patient.full_name == "Rosa Delgado"


def test_the_way_of_somebody_new_has_no_faults(shown: Page, live_server: LiveServer) -> None:
    join_from_the_days(shown, live_server)
    look(shown, "join")
    shown.get_by_label("From which day on?").fill(
        (timezone.localdate() + timedelta(days=300)).isoformat()
    )
    press(shown, "Continue")
    heading(shown).to_have_text("Check what you wait for")
    look(shown, "join-check")
    press(shown, "Continue")
    heading(shown).to_have_text("Your details")
    look(shown, "join-details")
    press(shown, "Send me the code")
    expect(shown.locator("[data-error-summary]")).to_be_focused()
    look(shown, "join-details-errors")
    fill_in(shown)
    press(shown, "Send me the code")
    heading(shown).to_have_text("Enter the code")
    look(shown, "join-code")
    shown.get_by_label("Code from the e-mail").fill(code_in_mail())
    press(shown, "Join the waitlist")
    heading(shown).to_have_text("Your place on the waitlist")
