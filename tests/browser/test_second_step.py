"""The second step in a real browser, with a passkey that Chromium itself keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from providers.models import Clinic
from tests.factories.providers import PASSWORD
from tests.patients.privacy.staff_sign_in import code_of, give_app, member

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real_sign_in,
    pytest.mark.django_db(transaction=True),
]
KEPT_BY_THE_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def user(clinic: Clinic) -> User:
    return member(clinic, email="desk@clinic.example")


@pytest.fixture
def with_passkeys(page: Page) -> Iterator[Page]:
    """A browser whose device confirms at once that it is its owner."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": KEPT_BY_THE_DEVICE})
    yield page
    protocol.detach()


def sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/accounts/login/?next=/desk/")
    page.get_by_label("Email").fill("desk@clinic.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def has_no_faults(page: Page) -> bool:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    return True


def test_a_passkey_is_set_up_and_then_signs_in_alone(
    with_passkeys: Page, live_server: Any, user: User
) -> None:
    page = with_passkeys
    sign_in(page, live_server.url)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name of this passkey").fill("Desk computer")
    page.get_by_label("Also sign in with it alone").check()
    assert has_no_faults(page)
    page.get_by_role("button", name="Add the passkey").click()

    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert has_no_faults(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/desk/$"))
    assert Authenticator.objects.get(user=user, type="webauthn").wrap().name == "Desk computer"

    page.context.clear_cookies()
    page.goto(f"{live_server.url}/accounts/login/")
    assert has_no_faults(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/desk/$"))


def test_a_passkey_is_the_second_step_after_a_password(
    with_passkeys: Page, live_server: Any, user: User
) -> None:
    page = with_passkeys
    sign_in(page, live_server.url)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()

    page.context.clear_cookies()
    sign_in(page, live_server.url)
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    assert has_no_faults(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/desk/$"))


def test_an_app_is_set_up_and_used_without_javascript(
    browser: Browser, live_server: Any, user: User
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server.url)
    expect(page.get_by_role("heading", name="Set up a second step")).to_be_visible()
    page.get_by_role("link", name="Set up an app").click()
    page.get_by_text("You cannot scan it?").click()
    secret = str(page.locator(".secret").text_content())
    page.get_by_label("Code").fill(code_of(secret, steps=-1))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/desk/$"))

    context.clear_cookies()
    sign_in(page, live_server.url)
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile("/desk/$"))
    context.close()


@pytest.mark.parametrize(
    "path",
    ["", "app/", "passkeys/", "recovery/new/", "again/", "../sessions/", "app/remove/"],
)
@pytest.mark.parametrize("width", [390, 1440])
def test_its_pages_have_no_faults_and_fit(
    page: Page, live_server: Any, user: User, path: str, width: int
) -> None:
    secret = give_app(user)
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, live_server.url)
    page.get_by_label("Code").fill(code_of(secret))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/desk/$"))
    page.goto(f"{live_server.url}/accounts/second-step/{path}")
    assert has_no_faults(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
