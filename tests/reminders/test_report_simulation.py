"""The page on which both ways of offering are tried, and one of them is chosen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from providers.models import Clinic, Provider, Role, VisitType
from reminders import simulating
from reminders.simulating import Question, Source, ask, usual_source
from scheduling.models import Mode, Opening, WaitlistPolicy
from scheduling.waitlist.choosing import choose, mode_of
from scheduling.waitlist.pacing import Pace, Rule
from scheduling.waitlist.simulation import Behaviour, compare, invented_world
from tests.factories import MembershipFactory, VisitTypeFactory
from tests.factories.waitlist import entry_of, opening_of, waitlist_policy
from tests.providers.setup_pages import browser_of

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAGE, USE = "reports:waitlist_simulation", "reports:waitlist_use"
SMALL = "source=invented&runs=2&slots=40&waiting=40"


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    return browser_of(MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user)


@pytest.fixture
def past(provider: Provider, visit_type: VisitType, now: datetime) -> None:
    """Each of the last twelve days a visit of the next day was cancelled; three waited."""
    for n in range(1, 13):
        freed = now - n * DAY
        opening_of(provider, freed + DAY, created_at=freed, next_at=freed)
    for _ in range(3):
        entry_of(provider=provider, visit_type=visit_type, created_at=now - 30 * DAY)


def question(**values: Any) -> Question:
    small: dict[str, Any] = {"source": Source.INVENTED, "runs": 2, "slots": 40, "waiting": 40}
    return Question(**(small | values))


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.PROVIDER, Role.PRIVACY_OFFICER])
def test_only_whoever_runs_the_clinic_may_try_and_choose(clinic: Clinic, role: Role) -> None:
    somebody = browser_of(MembershipFactory.create(clinic=clinic, role=role).user)
    for name in (PAGE, USE):
        assert somebody.get(reverse(name)).status_code == 404
    assert somebody.post(reverse(USE), {"mode": "OVERLAPPING"}).status_code == 404
    assert not WaitlistPolicy.objects.exists()


def test_the_answer_is_what_the_simulation_says(clinic: Clinic, now: datetime) -> None:
    asked = question(acceptance=0.3, median_answer=20)
    behaviour = Behaviour(acceptance=0.3, median_answer=20 * MINUTE)
    paces = (Pace.SEQUENTIAL, Pace.OVERLAPPING)
    expected = compare(
        lambda seed: invented_world(seed, slots=40, waiting=40, behaviour=behaviour),
        rules={pace: Rule(pace=pace) for pace in paces},
        seeds=[1, 2],
    )
    found = ask(clinic, asked, now=now)
    assert (found.runs, found.slots) == (2, 40)
    assert [one.pace for one in found.tried] == list(paces)
    for one in found.tried:
        assert one.fill == expected[one.pace].fill
        assert one.gone == expected[one.pace].gone


def test_the_clinics_own_lengths_are_tried(clinic: Clinic, now: datetime) -> None:
    usual = ask(clinic, question(), now=now)
    waitlist_policy(clinic, window_minutes=20, shortest_window_minutes=20)
    assert ask(clinic, question(), now=now).tried[0].fill != usual.tried[0].fill


def test_shares_by_lead_are_of_what_came_free_in_that_band(clinic: Clinic, now: datetime) -> None:
    found = ask(clinic, question(acceptance=1.0, median_answer=1, runs=2), now=now)
    soonest, *later = found.tried[1].by_lead
    assert soonest is not None
    assert soonest.mean == 0, "visits of four hours ahead are too near to be offered"
    assert all(band is not None and band.mean > 0 for band in later)


def test_runs_end_when_their_time_is_over_and_the_page_says_so(
    manager: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "SECONDS", 0.0)
    page = manager.get(f"{reverse(PAGE)}?source=invented&runs=9&slots=20&waiting=20")
    assert page.context["answer"].runs == 2
    assert "The page would have taken too long with 7 more." in page.content.decode()


def test_an_answer_is_kept_and_another_question_is_not_answered_by_it(
    clinic: Clinic, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def count(*args: Any, **kwargs: Any) -> Any:
        asked.append(args)
        return compare(*args, **kwargs)

    monkeypatch.setattr(simulating, "compare", count)
    first = ask(clinic, question(), now=now)
    assert ask(clinic, question(), now=now + MINUTE) == first
    assert len(asked) == 1
    ask(clinic, question(acceptance=0.5), now=now)
    waitlist_policy(clinic, window_minutes=60)
    ask(clinic, question(), now=now)
    assert len(asked) == 3


def test_a_clinics_own_past_is_played_through_once_there_is_enough_of_it(
    clinic: Clinic, past: None, now: datetime
) -> None:
    assert usual_source(clinic, now=now) is Source.HISTORY
    found = ask(clinic, question(source=Source.HISTORY, acceptance=1.0), now=now)
    assert found.slots == 12
    fill = found.tried[0].fill
    assert fill is not None
    assert fill.mean > 0
    Opening.objects.first().delete()  # type: ignore[union-attr]
    Opening.objects.first().delete()  # type: ignore[union-attr]
    assert usual_source(clinic, now=now) is Source.INVENTED


def test_of_a_long_past_the_latest_is_played_through(
    clinic: Clinic, past: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "MOST_SLOTS", 5)
    assert ask(clinic, question(source=Source.HISTORY), now=now).slots == 5


def test_the_page_shows_every_figure_in_the_plot_and_in_the_table(
    manager: Client, past: None
) -> None:
    answer = manager.get(f"{reverse(PAGE)}?{SMALL}&acceptance=60")
    page = answer.content.decode()
    drawn = [bar for group in answer.context["plot"].groups for bar in group.bars]
    tried = answer.context["answer"].tried
    figures = [one.by_lead[place] for place in range(4) for one in tried]
    assert [bar.share for bar in drawn] == [one and one.mean for one in figures]
    assert page.count("plot-bar") == len([one for one in figures if one is not None])
    assert answer.context["answer"].advice.sentence in page
    for one in figures:
        if one is not None:
            assert f"{100 * one.mean:.1f}%" in page


def test_where_nothing_came_free_the_page_says_so(manager: Client) -> None:
    page = manager.get(f"{reverse(PAGE)}?source=history").content.decode()
    assert "Nothing came free here in the last 90 days" in page
    assert '<svg class="plot' not in page


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("acceptance=0", "greater than or equal to 1"),
        ("acceptance=101", "less than or equal to 100"),
        ("runs=21", "less than or equal to 20"),
        ("slots=100000", "less than or equal to 150"),
        ("waiting=no", "Enter a whole number"),
        ("source=elsewhere", "Select a valid choice"),
    ],
)
def test_what_cannot_be_tried_is_refused(manager: Client, asked: str, problem: str) -> None:
    answer = manager.get(f"{reverse(PAGE)}?{asked}")
    assert answer.status_code == 422
    assert problem in answer.content.decode()


@pytest.mark.parametrize("nonsense", ["a\0b", "9" * 40, "-1", "9" * 5_000, "🩺", "1e3", "٣٣"])
def test_nonsense_is_refused_in_words(manager: Client, nonsense: str) -> None:
    numbers = ("acceptance", "median_answer", "runs", "slots", "waiting")
    for name in ("source", *numbers):
        answer = manager.get(reverse(PAGE), {"source": "history", name: nonsense})
        assert answer.status_code == (200 if nonsense == "٣٣" and _takes_33(name) else 422), name
    assert manager.get(reverse(USE), {"mode": nonsense}).status_code == 200
    assert manager.post(reverse(USE), {"mode": nonsense}).status_code == 422


def _takes_33(name: str) -> bool:
    """Digits are digits in any script."""
    return name not in {"source", "runs"}


def test_looking_changes_nothing(manager: Client, past: None) -> None:
    before = list(Opening.objects.order_by("pk").values())
    manager.get(reverse(PAGE))
    manager.get(f"{reverse(USE)}?mode=OVERLAPPING")
    assert list(Opening.objects.order_by("pk").values()) == before
    assert not WaitlistPolicy.objects.exists()


@pytest.mark.parametrize("entries", [2, 12])
def test_the_page_asks_as_much_for_many_who_wait_as_for_few(
    manager: Client, provider: Provider, visit_type: VisitType, past: None, entries: int
) -> None:
    for _ in range(entries):
        entry_of(provider=provider, visit_type=visit_type)
    manager.get(f"{reverse(PAGE)}?source=history&runs=3")
    with CaptureQueriesContext(connection) as asked:
        manager.get(f"{reverse(PAGE)}?source=history&runs=2")
    assert len(asked) <= 22, "\n".join(query["sql"][:150] for query in asked)


def test_the_rule_is_asked_for_and_then_used(manager: Client, clinic: Clinic) -> None:
    asked = manager.get(f"{reverse(USE)}?mode=OVERLAPPING")
    assert asked.context["form"]["mode"].value() == "OVERLAPPING"
    answer = manager.post(reverse(USE), {"mode": "OVERLAPPING"}, follow=True)
    assert answer.redirect_chain == [(reverse(PAGE), 302)]
    assert "From now on, freed time is offered so: Several at once." in answer.content.decode()
    assert mode_of(clinic) is Mode.OVERLAPPING


@pytest.mark.parametrize("mode", ["", "NEVER"])
def test_a_rule_that_is_none_is_refused(manager: Client, mode: str) -> None:
    assert manager.post(reverse(USE), {"mode": mode}).status_code == 422
    assert manager.get(f"{reverse(USE)}?mode={mode}").status_code == 200
    assert not WaitlistPolicy.objects.exists()


def test_lengths_and_rules_of_types_stay_when_another_rule_is_used(
    clinic: Clinic, now: datetime
) -> None:
    own = waitlist_policy(clinic, VisitTypeFactory.create(), mode=Mode.OFF)
    waitlist_policy(clinic, window_minutes=90)
    row = choose(clinic=clinic, mode=Mode.OVERLAPPING, now=now)
    row.refresh_from_db()
    assert (row.visit_type, row.mode, row.window_minutes) == (None, "OVERLAPPING", 90)
    own.refresh_from_db()
    assert own.mode == Mode.OFF
    assert WaitlistPolicy.objects.count() == 2


def test_what_is_open_is_looked_at_under_the_new_rule_unless_it_may_come_back(
    clinic: Clinic, provider: Provider, now: datetime
) -> None:
    asleep = opening_of(provider, now + DAY, next_at=now + HOUR)
    undoable = opening_of(
        provider, now + 2 * DAY, next_at=now + 10 * MINUTE, not_before=now + 10 * MINUTE
    )
    choose(clinic=clinic, mode=Mode.OVERLAPPING, now=now)
    asleep.refresh_from_db()
    undoable.refresh_from_db()
    assert (asleep.next_at, undoable.next_at) == (now, now + 10 * MINUTE)
