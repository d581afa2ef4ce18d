"""What came of offering: per slot, per run, and over many runs with how sure one can be.

Counts in, figures out. Refuses to know how time was offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf, sqrt
from statistics import NormalDist, fmean, stdev

SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What came of one slot.

    `gone` counts those who said yes to an offer that stood until somebody else was faster,
    `too_late` those who said yes after their offer's end. `days_gained` is None where no visit was
    replaced.
    """

    slot: str
    lead: timedelta
    offers: int
    is_filled: bool
    gone: int
    too_late: int
    days_gained: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of all slots in one run. Shares are None where there was no such slot."""

    fates: Sequence[Fate]

    @property
    def fill(self) -> float | None:
        """The share of slots that somebody on the waitlist took."""
        return _mean(float(fate.is_filled) for fate in self.fates)

    @property
    def fill_soon(self) -> float | None:
        """The same of those that came free at most a day ahead."""
        return _mean(float(fate.is_filled) for fate in self.fates if fate.lead <= SOON)

    @property
    def gone(self) -> float | None:
        """How many per slot said yes and were told that somebody was faster."""
        return _mean(float(fate.gone) for fate in self.fates)

    @property
    def too_late(self) -> float | None:
        return _mean(float(fate.too_late) for fate in self.fates)

    @property
    def offers(self) -> float | None:
        """How many offers were made per slot."""
        return _mean(float(fate.offers) for fate in self.fates)

    @property
    def offers_per_fill(self) -> float | None:
        filled = sum(fate.is_filled for fate in self.fates)
        return sum(fate.offers for fate in self.fates) / filled if filled else None

    @property
    def days_gained(self) -> float | None:
        """By how many days the visits that came sooner did, on average."""
        return _mean(float(f.days_gained) for f in self.fates if f.days_gained is not None)


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over runs with its 95 % interval, by Student's t. One run has no interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One rule over all runs, in the order of their seeds. Figures are None without any value."""

    outcomes: Sequence[Outcome]

    @property
    def fill(self) -> Figure | None:
        return self._figure(lambda run: run.fill, most=1.0)

    @property
    def fill_soon(self) -> Figure | None:
        return self._figure(lambda run: run.fill_soon, most=1.0)

    @property
    def gone(self) -> Figure | None:
        return self._figure(lambda run: run.gone)

    @property
    def too_late(self) -> Figure | None:
        return self._figure(lambda run: run.too_late)

    @property
    def offers(self) -> Figure | None:
        return self._figure(lambda run: run.offers)

    @property
    def offers_per_fill(self) -> Figure | None:
        return self._figure(lambda run: run.offers_per_fill)

    @property
    def days_gained(self) -> Figure | None:
        return self._figure(lambda run: run.days_gained)

    def _figure(
        self, value: Callable[[Outcome], float | None], *, most: float = inf
    ) -> Figure | None:
        """Return a figure that is never below 0 and never above `most`."""
        found = figure(each for run in self.outcomes if (each := value(run)) is not None)
        if found is None:
            return None
        return Figure(found.mean, max(found.low, 0.0), min(found.high, most))


def figure(values: Iterable[float]) -> Figure | None:
    """Return the mean of some values, and how far it may be off; None where there are none."""
    found = list(values)
    if not found:
        return None
    mean = fmean(found)
    if len(found) == 1:
        return Figure(mean, mean, mean)
    half = t_quantile(0.975, len(found) - 1) * stdev(found) / sqrt(len(found))
    return Figure(mean, mean - half, mean + half)


def t_quantile(share: float, freedom: int) -> float:
    """Return Student's t: to 1 % from 3 degrees of freedom on, a little too small below.

    The expansion is 26.7.5 of Abramowitz and Stegun, Handbook of Mathematical Functions.
    """
    z = NormalDist().inv_cdf(share)
    terms: tuple[float, ...] = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum((term / freedom**n for n, term in enumerate(terms, start=1)), 0.0)


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None
