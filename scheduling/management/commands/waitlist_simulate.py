"""`manage.py waitlist_simulate`: what each way of offering freed time would have come to.

Replays a clinic's own past, or a clinic that does not exist. Prints figures, nobody's name.
"""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from providers.models import Clinic
from scheduling.waitlist.pacing import Pace, Rule
from scheduling.waitlist.policies import rule_for
from scheduling.waitlist.simulation import (
    Behaviour,
    Figure,
    Leads,
    Summary,
    World,
    both,
    compare,
    invented_world,
    recommend,
    world_of_history,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
BOUNDS = {
    "seeds": (2, 1000),
    "days": (1, 3660),
    "slots": (1, 10_000),
    "waiting": (0, 10_000),
    "acceptance": (0, 1),
    "declines": (0, 1),
    "far_share": (0, 1),
    "median_answer": (1, 10_080),
    "sigma": (0, 3),
}
LEAD = re.compile(r"(\d{1,4}(?:\.\d+)?)-(\d{1,4}(?:\.\d+)?)")
PACES = {
    "sequential": [Pace.SEQUENTIAL],
    "overlapping": [Pace.OVERLAPPING],
    "both": [Pace.SEQUENTIAL, Pace.OVERLAPPING],
}
NAMES = {Pace.SEQUENTIAL: "one after the other", Pace.OVERLAPPING: "several at once"}
SHARES = {"fill": "filled", "fill_soon": "of those at most 24 h ahead"}
COUNTS = {
    "gone": "gone per slot",
    "too_late": "too late per slot",
    "days_gained": "days gained",
    "offers_per_fill": "offers per fill",
}


class Command(BaseCommand):
    help = (
        "Try how much freed time the waitlist would fill if it were offered to one after the other"
        " or to several at once: on what came free at a clinic, or on an invented one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--clinic", metavar="SLUG", help="replay what came free at this clinic")
        where.add_argument("--demo-world", action="store_true", help="an invented clinic (default)")
        parser.add_argument(
            "--days", type=int, default=365, help="with --clinic: so far back (365)"
        )
        parser.add_argument("--seeds", type=int, default=20, help="how many runs (20)")
        parser.add_argument("--seed", type=int, default=1, help="the seed of the first run (1)")
        parser.add_argument("--policy", choices=PACES, default="both", help="which to try (both)")
        parser.add_argument("--json", action="store_true", help="print figures for programs")
        people = parser.add_argument_group("how people answer")
        people.add_argument("--acceptance", type=float, default=0.11, help="say yes (0.11)")
        people.add_argument("--declines", type=float, default=0.3, help="of the rest, say no (0.3)")
        people.add_argument("--median-answer", type=float, default=45, help="in minutes (45)")
        people.add_argument("--sigma", type=float, default=1.0, help="spread of its logarithm (1)")
        invented = parser.add_argument_group("the invented clinic")
        invented.add_argument("--slots", type=int, default=100, help="that come free (100)")
        invented.add_argument("--waiting", type=int, default=200, help="people who wait (200)")
        invented.add_argument(
            "--lead", default="1-48", metavar="FROM-TO", help="hours ahead that time comes free"
        )
        invented.add_argument(
            "--far-share", type=float, default=0.25, help="that comes free up to ten days ahead"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        _check(options)
        clinic = _clinic(options["clinic"])
        rule = rule_for(clinic=clinic.pk, visit_type=None) if clinic else Rule(pace=Pace.SEQUENTIAL)
        rules = {pace: both(rule)[pace] for pace in PACES[options["policy"]]}
        world_for = _worlds(clinic, options)
        seeds = range(options["seed"], options["seed"] + options["seeds"])
        bar = tqdm(seeds, desc="Simulating", unit=" runs", leave=False, disable=None)
        found = compare(world_for, rules=rules, seeds=bar)
        world = world_for(seeds[0])
        about = {
            "clinic": clinic.slug if clinic else None,
            "slots": len(world.slots),
            "waiting": len(world.people),
            "seeds": [seeds[0], seeds[-1]],
        }
        self._write_json(found, about) if options["json"] else self._write(found, about)

    def _write(self, found: Mapping[Pace, Summary], about: Mapping[str, Any]) -> None:
        where = f"Clinic {about['clinic']}" if about["clinic"] else "An invented clinic"
        first, last = about["seeds"]
        self.stdout.write(
            f"{where}: {about['slots']} times came free, {about['waiting']} people wait;"
            f" {last - first + 1} runs (seeds {first} to {last}), means with 95 % intervals."
        )
        heading = ("", *SHARES.values(), *COUNTS.values())
        for line in _table([heading, *(_cells(pace, found[pace]) for pace in found)]):
            self.stdout.write(line)
        if len(found) > 1:
            self.stdout.write(recommend(found).sentence)

    def _write_json(self, found: Mapping[Pace, Summary], about: Mapping[str, Any]) -> None:
        figures = {
            pace: {name: _plain(getattr(summary, name)) for name in (*SHARES, *COUNTS)}
            for pace, summary in found.items()
        }
        told: dict[str, Any] = {**about, "policies": figures}
        if len(found) > 1:
            told["recommendation"] = asdict(recommend(found))
        self.stdout.write(json.dumps(told))


def _check(options: Mapping[str, Any]) -> None:
    """Raise CommandError, for exit code 2, on what cannot be simulated."""
    for name, (least, most) in BOUNDS.items():
        if not least <= options[name] <= most:
            option = name.replace("_", "-")
            raise CommandError(f"--{option} must be from {least:g} to {most:g}.", returncode=2)


def _clinic(slug: str | None) -> Clinic | None:
    if slug is None:
        return None
    clinic = Clinic.objects.select_related("time_zone").filter(slug=slug).first()
    if clinic is None:
        raise CommandError(
            "There is no clinic of this name. Names are those in its addresses.", returncode=2
        )
    return clinic


def _worlds(clinic: Clinic | None, options: Mapping[str, Any]) -> Callable[[int], World]:
    """Return what is played under a seed: the same past each time, or weeks newly drawn."""
    try:
        behaviour = Behaviour(
            acceptance=options["acceptance"],
            declines=options["declines"],
            median_answer=options["median_answer"] * MINUTE,
            sigma=options["sigma"],
        )
        leads = _leads(options["lead"], options["far_share"])
    except ValueError as wrong:
        raise CommandError(f"This cannot be simulated: {wrong}.", returncode=2) from wrong
    if clinic is None:
        counts = {"slots": options["slots"], "waiting": options["waiting"]}
        return partial(invented_world, **counts, leads=leads, behaviour=behaviour)
    now = timezone.now()
    world = world_of_history(
        clinic, since=now - options["days"] * DAY, behaviour=behaviour, now=now
    )
    return lambda _seed: world


def _leads(bounds: str, far_share: float) -> Leads:
    """Read "1-48", in hours. Raises ValueError on anything else."""
    found = LEAD.fullmatch(bounds)
    if found is None:
        raise ValueError("a lead is two numbers of hours, as 1-48")
    shortest, longest = (float(number) * HOUR for number in found.groups())
    farthest = max(longest, Leads().farthest)
    return Leads(shortest=shortest, longest=longest, far_share=far_share, farthest=farthest)


def _cells(pace: Pace, summary: Summary) -> tuple[str, ...]:
    shares = (_words(getattr(summary, name), "{:.0%}") for name in SHARES)
    counts = (_words(getattr(summary, name), "{:.2f}") for name in COUNTS)
    return (NAMES[pace], *shares, *counts)


def _words(figure: Figure | None, pattern: str) -> str:
    if figure is None:
        return "-"
    mean, low, high = map(pattern.format, (figure.mean, figure.low, figure.high))
    return f"{mean} ({low} to {high})"


def _plain(figure: Figure | None) -> dict[str, float] | None:
    return None if figure is None else asdict(figure)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Return rows as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ([cell.ljust(n) for cell, n in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in padded]
