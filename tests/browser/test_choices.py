"""Choices about messages in a real browser: by keyboard, without scripts, and as notifications.

Chromium's own worker shows what a push message says. The one thing made up is the push service,
which stands elsewhere: the browser hands out an address and real keys as if it had been asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect

from patients.models import Patient
from reminders import devices, preferences
from reminders.models import PushSubscription
from tests.factories import UserFactory
from tests.reminders.browser_keys import endpoint, keys

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW = 390
DELIVERIES = 4
PUSH_SERVICE = """
(told) => {
  const bytes = (text) => Uint8Array.from(
    atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)).buffer;
  let current = null;
  const subscription = {
    endpoint: told.endpoint,
    getKey: (name) => bytes(told[name]),
    unsubscribe: async () => { current = null; return true; },
  };
  PushManager.prototype.getSubscription = async () => current;
  PushManager.prototype.subscribe = async (wish) => {
    window.asked = {visible: wish.userVisibleOnly, bytes: wish.applicationServerKey.length};
    return (current = subscription);
  };
}
"""


@pytest.fixture
def account(patient: Patient) -> User:
    user = UserFactory.create(username="p-1", email="")
    Patient.objects.filter(pk=patient.pk).update(user=user, phone_is_textable=True)
    return user


def sign_in(context: BrowserContext, account: User, live_server: Any) -> None:
    client = Client()
    client.force_login(account)
    name = configured.SESSION_COOKIE_NAME
    value = client.cookies[name].value
    context.add_cookies([{"name": name, "value": value, "url": live_server.url}])


@pytest.fixture
def portal(page: Page, account: User, live_server: Any) -> Iterator[Page]:
    """The patient's browser, where notifications are allowed, on the page of choices."""
    page.set_viewport_size({"width": NARROW, "height": 844})
    page.context.grant_permissions(["notifications"], origin=live_server.url)
    sign_in(page.context, account, live_server)
    yield page
    page.close()


