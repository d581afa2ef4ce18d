"""What simulating costs, and what offering to several at once comes to at the invented clinic.

Twenty seeds, people who say yes to 11 of 100 offers with a median of 45 minutes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from config.progress import step
from scheduling.waitlist.pacing import Pace, Rule
from scheduling.waitlist.simulation import both, compare, invented_world, simulate
from tests.benchmarks.figures import Figure

SEEDS = range(1, 21)
SLOTS, WAITING = 100, 200
TARGET_SECONDS, TARGET_POINTS, MOST_GONE = 1.0, 15.0, 0.75


def measure() -> Iterator[Figure]:
    """Yield what one run costs under each rule, and then what all of them come to."""
    rules = both(Rule(pace=Pace.SEQUENTIAL))
    for pace, rule in rules.items():
        name = f"waitlist_simulate, {pace.lower()}, {SLOTS} slots, {WAITING} waiting"
        yield Figure(name, _seconds(rule), "s", TARGET_SECONDS)
    with step(f"Simulating {len(SEEDS)} times"):
        found = compare(invented_world, rules=rules, seeds=SEEDS)
    one, many = found[Pace.SEQUENTIAL], found[Pace.OVERLAPPING]
    if one.fill_soon is None or many.fill_soon is None or many.gone is None:
        raise ValueError("the invented clinic has slots that come free within a day")
    gain = 100 * (many.fill_soon.mean - one.fill_soon.mean)
    yield Figure("waitlist_gain, freed at most 24 h ahead", gain, "points", TARGET_POINTS)
    yield Figure("waitlist_gone, per slot", many.gone.mean, "patients", MOST_GONE)


def _seconds(rule: Rule) -> float:
    """Return what the dearest of five worlds took, making it included."""
    taken = []
    for seed in SEEDS[:5]:
        begins = time.perf_counter()
        simulate(invented_world(seed, slots=SLOTS, waiting=WAITING), rule, seed=seed)
        taken.append(time.perf_counter() - begins)
    return max(taken)
