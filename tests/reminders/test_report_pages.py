"""The pages of figures: who may see them, what stands in them, and what is saved as a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from providers.models import Clinic, Role, VisitType
from tests.factories import MembershipFactory, ProviderFactory, at
from tests.providers.setup_pages import browser_of
from tests.reminders.test_reports import BY_HAND, MONDAY, write

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EIGHT = at(MONDAY, "08:00")


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    return browser_of(MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user)


def fill(clinic: Clinic, visit_type: VisitType, names: list[str], each: int) -> None:
    for name in names:
        provider = ProviderFactory.create(clinic=clinic, name=name, working=True)
        for place in range(each):
            row = BY_HAND[place % len(BY_HAND)]
            write(row, provider, visit_type, EIGHT + place * 30 * MINUTE)


def read(answer: object) -> list[list[str]]:
    text = answer.content.decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.PROVIDER, Role.PRIVACY_OFFICER])
@pytest.mark.parametrize("name", ["start", "no_shows_file", "messages_file"])
def test_only_whoever_runs_the_clinic_finds_the_figures(
    clinic: Clinic, role: Role, name: str
) -> None:
    somebody = browser_of(MembershipFactory.create(clinic=clinic, role=role).user)
    assert somebody.get(reverse(f"reports:{name}")).status_code == 404


def test_the_nav_shows_the_reports_to_whoever_may_see_them(clinic: Clinic, manager: Client) -> None:
    link = f'href="{reverse("reports:start")}"'
    receptionist = browser_of(MembershipFactory.create(clinic=clinic).user)
    board = reverse("desk:board")
    assert link in manager.get(board).content.decode()
    assert link not in receptionist.get(board).content.decode()


def test_of_no_visits_the_page_says_so(manager: Client) -> None:
    page = manager.get(reverse("reports:start")).content.decode()
    assert "No closed visits on these days" in page
    assert '<svg class="plot"' not in page


def test_a_rate_on_few_visits_is_not_told(
    manager: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    fill(clinic, visit_type, ["Ada"], 10)
    page = manager.get(reverse("reports:start")).content.decode()
    assert "Too few to say" in page
    assert "plot-bar" not in page
    assert page.count('<svg class="plot"') == 5


def test_each_plot_says_what_its_table_says(
    manager: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    fill(clinic, visit_type, ["Ada"], 11)
    answer = manager.get(reverse("reports:start"))
    section = next(one for one in answer.context["sections"] if one.slug == "provider")
    ((label, rate),) = section.rows
    (bar,) = section.plot.bars
    assert (label, rate.missed, rate.visits) == ("Ada", 4, 11)
    assert (bar.label, bar.rate) == (label, rate)
    page = answer.content.decode()
    assert "36.4%" in page
    assert "15.2% to 64.6%" in page


def test_coordinates_are_the_same_in_every_language(
    manager: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    fill(clinic, visit_type, ["Ada"], 11)
    manager.cookies["django_language"] = "es"
    page = manager.get(reverse("reports:start")).content.decode()
    assert "36,4" in page
    assert 'width="45.45%"' in page


def test_names_are_shown_as_they_are_and_do_nothing(
    manager: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    fill(clinic, visit_type, ["<b>=cmd|x</b>", "=1+1"], 2)
    page = manager.get(reverse("reports:start")).content.decode()
    assert "<b>=cmd" not in page
    rows = read(manager.get(reverse("reports:no_shows_file")))
    assert "'=1+1" in [row[1] for row in rows]


def test_a_file_holds_every_figure_of_the_page(
    manager: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    fill(clinic, visit_type, ["Ada"], 11)
    answer = manager.get(reverse("reports:no_shows_file"))
    assert answer["Content-Disposition"] == 'attachment; filename="no-shows.csv"'
    rows = read(answer)
    assert rows[1] == ["All visits", "", "11", "4", "0.3636", "0.1517", "0.6462"]
    assert ["Provider", "Ada", "11", "4", "0.3636", "0.1517", "0.6462"] in rows
    assert ["Reminder", "Arrived", "5", "1", "", "", ""] in rows, "too few for a rate"
    assert len(rows) == 1 + 1 + 1 + 1 + 5 + 2 + 2


def test_a_file_of_messages_holds_every_way(manager: Client) -> None:
    rows = read(manager.get(reverse("reports:messages_file")))
    assert rows[0] == ["Way or reason", "What became of them", "Messages"]
    assert ["Text message", "Sent", "0"] in rows
    assert len(rows) == 1 + 3 * 5


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("since=2026-05-02&until=2026-05-01", "The last day is before the first."),
        ("since=2020-01-01&until=2026-05-01", "Ask for two years at most."),
        ("since=0001-01-01", "Enter days of this century."),
        ("since=yesterday", "Enter a valid date."),
    ],
)
def test_days_that_are_none_are_refused(manager: Client, asked: str, problem: str) -> None:
    answer = manager.get(f"{reverse('reports:start')}?{asked}")
    assert answer.status_code == 422
    assert problem in answer.content.decode()
    assert manager.get(f"{reverse('reports:no_shows_file')}?{asked}").status_code == 404


def test_the_last_ninety_days_are_shown_at_first_and_others_on_request(
    manager: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    fill(clinic, visit_type, ["Ada"], 3)
    context = manager.get(reverse("reports:start")).context
    today = timezone.localdate(timezone=clinic.zone)
    assert (context["first"], context["last"]) == (today - 89 * DAY, today)
    assert context["overall"].visits == 3
    day = f"since={MONDAY}&until={MONDAY}"
    assert manager.get(f"{reverse('reports:start')}?{day}").context["overall"].visits == 3
    other = f"since={MONDAY + DAY}&until={MONDAY + DAY}"
    assert manager.get(f"{reverse('reports:start')}?{other}").context["overall"].visits == 0


@pytest.mark.parametrize("providers", [1, 8])
def test_the_page_asks_as_much_of_a_small_clinic_as_of_a_large_one(
    manager: Client, clinic: Clinic, visit_type: VisitType, providers: int
) -> None:
    fill(clinic, visit_type, [f"Dr. {n}" for n in range(providers)], 2)
    manager.get(reverse("reports:start"))
    with CaptureQueriesContext(connection) as asked:
        manager.get(reverse("reports:start"))
    assert len(asked) <= 9, "\n".join(query["sql"] for query in asked)
