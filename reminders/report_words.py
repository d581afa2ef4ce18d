"""What the figures of a report are called, and what stands in each of its tables and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reminders.figures import Plot, Rate, plot
from reminders.reports import By, Messages, NoShows
from reminders.words import channel_words, why_words

TITLES = {
    By.PROVIDER: gettext_lazy("By provider"),
    By.VISIT_TYPE: gettext_lazy("By type of visit"),
    By.LEAD_TIME: gettext_lazy("By days from booking to visit"),
    By.REACHED: gettext_lazy("By whether a reminder arrived"),
    By.CONFIRMED: gettext_lazy("By whether the visit was confirmed"),
}
WHAT = {
    By.PROVIDER: gettext_lazy("Provider"),
    By.VISIT_TYPE: gettext_lazy("Type of visit"),
    By.LEAD_TIME: gettext_lazy("Booked ahead"),
    By.REACHED: gettext_lazy("Reminder"),
    By.CONFIRMED: gettext_lazy("Confirmation"),
}
LEAD_TIMES = (
    gettext_lazy("Same or next day"),
    gettext_lazy("2 to 7 days"),
    gettext_lazy("8 to 14 days"),
    gettext_lazy("15 to 30 days"),
    gettext_lazy("More than 30 days"),
)
REACHED = {True: gettext_lazy("Arrived"), False: gettext_lazy("None arrived")}
CONFIRMED = {True: gettext_lazy("Confirmed"), False: gettext_lazy("Not confirmed")}


@dataclass(frozen=True, slots=True)
class Section:
    """One way to put visits together, as it is shown: `rows` in the order of the plot's bars."""

    slug: str
    title: str
    what: str
    rows: list[tuple[str, Rate]]
    plot: Plot


def sections(found: NoShows) -> list[Section]:
    """Return the report's parts, in the order of By."""
    return [_section(by, found) for by in TITLES]


def _section(by: By, found: NoShows) -> Section:
    rows = [(group_words(by, key), rate) for key, rate in found.groups[by]]
    slug = by.name.lower().replace("_", "-")
    return Section(slug, str(TITLES[by]), str(WHAT[by]), rows, plot(rows, overall=found.overall))


def group_words(by: By, key: Any) -> str:
    """Return what a group of visits is called: a name is its own word."""
    if by is By.LEAD_TIME:
        return str(LEAD_TIMES[key])
    known = {By.REACHED: REACHED, By.CONFIRMED: CONFIRMED}.get(by)
    return str(known[key]) if known is not None else str(key)


def percent(share: float, digits: int = 1) -> str:
    """Return a share from 0 to 1 as people write it: "7.4%"."""
    return _("%(number)s%%") % {"number": number_format(round(100 * share, digits), digits)}


def range_words(rate: Rate) -> str:
    """Return a rate's interval: "5.1% to 10.3%"."""
    low, high = (percent(end) for end in rate.interval)
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


Lines = list[Sequence[object]]


def no_show_lines(found: NoShows) -> tuple[Sequence[object], Lines]:
    """Return the heads and lines of a file: shares from 0 to 1, empty where visits are too few."""
    heads = [
        _("Put together by"),
        _("Group"),
        _("Visits"),
        _("No-shows"),
        _("Rate"),
        _("At least (95%)"),
        _("At most (95%)"),
    ]
    lines: Lines = [[_("All visits"), "", *_cells(found.overall)]]
    for part in sections(found):
        lines += [[part.what, label, *_cells(rate)] for label, rate in part.rows]
    return heads, lines


def _cells(rate: Rate) -> list[object]:
    shares = [rate.share, *rate.interval] if rate.is_enough else []
    return [
        rate.visits,
        rate.missed,
        *(f"{share:.4f}" for share in shares),
        *[""] * (3 - len(shares)),
    ]


def message_table(found: Messages) -> tuple[list[str], list[list[tuple[str, object]]]]:
    """Return heads and rows of what became of messages, each cell with its head."""
    heads = [
        _("Way"),
        _("Sent"),
        _("Known to have arrived"),
        _("Failed"),
        _("Not known"),
        _("On the way"),
    ]
    rows = [
        [channel_words(channel), way.sent, way.delivered, way.failed, way.unsure, way.waiting]
        for channel, way in found.by_channel.items()
    ]
    return heads, [list(zip(heads, row, strict=True)) for row in rows]


def reason_table(found: Messages) -> tuple[list[str], list[list[tuple[str, object]]]]:
    """Return heads and rows of why messages were not sent."""
    heads = [_("Why"), _("Messages")]
    rows = [[why_words(why) or _("No reason noted"), count] for why, count in found.not_sent]
    return heads, [list(zip(heads, row, strict=True)) for row in rows]


def message_lines(found: Messages) -> tuple[Sequence[object], Lines]:
    """Return the heads and lines of a file: what became of messages, then why not all were sent."""
    heads = [_("Way or reason"), _("What became of them"), _("Messages")]
    lines: Lines = []
    for (_head, way), *counts in message_table(found)[1]:
        lines += [[way, head, count] for head, count in counts]
    lines += [[why, _("Not sent"), count] for (_w, why), (_c, count) in reason_table(found)[1]]
    return heads, lines
