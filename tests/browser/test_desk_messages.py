"""Calls, texts and messages at the desk: read by axe, by keyboard, without scripts."""

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

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from reminders import waiting
from reminders.calls import open_call
from reminders.kinds import CallReason, Kind, Meaning, State, Why
from reminders.models import CallItem, InboundText
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, CancelReason
from tests.factories import AppointmentFactory, MembershipFactory, PatientFactory, at, next_monday
from tests.reminders.asking import asked

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NINE = at(next_monday(1), "09:00")
HOUR = timedelta(hours=1)
NARROW, WIDE = 390, 1440


@pytest.fixture
def receptionist(clinic: Clinic) -> User:
    waiting.forget()
    user = MembershipFactory.create(clinic=clinic).user
    assert isinstance(user, User)
    return user


@pytest.fixture
def visit(clinic: Clinic, provider: Provider, visit_type: VisitType) -> Appointment:
    """One to call about, with messages that failed; another that was freed; a text."""
    ada = PatientFactory.create(clinic=clinic, name="Ada Moreno", phone="+12125550111")
    visit = AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE, patient=ada
    )
    asked(visit, Kind.REQUEST, State.DELIVERED)
    asked(visit, Kind.FOLLOW_UP, None, why=Why.NOT_TEXTABLE.value)
    open_call(appointment=visit, reason=CallReason.UNCONFIRMED, now=timezone.now())
    text_of(ada)
    freed(clinic, provider, visit_type)
    return visit


def text_of(patient: Patient) -> None:
    InboundText.objects.create(
        vendor="twilio",
        vendor_id="SM1",
        clinic=patient.clinic,
        patient=patient,
        sender=patient.phone,
        body="Can my sister come along?",
        meaning=Meaning.OTHER.value,
        needs_staff=True,
    )


def freed(clinic: Clinic, provider: Provider, visit_type: VisitType) -> None:
    """Free a visit of the coming days, on whichever of them the clinic works."""
    ben = PatientFactory.create(clinic=clinic, name="Ben Okafor")
    start = at(next_monday(), "10:00")
    visit = AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=start, patient=ben
    )
    booking.cancel(
        appointment=visit,
        reason=CancelReason.UNCONFIRMED.value,
        by=Actor.system("reminders"),
        now=timezone.now(),
    )


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


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_pages_have_no_faults(
    width: int, page: Page, live_server: Any, receptionist: User, visit: Appointment
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page.context, receptionist, live_server)
    for address in (
        reverse("messages:calls"),
        reverse("messages:call", args=[visit.pk]),
        reverse("messages:texts"),
        reverse("messages:log"),
        reverse("messages:log") + "?day=soon",
        reverse("messages:visit", args=[visit.pk]),
    ):
        page.goto(live_server.url + address)
        assert_fits(page)


def test_a_call_is_done_by_keyboard_in_two_steps(
    page: Page, live_server: Any, receptionist: User, visit: Appointment
) -> None:
    sign_in(page.context, receptionist, live_server)
    page.goto(live_server.url + reverse("messages:calls"))
    page.get_by_role("link", name="Ada Moreno").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Call Ada Moreno")
    page.get_by_label("Note").focus()
    page.keyboard.type("Asked for parking")
    page.keyboard.press("Enter")
    assert CallItem.objects.filter(closed_at=None).count() == 1, "Enter in the note is a new line"
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Will come")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ada Moreno will come.")).to_be_visible()
    expect(page.get_by_text("Nobody to call")).to_be_visible()
    visit.refresh_from_db()
    assert visit.status == "CONFIRMED"


def test_calls_texts_and_freed_times_are_dealt_with_without_scripts(
    browser: Browser, live_server: Any, receptionist: User, visit: Appointment
) -> None:
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": NARROW, "height": 844}
    )
    sign_in(context, receptionist, live_server)
    page = context.new_page()
    page.goto(live_server.url + reverse("messages:calls"))
    page.get_by_role("button", name="Give it back").click()
    expect(page.get_by_text("Ben Okafor has the visit back")).to_be_visible()
    page.get_by_role("link", name="Calls (1)").click()
    page.get_by_role("link", name="Ada Moreno").click()
    page.get_by_role("button", name="Left a message").click()
    expect(page.get_by_role("cell", name="Left a message")).to_be_visible()
    page.get_by_role("link", name="Texts received").click()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("No text waits for an answer")).to_be_visible()
    context.close()


def test_the_messages_of_a_visit_open_in_its_panel_and_lead_back(
    page: Page, live_server: Any, receptionist: User, visit: Appointment
) -> None:
    page.set_viewport_size({"width": WIDE, "height": 900})
    sign_in(page.context, receptionist, live_server)
    day = visit.local_start.date().isoformat()
    page.goto(f"{live_server.url}{reverse('desk:board')}?day={day}")
    page.get_by_role("link", name="Ada Moreno").click()
    panel = page.locator("#side-panel")
    panel.get_by_role("link", name="Messages").click()
    expect(panel.get_by_text("The phone number cannot take texts").first).to_be_visible()
    assert_fits(page)
    panel.get_by_role("button", name="E-mail").click()
    expect(panel.get_by_text("Send another one?")).to_be_visible()
    assert_fits(page)
    panel.get_by_role("button", name="Send another one").click()
    expect(panel.get_by_text("It is on its way to Ada")).to_be_visible()
    panel.get_by_role("link", name="Back to the visit").click()
    expect(panel.get_by_text("History")).to_be_visible()
