"""Which way of offering a clinic is advised to choose, and why, by what was simulated.

Knows figures only. Offers that are one patient's alone are the kinder way: several at once are
advised only where they clearly fill more and few are told that somebody was faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from scheduling.waitlist.pacing import Pace
from scheduling.waitlist.simulation.outcomes import Figure, Summary, figure

# Less than so many freed times say nothing.
ENOUGH = 11
MOST_GONE = 0.75
LEAST_GAIN = 0.02


class Why(StrEnum):
    """What decided it."""

    TOO_LITTLE = "TOO_LITTLE"
    FILLS_MORE = "FILLS_MORE"
    TOO_MANY_GONE = "TOO_MANY_GONE"
    NO_GAIN = "NO_GAIN"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`gain` is by how much more several at once fill, of 1, run by run."""

    pace: Pace
    why: Why
    sentence: str
    gain: Figure | None = None


def recommend(summaries: Mapping[Pace, Summary]) -> Recommendation:
    """Return which of the two ways to choose. Raises KeyError unless both were tried."""
    one, many = summaries[Pace.SEQUENTIAL], summaries[Pace.OVERLAPPING]
    gain, gone = gain_of(one, many), many.gone
    if gain is None or gone is None or _slots(one) < ENOUGH:
        words = _("Too little time came free to compare. Offer one after the other for now.")
        return Recommendation(Pace.SEQUENTIAL, Why.TOO_LITTLE, words, gain)
    told = {"gain": _points(gain.mean), "low": _points(gain.low), "high": _points(gain.high)}
    told["gone"] = f"{gone.mean:.2f}"
    if gain.low <= 0 or gain.mean < LEAST_GAIN:
        words = _(
            "Offer one after the other: several at once would not clearly fill more"
            " (%(low)s to %(high)s of 100 freed times)."
        )
        return Recommendation(Pace.SEQUENTIAL, Why.NO_GAIN, words % told, gain)
    if gone.mean > MOST_GONE:
        words = _(
            "Offer one after the other: several at once would fill %(gain)s more of 100 freed"
            " times, but %(gone)s patients for each would say yes and be told that it is gone."
        )
        return Recommendation(Pace.SEQUENTIAL, Why.TOO_MANY_GONE, words % told, gain)
    words = _(
        "Offer to several at once: it fills %(gain)s more of 100 freed times (%(low)s to %(high)s),"
        " and %(gone)s patients for each say yes and are told that it is gone."
    )
    return Recommendation(Pace.OVERLAPPING, Why.FILLS_MORE, words % told, gain)


def gain_of(one: Summary, many: Summary) -> Figure | None:
    """Return how much more the second fills, by the differences between runs of the same seed."""
    pairs = zip(one.outcomes, many.outcomes, strict=True)
    fills = ((first.fill, second.fill) for first, second in pairs)
    return figure(b - a for a, b in fills if a is not None and b is not None)


def _slots(summary: Summary) -> int:
    return max((len(run.fates) for run in summary.outcomes), default=0)


def _points(share: float) -> str:
    return str(round(share * 100))
