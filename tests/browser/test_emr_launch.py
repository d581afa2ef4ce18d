"""Coming in from a record system in a browser: to the second step, or to a page with a way on."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from providers.models import Membership, Role
from tests.emr.smart import authority as authorities
from tests.factories import ProviderFactory
from tests.factories.emr import EMRConnectionFactory, link_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = [390, 1440]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_provider_comes_in_without_scripts_and_is_asked_for_the_second_factor(
    width: int, browser: Browser, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SITE_URL = live_server.url
    monkeypatch.setattr(authorities, "REDIRECT", f"{live_server.url}/emr/callback/")
    provider = ProviderFactory.create()
    Membership.objects.get_or_create(user=provider.user, clinic=provider.clinic, role=Role.PROVIDER)
    with authorities.authority() as there:
        connection = EMRConnectionFactory.create(
            clinic=provider.clinic, base_url=there.base_url, launch_client_id=authorities.CLIENT
        )
        link_to(connection, provider, "Practitioner", "p-1")
        context = browser.new_context(
            java_script_enabled=False, viewport={"width": width, "height": 900}
        )
        page = context.new_page()
        page.goto(f"{live_server.url}/emr/launch/{connection.pk}/?iss={there.base_url}&launch=a")
        expect(page).to_have_url(f"{live_server.url}/accounts/second-step/")
        context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_who_is_not_let_in_reads_what_to_do_and_gets_to_the_sign_in_by_keyboard(
    width: int, page: Page, live_server: Any
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    answer = page.goto(f"{live_server.url}/emr/callback/?state=x&code=y")
    assert answer is not None
    assert answer.status == 403
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Sign in", exact=True).last.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/accounts/login/")
