"""Why somebody is offered freed time, in what order, and what they would take, in words.

Refuses to know how it was decided: codes and rows in, words out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Protocol

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from scheduling.presenters import clock
from scheduling.waitlist.ranking import EVENING, NOON, RULE

ON_WEEKDAYS: tuple[str | Promise, ...] = (
    gettext_lazy("Mondays"),
    gettext_lazy("Tuesdays"),
    gettext_lazy("Wednesdays"),
    gettext_lazy("Thursdays"),
    gettext_lazy("Fridays"),
    gettext_lazy("Saturdays"),
    gettext_lazy("Sundays"),
)
PARTS: dict[tuple[time | None, time | None], str | Promise] = {
    (None, None): gettext_lazy("any time"),
    (None, NOON): gettext_lazy("mornings"),
    (NOON, None): gettext_lazy("afternoons and evenings"),
    (NOON, EVENING): gettext_lazy("afternoons"),
    (EVENING, None): gettext_lazy("evenings"),
}
ORDER: dict[str, str | Promise] = {
    "urgency": gettext_lazy("Urgent before routine"),
    "existing": gettext_lazy("Existing patients before new"),
    "since": gettext_lazy("First come, first served"),
}


class Wanted(Protocol):
    """What is read of an entry."""

    @property
    def weekdays(self) -> Sequence[int]: ...
    @property
    def after_time(self) -> time | None: ...
    @property
    def before_time(self) -> time | None: ...
    @property
    def earliest_desired_date(self) -> date: ...
    @property
    def latest_date(self) -> date | None: ...


def in_words(reasons: Sequence[Sequence[str | int]]) -> list[str]:
    """Return each reason as a short phrase for staff: "urgent", "waits 23 days", "mornings".

    Raises KeyError on a code that nobody writes.
    """
    return [_WORDS[str(code)](*map(int, figures)) for code, *figures in reasons]


def order_in_words() -> list[str]:
    """Return the order in which time is offered: what is looked at first, first."""
    return [str(ORDER[criterion.name]) for criterion in RULE if criterion.name in ORDER]


def entry_in_words(entry: Wanted) -> str:
    """Return what somebody would take: "Mondays and Tuesdays, mornings, from June 3"."""
    return capfirst(", ".join([_days(entry.weekdays), _hours(entry), _dates(entry)]))


def _days(weekdays: Sequence[int]) -> str:
    wanted = sorted(set(weekdays))
    if not wanted or len(wanted) == len(ON_WEEKDAYS):
        return _("any day")
    return str(get_text_list([str(ON_WEEKDAYS[day]) for day in wanted], _("and")))


def _hours(entry: Wanted) -> str:
    after, before = entry.after_time, entry.before_time
    if (after, before) in PARTS:
        return str(PARTS[after, before])
    if before is None:
        return _("from %(time)s") % {"time": _at(after)}
    if after is None:
        return _("until %(time)s") % {"time": _at(before)}
    return _("%(start)s to %(end)s") % {"start": _at(after), "end": _at(before)}


def _dates(entry: Wanted) -> str:
    first = _day(entry.earliest_desired_date)
    if entry.latest_date is None:
        return _("from %(day)s") % {"day": first}
    return _("from %(first)s to %(last)s") % {"first": first, "last": _day(entry.latest_date)}


def _day(day: date) -> str:
    return date_format(day, pgettext("day and month, PHP-style", "F j"))


def _at(wall: time | None) -> str:
    return clock(datetime.combine(date.min, wall or time.min))


def _waits(days: int) -> str:
    if days == 0:
        return _("waits since today")
    return ngettext("waits %(n)d day", "waits %(n)d days", days) % {"n": days}


def _sooner(days: int) -> str:
    if days <= 0:
        return _("sooner on the same day")
    return ngettext("%(n)d day sooner", "%(n)d days sooner", days) % {"n": days}


def _on(weekday: int) -> str:
    return _("a %(weekday)s") % {"weekday": WEEKDAYS[weekday]}


_WORDS: dict[str, Callable[..., str]] = {
    "URGENT": lambda: _("urgent"),
    "EXISTING": lambda: _("existing patient"),
    "WAITS": _waits,
    "SAME_TYPE": lambda: _("same type"),
    "PROVIDER": lambda: _("asked for this provider"),
    "MORNINGS": lambda: _("mornings"),
    "AFTERNOONS": lambda: _("afternoons"),
    "EVENINGS": lambda: _("evenings"),
    "HOURS": lambda: _("at the hours they asked for"),
    "WEEKDAY": _on,
    "LANGUAGE": lambda: _("same language"),
    "SOONER": _sooner,
}
