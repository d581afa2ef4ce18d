"""Two records compared and joined in a real browser: by keyboard, and without script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import MatchCandidate, Patient, PatientMerge
from patients.registration import Details, register
from patients.suggesting import suggest
from providers.models import Clinic
from tests.factories import ClinicFactory, MembershipFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (320, 390, 1440)
ADA: dict[str, Any] = {"given_name": "Ada", "dob": date(1984, 2, 29), "phone": "+12125550143"}


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory.create(name="Riverside Clinic")


@pytest.fixture
def pair(clinic: Clinic) -> MatchCandidate:
    register(clinic=clinic, details=Details(family_name="Moreno", city="Troy", **ADA))
    new = register(clinic=clinic, details=Details(family_name="Moreno-Ruiz", **ADA))
    suggest([str(new.pk)])
    return MatchCandidate.objects.get()


def signed_in(context: BrowserContext, server: LiveServer, clinic: Clinic) -> Page:
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic).user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": server.url}]
    )
    return context.new_page()


@pytest.fixture
def desk(context: BrowserContext, live_server: LiveServer, clinic: Clinic) -> Page:
    return signed_in(context, live_server, clinic)


@pytest.fixture
def plain(browser: Browser, live_server: LiveServer, clinic: Clinic) -> Iterator[Page]:
    """A browser in which no script runs."""
    context = browser.new_context(java_script_enabled=False)
    yield signed_in(context, live_server, clinic)
    context.close()


def test_two_records_are_joined_and_parted_by_keyboard(
    desk: Page, live_server: LiveServer, pair: MatchCandidate
) -> None:
    desk.goto(live_server.url + reverse("records:queue"))
    desk.get_by_role("link", name="Ada Moreno").focus()
    desk.keyboard.press("Enter")
    desk.get_by_role("radio", name="A:").first.focus()
    desk.keyboard.press("ArrowDown")
    expect(desk.get_by_role("radio", name="B:").first).to_be_checked()
    desk.get_by_role("radio", name="Name, A:").focus()
    desk.keyboard.press("Space")
    desk.get_by_role("button", name="Same person").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Check before joining")
    assert not PatientMerge.objects.exists()
    desk.get_by_role("button", name="Join the two records").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("The two records are one now.")).to_be_visible()
    kept = Patient.objects.get(merged_into=None)
    assert (kept.pk, kept.family_name) == (pair.other_id, "Moreno")
    assert kept.city == "Troy"
    desk.get_by_role("button", name="Take the records apart").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("The two records are apart again.")).to_be_visible()
    assert Patient.objects.filter(merged_into=None).count() == 2


def test_without_script_the_same_pages_do_it(
    plain: Page, live_server: LiveServer, pair: MatchCandidate
) -> None:
    plain.goto(live_server.url + reverse("records:pair", args=[pair.pk]))
    plain.get_by_role("button", name="Same person").click()
    plain.get_by_role("button", name="Join the two records").click()
    expect(plain.get_by_text("The two records are one now.")).to_be_visible()
    assert PatientMerge.objects.count() == 1


def test_without_script_two_people_are_told_apart(
    plain: Page, live_server: LiveServer, pair: MatchCandidate
) -> None:
    plain.goto(live_server.url + reverse("records:pair", args=[pair.pk]))
    plain.get_by_role("button", name="Different people").click()
    expect(plain.get_by_text("Noted: different people")).to_be_visible()
    pair.refresh_from_db()
    assert pair.state == MatchCandidate.State.DISTINCT


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_to_blame_and_nothing_is_too_wide(
    desk: Page, live_server: LiveServer, pair: MatchCandidate, width: int
) -> None:
    desk.set_viewport_size({"width": width, "height": 900})
    for address in (
        reverse("records:queue"),
        reverse("records:pair", args=[pair.pk]),
        f"{reverse('records:check', args=[pair.pk])}?keep=one&take=name",
        reverse("records:of", args=[pair.one_id]),
        reverse("records:merges"),
    ):
        desk.goto(live_server.url + address)
        assert Axe().run(desk).response["violations"] == []
        assert desk.evaluate("document.documentElement.scrollWidth") <= width
