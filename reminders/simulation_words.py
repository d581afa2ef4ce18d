"""What the figures of a simulation are called, and what stands in its tables and its plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reminders.interval_plots import Plot, plot
from reminders.report_words import percent
from reminders.simulating import Answer, Tried
from scheduling.models import Mode
from scheduling.waitlist.simulation import Figure

LEADS = (
    gettext_lazy("4 hours ahead or less"),
    gettext_lazy("4 to 24 hours ahead"),
    gettext_lazy("1 to 2 days ahead"),
    gettext_lazy("More than 2 days ahead"),
)
Cells = list[tuple[str, str]]
Table = tuple[list[str], list[Cells]]


def way_words(tried: Tried) -> str:
    """Return what a way of offering is called."""
    return str(Mode(tried.pace.value).label)


def overall_table(answer: Answer) -> Table:
    """Return heads and rows of what each way came to, each cell with its head."""
    heads = [
        _("How time is offered"),
        _("Filled, of all"),
        _("Filled, of what came free 24 hours ahead or less"),
        _("“Gone” replies per freed time"),
        _("Offers per filled time"),
        _("Days gained"),
    ]
    rows = [
        [
            way_words(one),
            share_words(one.fill),
            share_words(one.fill_soon),
            number_words(one.gone, 2),
            number_words(one.offers_per_fill, 1),
            number_words(one.days_gained, 1),
        ]
        for one in answer.tried
    ]
    return heads, _cells(heads, rows)


def lead_table(answer: Answer) -> Table:
    """Return heads and rows of the shares filled by how long ahead time came free."""
    heads = [_("Came free"), *(way_words(one) for one in answer.tried)]
    rows = [
        [str(label), *(share_words(one.by_lead[place]) for one in answer.tried)]
        for place, label in enumerate(LEADS)
    ]
    return heads, _cells(heads, rows)


def lead_plot(answer: Answer) -> Plot:
    """Return the bars of the same shares."""
    return plot(
        [
            (str(label), [(way_words(one), one.by_lead[place]) for one in answer.tried])
            for place, label in enumerate(LEADS)
        ]
    )


def _cells(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Cells]:
    return [list(zip(heads, row, strict=True)) for row in rows]


def share_words(found: Figure | None) -> str:
    """Return a share and its interval, within nothing and all: "44.1% (40.2% to 48.0%)"."""
    return _with_range(found, lambda share: percent(min(share, 1.0)))


def number_words(found: Figure | None, digits: int) -> str:
    """Return a number and its interval: "0.04 (0.02 to 0.06)"."""
    return _with_range(found, lambda value: str(number_format(round(value, digits), digits)))


def _with_range(found: Figure | None, words: Any) -> str:
    if found is None:
        return _("Not known")
    told = {"mean": words(found.mean), "low": words(max(found.low, 0.0)), "high": words(found.high)}
    return _("%(mean)s (%(low)s to %(high)s)") % told
