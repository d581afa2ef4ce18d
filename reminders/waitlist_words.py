"""What the waitlist's figures are called, and what stands in each of their tables and in the file.

Counts nothing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from reminders.figures import Plot, Rate, plot
from reminders.report_words import Lines
from scheduling.models import Opening, WaitlistOffer
from scheduling.presenters import minutes_in_words
from scheduling.waitlist.figures import COUNTED, FILLED, Filling, Offers, Openings

MINUTE = timedelta(minutes=1)
Ended, Status = Opening.Ended, WaitlistOffer.Status

LEADS = (
    gettext_lazy("Within 24 hours"),
    gettext_lazy("1 to 3 days ahead"),
    gettext_lazy("3 to 7 days ahead"),
    gettext_lazy("7 to 14 days ahead"),
    gettext_lazy("More than 14 days ahead"),
)
ENDS: dict[Opening.Ended | None, Promise] = {
    Ended.CLAIMED: gettext_lazy("Filled from the waitlist"),
    Ended.BOOKED: gettext_lazy("Booked by others"),
    Ended.EXHAUSTED: gettext_lazy("Nobody wanted it"),
    Ended.TOO_LATE: gettext_lazy("Too close to its time"),
    Ended.RETURNED: gettext_lazy("Visit stands again"),
    Ended.NOT_WORKED: gettext_lazy("Not worked any more"),
    Ended.SWITCHED_OFF: gettext_lazy("Not to be offered"),
    Ended.WITHDRAWN: gettext_lazy("Withdrawn by the desk"),
    None: gettext_lazy("Still open"),
}
# In the table of causes the ends stand in these few columns.
COLUMNS: list[tuple[Promise, frozenset[Opening.Ended | None]]] = [
    (gettext_lazy("By waitlist"), frozenset({Ended.CLAIMED})),
    (gettext_lazy("By others"), frozenset({Ended.BOOKED})),
    (gettext_lazy("Not filled"), frozenset(COUNTED - FILLED)),
    (gettext_lazy("Not to be filled"), frozenset(set(Ended) - COUNTED)),
    (gettext_lazy("Still open"), frozenset({None})),
]
STATUSES: dict[WaitlistOffer.Status, Promise] = {
    Status.CLAIMED: gettext_lazy("Accepted"),
    Status.DECLINED: gettext_lazy("Declined"),
    Status.EXPIRED: gettext_lazy("Not answered in time"),
    Status.GONE: gettext_lazy("Gone before an answer"),
    Status.OFFERED: gettext_lazy("Waiting for an answer"),
}
Table = tuple[list[str], list[list[tuple[str, object]]]]


@dataclass(frozen=True, slots=True)
class Leads:
    """How much was filled, by how long before its start time came free: as rows and as bars."""

    rows: list[tuple[str, Filling, Rate]]
    plot: Plot


def rate(filling: Filling) -> Rate:
    """Return what share of freed time was filled."""
    return Rate(filling.filled, filling.counted)


def leads(found: Openings) -> Leads:
    """Return the rows of all bands, the shortest notice first."""
    rows = [
        (str(label), filling, rate(filling))
        for label, filling in zip(LEADS, found.by_band, strict=True)
    ]
    bars = [(label, share) for label, _filling, share in rows]
    return Leads(rows, plot(bars, overall=rate(found.filling)))


def cause_table(found: Openings) -> Table:
    """Return heads and rows of why time came free, and how it ended in a few words."""
    heads = [_("Came free because"), _("Times"), *(str(words) for words, _ends in COLUMNS)]
    rows = [
        [
            str(cause.label),
            counts.total(),
            *(sum(counts[end] for end in ends) for _words, ends in COLUMNS),
        ]
        for cause, counts in found.by_cause.items()
    ]
    return heads, [list(zip(heads, row, strict=True)) for row in rows]


def end_table(found: Openings) -> Table:
    """Return heads and rows of how freed time ended; only ends that there were."""
    heads = [_("How it ended"), _("Times")]
    counts = sum(found.by_cause.values(), Counter[Opening.Ended | None]())
    rows = [[str(words), counts[end]] for end, words in ENDS.items() if counts[end]]
    return heads, [list(zip(heads, row, strict=True)) for row in rows]


def offer_table(found: Offers) -> Table:
    """Return heads and rows of what became of offers."""
    heads = [_("What became of them"), _("Offers")]
    rows = [[str(words), found.by_status[status]] for status, words in STATUSES.items()]
    return heads, [list(zip(heads, row, strict=True)) for row in rows]


def facts(found: Offers) -> list[str]:
    """Return in sentences how fast patients answered, and what they gained."""
    said = []
    if found.answered_in is not None:
        how_long = minutes_in_words(round(found.answered_in / MINUTE))
        said.append(_("Half of the answers came within %(how_long)s.") % {"how_long": how_long})
    if found.median_days is not None:
        said.append(
            _("Visits came forward by %(days)s in all; half of them by %(median)s or more.")
            % {
                "days": days_words(found.days_gained),
                "median": days_words(found.median_days),
            }
        )
    return said


def days_words(days: float) -> str:
    """Return "1 day", "14 days" or "8.5 days"."""
    if days == int(days):
        return ngettext("%(n)s day", "%(n)s days", int(days)) % {"n": number_format(int(days))}
    return _("%(n)s days") % {"n": number_format(days, 1)}


def lines(found: Openings, offered: Offers) -> tuple[Sequence[object], Lines]:
    """Return the heads and lines of a file: shares from 0 to 1, empty where there are too few."""
    heads = [_("Put together by"), _("Group"), _("What"), _("Figure")]
    return heads, [*_cause_lines(found), *_lead_lines(found), *_offer_lines(offered)]


def _cause_lines(found: Openings) -> Lines:
    what = _("Came free because")
    return [
        [what, str(cause.label), str(ENDS[end]), count]
        for cause, counts in found.by_cause.items()
        for end, count in counts.items()
    ]


def _lead_lines(found: Openings) -> Lines:
    said: Lines = []
    for label, filling, share in leads(found).rows:
        cells = {
            _("Could be filled"): filling.counted,
            str(ENDS[Ended.CLAIMED]): filling.claimed,
            str(ENDS[Ended.BOOKED]): filling.booked,
            _("Share filled"): f"{share.share:.4f}" if share.is_enough else "",
        }
        said += [[_("How long ahead"), label, name, cell] for name, cell in cells.items()]
    return said


def _offer_lines(found: Offers) -> Lines:
    what, every = _("Offers"), _("All offers")
    answered = None if found.answered_in is None else round(found.answered_in / MINUTE, 1)
    return [
        *([what, every, str(words), found.by_status[one]] for one, words in STATUSES.items()),
        [what, every, _("Minutes to an answer, median"), _or_nothing(answered)],
        [what, every, _("Days gained, median"), _or_nothing(found.median_days)],
        [what, every, _("Days gained, all"), found.days_gained],
    ]


def _or_nothing(figure: float | None) -> object:
    return "" if figure is None else figure
