"""The record system's pages in a real browser: read by axe, by keyboard, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from emr import queries
from emr.kinds import State, TaskKind
from emr.models import EMRTask, OutboundMessage, PatientMatch
from providers.models import Clinic, Provider, Role, VisitType
from scheduling.models import Appointment
from tests.browser.emr_stage import Stage, set_up
from tests.factories import AppointmentFactory, MembershipFactory, PatientFactory, at, next_monday
from tests.factories.emr_work import task_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (390, 1440)
NAMES = ["Ada Moreno", "Ben Okafor", "Chloe Lindqvist"]


@pytest.fixture
def visits(clinic: Clinic, provider: Provider, visit_type: VisitType) -> list[Appointment]:
    return [
        AppointmentFactory.create(
            provider=provider,
            visit_type=visit_type,
            start=at(next_monday(1), f"{hour}:00"),
            patient=PatientFactory.create(clinic=clinic, name=name),
        )
        for hour, name in zip(("09", "10", "11"), NAMES, strict=True)
    ]


@pytest.fixture
def stage(clinic: Clinic, visits: list[Appointment]) -> Iterator[Stage]:
    yield set_up(clinic, visits, now=timezone.now())
    queries.forget()


@pytest.fixture
def manager(clinic: Clinic) -> User:
    """Somebody at the desk who also sets the clinic up."""
    user = MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user
    User.objects.filter(pk=user.pk).update(is_staff=True)
    return User.objects.get(pk=user.pk)


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


def addresses(stage: Stage) -> list[str]:
    link = reverse("emr:patient_link", args=[stage.match.pk])
    return [
        reverse("emr:tasks"),
        reverse("emr:tasks") + "?show=closed",
        reverse("emr:conflicts"),
        reverse("emr:conflict", args=[stage.conflict.pk]),
        reverse("emr:settle", args=[stage.conflict.pk, "theirs"]),
        reverse("emr:settle", args=[stage.conflict.pk, "ours"]),
        reverse("emr:patients"),
        reverse("emr:patient", args=[stage.match.pk]),
        f"{link}?remote_id=p-17",
        reverse("emr:patient_leave", args=[stage.match.pk]),
        reverse("emr:messages"),
        reverse("emr:messages") + "?state=all",
        reverse("emr:messages") + "?way=received",
        reverse("emr:message", args=[stage.message.pk]),
        reverse("emr:message_drop", args=[stage.message.pk]),
        reverse("emr:arrival", args=[stage.arrival.pk]),
        reverse("emr:connections"),
        reverse("emr:names", args=[stage.connection.pk]),
        reverse("desk:appointment", args=[stage.message.appointment_id]),
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_have_no_faults(
    width: int, page: Page, live_server: Any, manager: User, stage: Stage
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page.context, manager, live_server)
    for address in addresses(stage):
        page.goto(live_server.url + address)
        assert_fits(page)


def test_a_conflict_is_settled_by_keyboard(
    page: Page, live_server: Any, manager: User, stage: Stage
) -> None:
    sign_in(page.context, manager, live_server)
    page.goto(live_server.url + reverse("emr:conflicts"))
    page.get_by_role("link", name="Ada Moreno").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Both sides moved the visit")
    page.get_by_role("link", name="Take theirs").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Take theirs?")
    page.get_by_role("button", name="Take theirs").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Theirs stands.")).to_be_visible()
    stage.conflict.refresh_from_db()
    assert stage.conflict.resolution == "THEIRS"


def test_tasks_messages_and_patients_are_dealt_with_without_scripts(
    browser: Browser, live_server: Any, manager: User, stage: Stage
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    sign_in(context, manager, live_server)
    page = context.new_page()
    page.goto(live_server.url + reverse("emr:tasks"))
    page.get_by_role("button", name=re.compile("^Done.*to be booked")).click()
    expect(page.get_by_text("Done: Order to be booked.")).to_be_visible()
    page.get_by_role("link", name="Patients (").click()
    page.get_by_role("link", name="Ada Moreno").click()
    page.get_by_role("link", name="Same person: link").first.click()
    page.get_by_role("button", name="Yes, link them").click()
    expect(page.get_by_text("Ada Moreno is linked.")).to_be_visible()
    page.get_by_role("link", name="Messages (").click()
    page.get_by_role("button", name="Try all again").click()
    expect(page.get_by_text("2 messages are tried again.")).to_be_visible()
    context.close()
    assert EMRTask.objects.filter(kind=TaskKind.ORDER.value, closed_at=None).count() == 0
    stage.match.refresh_from_db()
    assert stage.match.result == PatientMatch.Result.LINKED
    assert not OutboundMessage.objects.filter(state=State.DEAD.value).exists()


def test_the_visits_panel_says_how_it_stands_there(
    page: Page, live_server: Any, manager: User, stage: Stage, visits: list[Appointment]
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page.context, manager, live_server)
    day = visits[0].local_start.date().isoformat()
    page.goto(f"{live_server.url}{reverse('desk:board')}?day={day}")
    page.get_by_role("link", name="Ada Moreno").click()
    panel = page.locator("#side-panel")
    expect(panel.get_by_text("In Harbor EHR:")).to_contain_text("Needs somebody")
    assert_fits(page)
    panel.get_by_role("link", name="What was sent there").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages to the record system")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_providers_results_stand_below_the_day(
    width: int,
    page: Page,
    live_server: Any,
    stage: Stage,
    provider: Provider,
    visits: list[Appointment],
) -> None:
    member = MembershipFactory.create(clinic=provider.clinic, role=Role.PROVIDER)
    Provider.objects.filter(pk=provider.pk).update(user=member.user)
    about = {"resource_type": "DiagnosticReport", "resource_id": "dr-9"}
    whose = {"patient": visits[0].patient, "provider": provider}
    task_of(stage.connection, TaskKind.RESULT, **about, **whose)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page.context, member.user, live_server)
    page.goto(live_server.url + reverse("provider:today"))
    expect(page.get_by_text("DiagnosticReport/dr-9")).to_be_visible()
    assert_fits(page)
    page.get_by_role("button", name=re.compile("^Done.*follow up")).click()
    expect(page.get_by_text("Noted: you have seen it.")).to_be_visible()
    expect(page.get_by_text("DiagnosticReport/dr-9")).to_have_count(0)
