"""The page of the waitlist's figures: who may see it, what stands in it, and what is saved."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from providers.models import Clinic, Provider, Role
from reminders.waitlist_words import days_words
from tests.factories import MembershipFactory, PatientFactory, ProviderFactory
from tests.factories.waitlist import entry_of, offer_of
from tests.providers.setup_pages import browser_of
from tests.reminders.test_report_pages import read
from tests.scheduling.waitlist.test_figures import BY_HAND, freed

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    return browser_of(MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user)


def fill(provider: Provider) -> None:
    """Write freed time as counted by hand, and three offers: two taken, one not answered."""
    now = timezone.now()
    for cause, ended, hours, times in BY_HAND:
        for _time in range(times):
            freed(provider, cause, ended, hours, came=now - DAY)
    for minutes, status, days in ((10, "CLAIMED", 3), (50, "CLAIMED", 14), (0, "EXPIRED", None)):
        entry = entry_of(PatientFactory.create(clinic=provider.clinic), provider=provider)
        opening = freed(provider, "CANCEL", "", 30, came=now + 1000 * DAY)
        made = now - 2 * HOUR
        answered = made + minutes * MINUTE if minutes else None
        offer_of(
            entry, opening, status=status, made_at=made, answered_at=answered, days_gained=days
        )


def shown(manager: Client, name: str = "waitlist", query: str = "") -> str:
    """Return the words of the page's own part."""
    html = manager.get(f"{reverse(f'reports:{name}')}{query}").content.decode()
    main = html.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.PROVIDER, Role.PRIVACY_OFFICER])
@pytest.mark.parametrize("name", ["waitlist", "waitlist_file"])
def test_only_whoever_runs_the_clinic_finds_the_figures(
    clinic: Clinic, role: Role, name: str
) -> None:
    somebody = browser_of(MembershipFactory.create(clinic=clinic, role=role).user)
    assert somebody.get(reverse(f"reports:{name}")).status_code == 404


def test_the_reports_lead_to_each_other(manager: Client) -> None:
    for here, there in (("start", "waitlist"), ("waitlist", "start")):
        page = manager.get(reverse(f"reports:{here}")).content.decode()
        tabs = page.partition('<nav class="tabs"')[2].partition("</nav>")[0]
        assert f'href="{reverse(f"reports:{there}")}"' in tabs
        assert f'href="{reverse(f"reports:{here}")}" aria-current="page"' in tabs


def test_where_no_time_came_free_the_page_says_so(manager: Client) -> None:
    page = manager.get(reverse("reports:waitlist")).content.decode()
    assert "No time came free on these days" in page
    assert "Nothing was offered in these days." in page
    assert '<svg class="plot"' not in page
    assert reverse("reports:waitlist_file") not in page


def test_the_page_says_what_was_counted_by_hand(manager: Client, provider: Provider) -> None:
    fill(provider)
    words = shown(manager)
    assert "63.6% of 11 times that could be filled were filled: 6 from the waitlist," in words
    assert "Within 24 hours 6 3 0 Too few to say" in words
    assert "1 to 3 days ahead 2 1 1 Too few to say" in words
    assert "Cancelled 10 3 1 2 4 0" in words
    assert "Moved 3 1 0 0 0 2" in words
    assert "Filled from the waitlist 6 Booked by others 1 Nobody wanted it 3" in words
    assert "Still open 2" in words
    assert "3 offers were made in these days." in words
    assert "Half of the answers came within 30 min." in words
    assert "Visits came forward by 17 days in all; half of them by 8.5 days or more." in words
    assert "Accepted 2 Declined 0 Not answered in time 1 Gone before an answer 0" in words


def test_the_plot_says_what_its_table_says(manager: Client, provider: Provider) -> None:
    for ended, times in (("CLAIMED", 6), ("EXHAUSTED", 5)):
        for _time in range(times):
            freed(provider, "CANCEL", ended, 5, came=timezone.now() - DAY)
    answer = manager.get(reverse("reports:waitlist"))
    leads = answer.context["leads"]
    label, filling, rate = leads.rows[0]
    assert (label, filling.filled, filling.counted) == ("Within 24 hours", 6, 11)
    bar = leads.plot.bars[0]
    assert (bar.label, bar.rate) == (label, rate)
    assert "54.5%" in answer.content.decode()
    assert [one.width for one in leads.plot.bars[1:]] == [""] * 4, "nothing came free so"


def test_only_the_days_asked_for_are_counted(manager: Client, provider: Provider) -> None:
    fill(provider)
    day = timezone.localdate(timezone=provider.clinic.zone) - 9 * DAY
    assert "No time came free" in shown(manager, query=f"?since={day}&until={day}")


def test_a_file_holds_every_figure_of_the_page(manager: Client, provider: Provider) -> None:
    fill(provider)
    answer = manager.get(reverse("reports:waitlist_file"))
    assert answer["Content-Disposition"] == 'attachment; filename="waitlist.csv"'
    rows = read(answer)
    assert rows[0] == ["Put together by", "Group", "What", "Figure"]
    assert ["Came free because", "Cancelled", "Filled from the waitlist", "3"] in rows
    assert ["How long ahead", "Within 24 hours", "Could be filled", "6"] in rows
    assert ["How long ahead", "Within 24 hours", "Share filled", ""] in rows, "too few for a share"
    assert ["Offers", "All offers", "Accepted", "2"] in rows
    assert ["Offers", "All offers", "Minutes to an answer, median", "30.0"] in rows
    assert ["Offers", "All offers", "Days gained, median", "8.5"] in rows
    assert ["Offers", "All offers", "Days gained, all", "17"] in rows


def test_days_that_are_none_are_refused(manager: Client) -> None:
    asked = "?since=2026-05-02&until=2026-05-01"
    answer = manager.get(reverse("reports:waitlist") + asked)
    assert answer.status_code == 422
    assert "The last day is before the first." in answer.content.decode()
    assert manager.get(reverse("reports:waitlist_file") + asked).status_code == 404


@pytest.mark.parametrize("providers", [1, 6])
def test_the_page_asks_as_much_of_a_small_clinic_as_of_a_large_one(
    manager: Client, clinic: Clinic, providers: int
) -> None:
    for _provider in range(providers):
        fill(ProviderFactory.create(clinic=clinic, working=True))
    manager.get(reverse("reports:waitlist"))
    with CaptureQueriesContext(connection) as asked:
        manager.get(reverse("reports:waitlist"))
    assert len(asked) <= 9, "\n".join(query["sql"] for query in asked)


def test_days_are_told_with_a_digit_where_they_are_no_whole_ones() -> None:
    assert days_words(1) == "1 day"
    assert days_words(14.0) == "14 days"
    assert days_words(8.5) == "8.5 days"
