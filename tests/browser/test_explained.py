"""Where nothing is free, in a real browser: by keyboard, without script, on a telephone."""

from __future__ import annotations

from datetime import date, time

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Patient
from providers.hours import save_time_off
from providers.models import Provider, TimeOff, VisitType
from scheduling.models import Appointment
from tests.factories import (
    AppointmentFactory,
    MembershipFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    at,
    next_monday,
)
from tests.journeys.portal_booking import address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (390, 1440)
MONDAY = next_monday(1)


@pytest.fixture(autouse=True)
def _open(provider: Provider, visit_type: VisitType) -> None:
    """Riverside Clinic with Dr. Diallo and a colleague of the same specialty."""
    cache.clear()
    ProviderFactory.create(
        clinic=provider.clinic, specialty=provider.specialty, name="Dr. Zoe Young", working=True
    )


def leave(provider: Provider) -> None:
    """Be away for as long as anybody looks ahead."""
    begin, end = at(date(2020, 1, 6), "08:00"), at(date(2090, 1, 2), "08:00")
    save_time_off(TimeOff(provider=provider, reason="SICK", start_datetime=begin, end_datetime=end))


def signed_in(context: BrowserContext, server: LiveServer, user: User) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"]
    context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": server.url}])


def look(page: Page, address: str) -> None:
    """Hold a page against WCAG and the width of the screen, at both widths."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address)
        violations = Axe().run(page).response["violations"]
        assert violations == [], [(v["id"], v["nodes"][0]["html"]) for v in violations]
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def to_the_first_step(page: Page, title: str) -> None:
    """Press Tab until the link has the focus, and then Enter."""
    wanted = page.get_by_role("link", name=title)
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not get to {title}")


def test_the_desk_goes_on_by_keyboard(
    context: BrowserContext, live_server: LiveServer, provider: Provider
) -> None:
    leave(provider)
    signed_in(context, live_server, MembershipFactory.create(clinic=provider.clinic).user)
    page = context.new_page()
    asked = f"{live_server.url}{reverse('desk:next_available')}?type=FOLLOW_UP"
    look(page, f"{asked}&part=evening&not_on=1")
    look(page, f"{asked}&provider={provider.pk}")
    to_the_first_step(page, "Other providers")
    expect(page.locator(".slots li").first).to_contain_text("Dr. Zoe Young")


def test_the_desk_moves_a_visit_of_somebody_who_is_away(
    context: BrowserContext, live_server: LiveServer, provider: Provider, patient: Patient
) -> None:
    visit = AppointmentFactory.create(provider=provider, patient=patient, start=at(MONDAY, "09:00"))
    leave(provider)
    signed_in(context, live_server, MembershipFactory.create(clinic=provider.clinic).user)
    page = context.new_page()
    move = live_server.url + reverse("desk:move", args=[visit.pk])
    look(page, move)
    expect(page.get_by_text("is away until")).to_be_visible()


def test_a_patient_goes_on_without_script(
    browser: Browser, context: BrowserContext, live_server: LiveServer, provider: Provider
) -> None:
    leave(provider)
    page = context.new_page()
    asked = address("days", provider=str(provider.pk))
    look(page, live_server.url + asked)
    look(page, live_server.url + address("days", time="evening"))
    day = MONDAY.isoformat()
    evenings = {"day_of_week": 5, "start_time": time(17), "end_time": time(20)}
    ProviderScheduleFactory.create(provider=Provider.objects.get(name="Dr. Zoe Young"), **evenings)
    look(page, live_server.url + address("times", day=day, time="evening"))
    expect(page.locator(".banner")).to_contain_text("but not in the evening")
    page.goto(live_server.url + asked)
    to_the_first_step(page, "Show other providers too")
    expect(page.locator("input[name=day]").first).to_be_visible()
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(live_server.url + asked)
    expect(page.get_by_text("Dr. Amara Diallo is away for now.")).to_be_visible()
    page.get_by_role("link", name="Show other providers too").click()
    expect(page.locator("input[name=day]").first).to_be_visible()
    plain.close()


def test_a_patient_moves_a_visit_of_somebody_who_is_away(
    context: BrowserContext,
    live_server: LiveServer,
    provider: Provider,
    patient: Patient,
    visit_type: VisitType,
) -> None:
    visit: Appointment = AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=visit_type, start=at(MONDAY, "09:00")
    )
    user = User.objects.create(username="own")
    Patient.objects.filter(pk=patient.pk).update(user=user)
    signed_in(context, live_server, user)
    page = context.new_page()
    change = live_server.url + reverse("portal:change", args=[visit.pk])
    leave(provider)
    look(page, change)
    to_the_first_step(page, "Show other providers too")
    expect(page.locator("input[name=day]").first).to_be_visible()
