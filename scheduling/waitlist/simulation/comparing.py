"""Tries several rules on the same worlds, with the same answers of the same people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from scheduling.waitlist.pacing import Pace, Rule
from scheduling.waitlist.simulation.engine import simulate
from scheduling.waitlist.simulation.outcomes import Outcome, Summary
from scheduling.waitlist.simulation.world import World


def compare(
    world_for: Callable[[int], World], *, rules: Mapping[Pace, Rule], seeds: Iterable[int]
) -> dict[Pace, Summary]:
    """Return what each rule comes to over all seeds, whose runs stand in the same order in each.

    `world_for` returns the world of a seed. As each slot and entry have draws of their own, two
    rules differ by what they do and not by luck. `seeds` is gone through once.
    """
    runs: dict[Pace, list[Outcome]] = {pace: [] for pace in rules}
    for seed in seeds:
        world = world_for(seed)
        for pace, rule in rules.items():
            runs[pace].append(simulate(world, rule, seed=seed))
    return {pace: Summary(outcomes) for pace, outcomes in runs.items()}


def both(rule: Rule) -> dict[Pace, Rule]:
    """Return a rule in either pace, all else being as it is."""
    return {pace: replace(rule, pace=pace) for pace in (Pace.SEQUENTIAL, Pace.OVERLAPPING)}
