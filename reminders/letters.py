"""The slots of a message, typed: all that its words can ever say, and how days and times read.

There is none for why a patient comes or for the type of the visit, so no template can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import pgettext

from scheduling.presenters import clock

NOON = 12  # hours


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSlot:
    """A visit: `start` on the clinic's wall clock, `own_start` on the patient's where that differs.

    `asks` says that it waits for a confirmation, `may_be_freed` that silence may free its time.
    `url` is the visit's own link, where a message has several.
    """

    start: datetime
    provider: str
    reference: str = ""
    address: str = ""
    is_video: bool = False
    asks: bool = False
    may_be_freed: bool = False
    own_start: datetime | None = None
    url: str = ""

    @property
    def day(self) -> str:
        return full_day(self.start)

    @property
    def time(self) -> str:
        """The time with its zone: "12:45 pm (EST)"."""
        return _with_zone(self.start)

    @property
    def own_time(self) -> str:
        """The same instant where the patient is; empty where their clock says the same."""
        if self.own_start is None:
            return ""
        time = _with_zone(self.own_start)
        same_day = self.own_start.date() == self.start.date()
        return time if same_day else f"{full_day(self.own_start)}, {time}"

    @property
    def when(self) -> str:
        """Day and time in short: "Wed Dec 30 12:45pm"."""
        return f"{short_day(self.start)} {self.short_time}"

    @property
    def short_time(self) -> str:
        """The time in short: "12:45pm", with its zone where that is not the reader's."""
        zone = f" {self.start.tzname()}" if self.own_start else ""
        return f"{short_time(self.start)}{zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """All that a message can say. `clinic_name` is the site's where no clinic sends it.

    `visits` are in the order of their starts; `deadline` is until when an offer stands, on the
    patient's clock, `instead` the visit that it would take the place of; one that `is_shared` may
    be taken by others first. `answer` is a value of `replying.Answer`; a code works for `minutes`.
    """

    clinic_name: str
    sms_name: str = ""
    clinic_phone: str = ""
    given_name: str = ""
    visits: tuple[VisitSlot, ...] = ()
    url: str = ""
    unsubscribe_url: str = ""
    code: str = ""
    minutes: int = 0
    deadline: datetime | None = None
    instead: VisitSlot | None = None
    is_shared: bool = False
    answer: str = ""


def full_day(local: datetime) -> str:
    """Return "Wednesday, December 30, 2026"."""
    return date_format(local, pgettext("day with weekday and year, PHP-style", "l, F j, Y"))


def full_moment(local: datetime) -> str:
    """Return "Wednesday, December 30, 2026, 12:45 pm (EST)"."""
    return f"{full_day(local)}, {_with_zone(local)}"


def short_day(local: datetime) -> str:
    """Return "Wed Dec 30"."""
    return date_format(local, pgettext("short day in a text message, PHP-style", "D M j"))


def short_time(local: datetime) -> str:
    """Return "12:45pm", which is how texts say it in every language here."""
    half = "am" if local.hour < NOON else "pm"
    return f"{local.hour % NOON or NOON}:{local.minute:02}{half}"


def short_deadline(local: datetime, *, with_zone: bool) -> str:
    """Return "Wed 12:45pm", or "Wed 12:45pm EST" where clocks differ."""
    zone = f" {local.tzname()}" if with_zone else ""
    return f"{date_format(local, 'D')} {short_time(local)}{zone}"


def told_from(visit: VisitSlot, other: VisitSlot) -> str:
    """Return what tells a visit from another in short: "Dec 30", or its time on the same day."""
    if visit.start.date() == other.start.date():
        return visit.short_time
    words = pgettext("short day without its weekday in a text message, PHP-style", "M j")
    return date_format(visit.start, words)


def _with_zone(local: datetime) -> str:
    return f"{clock(local)} ({local.tzname()})"
