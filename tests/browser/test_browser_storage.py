"""What a browser keeps after a booking and a day at the desk: no patient's data, in no store of it
and in no file of its profile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, BrowserType, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from tests.browser.test_portal_journey import fill_in, go_on, to_the_times
from tests.factories import MembershipFactory, PatientFactory
from tests.journeys.portal_booking import code_in_mail

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TYPED = ("Delgado", "rosa@mail.example", "A cough that stays", "555-0147")
FILLED_IN = [("Default/Web Data", word) for word in ("Delgado", "rosa@mail.example", "555-0147")]
SHOWN = ("Quovaxelda", "quovax@mail.example")
STORES = """
async () => ({
  local: {...localStorage},
  session: {...sessionStorage},
  caches: await caches.keys(),
  databases: (await indexedDB.databases()).map(each => each.name),
  cookies: document.cookie,
})
"""


@pytest.fixture
def ada(clinic: Clinic, provider: Provider, visit_type: VisitType) -> Patient:
    cache.clear()
    return PatientFactory.create(
        clinic=clinic, given_name="Ada", family_name=SHOWN[0], email=SHOWN[1]
    )


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile"


@pytest.fixture
def kept(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], profile: Path
) -> Iterator[BrowserContext]:
    """A browser with a profile on disk, as everybody's is."""
    context = browser_type.launch_persistent_context(profile, **browser_type_launch_args)
    yield context
    context.close()


def holds_nothing(page: Page, words: tuple[str, ...]) -> None:
    stores = page.evaluate(STORES)
    assert stores["caches"] == []
    assert stores["databases"] == []
    everything = str(stores) + str(page.context.cookies())
    assert [word for word in words if word in everything] == []


def in_files(profile: Path, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the files of a profile that hold a word, in UTF-8 or UTF-16.

    Left out is what a browser keeps by itself to open its tabs again after a crash: forms that
    were sent stand there, and no page can forbid it (docs/security.md, workstations).
    """
    found = []
    files = (path for path in profile.rglob("*") if path.is_file() and not path.is_symlink())
    for file in (path for path in files if path.parent.name != "Sessions"):
        data = file.read_bytes()
        found += [
            (str(file.relative_to(profile)), word)
            for word in words
            if word.encode() in data or word.encode("utf-16-le") in data
        ]
    return found


def test_a_booking_leaves_nothing_in_the_browser(
    kept: BrowserContext, profile: Path, live_server: LiveServer, ada: Patient
) -> None:
    page = kept.new_page()
    to_the_times(page, live_server)
    page.locator("input[name=slot]").first.check()
    go_on(page, "Keep this time for me")
    fill_in(page)
    go_on(page, "Continue")
    holds_nothing(page, TYPED)
    go_on(page, "Send me the code")
    page.get_by_label("Code from the e-mail").fill(code_in_mail())
    go_on(page, "Book this visit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your visit is booked")
    holds_nothing(page, TYPED)
    kept.close()
    # Name and contact are offered to the browser's own filling in, as WCAG 1.3.5 asks.
    leaks = [leak for leak in in_files(profile, TYPED) if leak not in FILLED_IN]
    assert leaks == [], "\n".join(map(str, leaks))


def test_a_day_at_the_desk_leaves_nothing_in_the_browser(
    kept: BrowserContext, profile: Path, live_server: LiveServer, ada: Patient, clinic: Clinic
) -> None:
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic).user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
    kept.add_cookies([cookie])  # type: ignore[list-item]
    page = kept.new_page()
    page.goto(live_server.url + reverse("desk:finder"))
    page.locator("main input[name=q]").fill(SHOWN[0])
    page.locator("main input[name=q]").press("Enter")
    expect(page.get_by_text(SHOWN[0]).first).to_be_visible()
    holds_nothing(page, SHOWN)
    page.goto(live_server.url + reverse("desk:patient", args=[ada.pk]))
    expect(page.get_by_text(SHOWN[0]).first).to_be_visible()
    page.goto(live_server.url + reverse("desk:patient_edit", args=[ada.pk]))
    page.goto(live_server.url + reverse("desk:board"))
    page.go_back()
    holds_nothing(page, SHOWN)
    kept.close()
    leaks = in_files(profile, SHOWN)
    assert leaks == [], "\n".join(map(str, leaks))
