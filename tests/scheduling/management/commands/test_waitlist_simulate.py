"""What the command prints of an invented clinic and of a real one, and what it refuses."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from providers.models import Clinic, Provider, VisitType
from scheduling.models import Mode
from scheduling.waitlist import pacing
from scheduling.waitlist.pacing import Rule
from tests.factories.waitlist import entry_of, opening_of, waitlist_policy

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEW = ("--seeds", "3", "--slots", "15", "--waiting", "40")


def simulated(*arguments: str) -> str:
    output = io.StringIO()
    call_command("waitlist_simulate", *arguments, stdout=output)
    return output.getvalue()


def figures(*arguments: str) -> dict[str, Any]:
    found = json.loads(simulated("--json", *arguments))
    assert isinstance(found, dict)
    return found


def refusal(*arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as refused:
        simulated(*arguments)
    return refused.value.returncode, str(refused.value)


def test_an_invented_clinic_is_a_small_table_and_a_sentence() -> None:
    first, heading, one, many, advice = simulated(*FEW).splitlines()

    assert first == (
        "An invented clinic: 15 times came free, 40 people wait;"
        " 3 runs (seeds 1 to 3), means with 95 % intervals."
    )
    assert re.split(" {2,}", heading.strip()) == [
        "filled",
        "of those at most 24 h ahead",
        "gone per slot",
        "too late per slot",
        "days gained",
        "offers per fill",
    ]
    assert one.startswith("one after the other  ")
    assert many.startswith("several at once      ")
    assert advice.startswith("Offer ")


def test_the_same_seed_prints_the_same() -> None:
    assert simulated(*FEW) == simulated(*FEW)
    assert simulated(*FEW) != simulated(*FEW, "--seed", "2")


def test_programs_get_the_same_figures() -> None:
    found = figures(*FEW, "--demo-world")

    assert (found["slots"], found["waiting"], found["seeds"]) == (15, 40, [1, 3])
    fill = found["policies"]["OVERLAPPING"]["fill"]
    assert 0 <= fill["low"] <= fill["mean"] <= fill["high"] <= 1
    assert found["recommendation"]["why"]
    assert f"({round(fill['low'] * 100)}% to {round(fill['high'] * 100)}%)" in simulated(*FEW)


def test_one_policy_alone_is_not_advised_about() -> None:
    found = figures(*FEW, "--policy", "sequential")

    assert list(found["policies"]) == ["SEQUENTIAL"]
    assert "recommendation" not in found


def test_people_answer_as_the_options_say() -> None:
    nobody = figures(*FEW, "--acceptance", "0")["policies"]["SEQUENTIAL"]
    quick = figures(*FEW, "--acceptance", "1", "--median-answer", "1")["policies"]["SEQUENTIAL"]
    slow = figures(*FEW, "--acceptance", "1", "--median-answer", "1000", "--sigma", "0")

    assert nobody["fill"]["mean"] == 0
    assert quick["fill"]["mean"] > 0.4
    assert quick["too_late"]["mean"] == 0
    assert slow["policies"]["SEQUENTIAL"]["fill"]["mean"] == 0


def test_time_comes_free_as_the_options_say() -> None:
    soon = figures(*FEW, "--lead", "1-24", "--far-share", "0")["policies"]["SEQUENTIAL"]
    late = figures(*FEW, "--lead", "30-48")["policies"]["SEQUENTIAL"]

    assert soon["fill_soon"] == soon["fill"]
    assert late["fill_soon"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "1"], "--seeds must be from 2 to 1000."),
        (["--slots", "0"], "--slots must be from 1 to 10000."),
        (["--acceptance", "1.5"], "--acceptance must be from 0 to 1."),
        (["--median-answer", "nan"], "--median-answer must be from 1 to 10080."),
        (["--sigma", "9"], "--sigma must be from 0 to 3."),
        (["--lead", "two"], "This cannot be simulated: a lead is two numbers of hours, as 1-48."),
        (["--lead", "48-1"], "This cannot be simulated: leads are in order"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(arguments: list[str], words: str) -> None:
    code, said = refusal(*arguments)

    assert code == 2
    assert said.startswith(words)
    assert "\n" not in said


@pytest.mark.django_db
def test_a_clinic_that_is_not_there_is_refused_in_a_line() -> None:
    code, said = refusal("--clinic", "nowhere")

    assert (code, said) == (2, "There is no clinic of this name. Names are those in its addresses.")


@pytest.fixture
def past(clinic: Clinic, provider: Provider, visit_type: VisitType) -> Clinic:
    """Twelve times that came free at a clinic in the last weeks, and three who wait there."""
    now = timezone.now()
    for _n in range(3):
        entry_of(
            provider=provider,
            visit_type=visit_type,
            created_at=now - 60 * DAY,
            earliest_desired_date=(now - 60 * DAY).date(),
        )
    for n in range(12):
        freed = now - (40 - n) * DAY
        opening_of(provider, freed + 2 * DAY, minutes=60, created_at=freed)
    return clinic


@pytest.mark.django_db
def test_a_clinic_s_own_past_is_replayed(past: Clinic) -> None:
    found = figures("--clinic", past.slug, "--seeds", "3")

    assert (found["clinic"], found["slots"], found["waiting"]) == (past.slug, 12, 3)
    assert found["policies"]["OVERLAPPING"]["offers_per_fill"]["mean"] > 0
    assert figures("--clinic", past.slug, "--seeds", "3", "--days", "36")["slots"] == 7
    assert simulated("--clinic", past.slug, "--seeds", "2").startswith(f"Clinic {past.slug}: 12 ")


@pytest.mark.django_db
def test_it_is_replayed_by_the_clinic_s_own_rule(
    past: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    waitlist_policy(past, mode=Mode.OFF, window_minutes=30, spacing_divisor=7)
    played: set[Rule] = set()
    next_step = pacing.next_step

    def seen(rule: Rule, **known: Any) -> pacing.Step:
        played.add(rule)
        return next_step(rule, **known)

    monkeypatch.setattr(pacing, "next_step", seen)
    figures("--clinic", past.slug, "--seeds", "2")

    assert {rule.pace for rule in played} == {pacing.Pace.SEQUENTIAL, pacing.Pace.OVERLAPPING}
    assert {(rule.window, rule.divisor) for rule in played} == {(HOUR / 2, 7)}