def go(page: Page, live_server: Any) -> None:
    page.goto(live_server.url + reverse("portal:choices"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages from us")


def fits(page: Page) -> bool:
    """Nothing that axe knows is wrong, and nothing is wider than the screen."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth")
    return bool(wide <= page.viewport_size["width"])  # type: ignore[index]


def test_choices_are_made_by_keyboard_alone(
    portal: Page, live_server: Any, patient: Patient
) -> None:
    go(portal, live_server)
    assert fits(portal)
    portal.get_by_label("E-mails").focus()
    portal.keyboard.press("Space")
    portal.keyboard.press("Tab")
    expect(portal.get_by_label("Text messages")).to_be_focused()
    portal.get_by_label("Until").focus()
    portal.keyboard.press("ArrowDown")
    portal.keyboard.press("Tab")
    portal.keyboard.press("Tab")
    expect(portal.get_by_role("button", name="Save")).to_be_focused()
    portal.keyboard.press("Enter")
    expect(portal.get_by_text("Your choices are saved.")).to_be_visible()
    kept = preferences.preference_of(patient)
    assert (kept.email, kept.sms, kept.quiet_until.hour) == (False, True, 9)
    assert fits(portal)


def test_without_scripts_choices_work_and_notifications_say_why_not(
    browser: Browser, live_server: Any, account: User, patient: Patient
) -> None:
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": NARROW, "height": 844}
    )
    sign_in(context, account, live_server)
    page = context.new_page()
    go(page, live_server)
    expect(page.get_by_text("scripts are switched off")).to_be_visible()
    expect(page.get_by_role("button", name="notifications")).to_have_count(0)
    page.get_by_role("button", name="Stop all messages").click()
    expect(page.get_by_text("We will send you no more messages")).to_be_visible()
    assert preferences.preference_of(patient).sms is False
    context.close()


def test_a_click_sets_this_browser_up_and_another_one_ends_it(
    portal: Page, live_server: Any, patient: Patient
) -> None:
    told = {"endpoint": endpoint(), **keys()}
    portal.add_init_script(f"({PUSH_SERVICE})({json.dumps(told)})")
    go(portal, live_server)
    portal.get_by_role("button", name="Turn on notifications here").click()
    expect(portal.get_by_text("Notifications are on, on this device.")).to_be_visible()
    assert portal.evaluate("window.asked") == {"visible": True, "bytes": 65}
    kept = PushSubscription.objects.get()
    assert {name: getattr(kept, name) for name in told} == told
    assert devices.latest(patient) == kept
    assert fits(portal)
    portal.get_by_role("button", name="Turn off notifications here").click()
    expect(portal.get_by_role("button", name="Turn on notifications here")).to_be_visible()
    assert devices.latest(patient) is None


def test_a_browser_that_the_clinic_does_not_take_is_not_left_subscribed(
    portal: Page, live_server: Any
) -> None:
    told = {"endpoint": endpoint("push.evil.example"), **keys()}
    portal.add_init_script(f"({PUSH_SERVICE})({json.dumps(told)})")
    go(portal, live_server)
    portal.get_by_role("button", name="Turn on notifications here").click()
    expect(portal.get_by_text("That did not work.").first).to_be_visible()
    expect(portal.get_by_role("button", name="Turn on notifications here")).to_be_visible()
    assert not PushSubscription.objects.exists()
    assert portal.evaluate("PushManager.prototype.getSubscription()") is None


def test_who_says_no_to_the_browser_is_told_how_to_change_it(
    page: Page, live_server: Any, account: User
) -> None:
    sign_in(page.context, account, live_server)
    page.add_init_script("Notification.requestPermission = async () => 'denied'")
    go(page, live_server)
    page.get_by_role("button", name="Turn on notifications here").click()
    expect(page.get_by_text("Notifications from us are blocked")).to_be_visible()
    assert not PushSubscription.objects.exists()


@pytest.fixture
def worker(portal: Page, live_server: Any) -> Iterator[Any]:
    """The site's worker in Chromium; call it with a message's text to have it delivered."""
    found: dict[str, str] = {}
    protocol = portal.context.new_cdp_session(portal)
    protocol.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.update(
            {each["scopeURL"]: each["registrationId"] for each in event["registrations"]}
        ),
    )
    protocol.send("ServiceWorker.enable")
    go(portal, live_server)
    portal.evaluate(
        """async () => {
          await navigator.serviceWorker.register("/sw.js?lang=es", {scope: "/messages/"});
          const {active} = await navigator.serviceWorker.ready;
          while (active.state !== "activated") await new Promise((done) => setTimeout(done, 20));
        }"""
    )
    scope = f"{live_server.url}/messages/"
    while scope not in found:
        portal.wait_for_timeout(50)

    def deliver(text: str) -> Any:
        told = {"origin": live_server.url, "registrationId": found[scope], "data": text}
        for _ in range(DELIVERIES):  # the debugging protocol may lose one while a worker starts
            protocol.send("ServiceWorker.deliverPushMessage", told)
            if shown := _shown(portal):
                return shown
        return None

    yield deliver
    protocol.detach()


def _shown(page: Page) -> Any:
    """Return the notification that Chromium shows, as soon as it does."""
    return page.evaluate(
        """async () => {
          const own = await navigator.serviceWorker.getRegistration("/messages/");
          for (let n = 0; n < 200; n += 1) {
            const [shown] = await own.getNotifications();
            if (shown) {
              const {title, body, tag, lang, data} = shown;
              const actions = shown.actions.map(({action, title}) => [action, title]);
              shown.close();
              return {title, body, tag, lang, data, actions};
            }
            await new Promise((done) => setTimeout(done, 50));
          }
          return null;
        }"""
    )


def test_the_worker_shows_the_message_with_a_way_to_confirm(worker: Any, live_server: Any) -> None:
    told = {"title": "Riverside", "body": "Today, 3:30", "tag": "a-visit", "url": "/v/abc/join/"}
    shown = worker(json.dumps(told))
    assert {name: shown[name] for name in ("title", "body", "tag", "lang")} == {
        "title": "Riverside",
        "body": "Today, 3:30",
        "tag": "a-visit",
        "lang": "es",
    }
    assert shown["data"] == {"url": f"{live_server.url}/v/abc/join/", "confirm": "/v/abc/"}
    assert [action for action, _title in shown["actions"]] == ["confirm"]


def test_the_message_of_an_offer_leads_to_it_and_has_nothing_to_confirm(
    worker: Any, live_server: Any
) -> None:
    shown = worker(json.dumps({"body": "An earlier time is free", "url": "/o/abc/"}))
    assert shown["data"] == {"url": f"{live_server.url}/o/abc/", "confirm": None}
    assert shown["actions"] == []


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "//evil.example/v/x/", "javascript:alert(1)", "http://["]
)
def test_a_message_cannot_lead_to_another_site(worker: Any, url: str) -> None:
    shown = worker(json.dumps({"body": "Come here", "url": url}))
    assert shown["data"] == {"url": None, "confirm": None}
    assert shown["actions"] == []


@pytest.mark.parametrize("text", ["", "no json", "[]", "null"])
def test_a_message_that_cannot_be_read_still_says_who_it_is_from(worker: Any, text: str) -> None:
    shown = worker(text)
    assert shown["title"]
    assert shown["actions"] == []


@pytest.mark.parametrize(
    ("action", "path"), [("", "/v/abc/join/"), ("confirm", "/v/abc/"), ("other", "/v/abc/join/")]
)
def test_a_press_on_the_message_opens_its_page(
    worker: Any, portal: Page, live_server: Any, action: str, path: str
) -> None:
    data = worker(json.dumps({"body": "Today", "url": "/v/abc/join/"}))["data"]
    (script,) = portal.context.service_workers
    opened = script.evaluate(
        """async ([data, action]) => {
          const opened = [];
          self.clients.openWindow = async (address) => opened.push(address);
          await self.registration.showNotification("Pressed", {data});
          const [notification] = await self.registration.getNotifications();
          self.dispatchEvent(new NotificationEvent("notificationclick", {notification, action}));
          return opened;
        }""",
        [data, action],
    )
    assert opened == [live_server.url + path]
