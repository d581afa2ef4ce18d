"""What patients say they would take, should it come free; it travels in the address as well.

Knows which choices there are, not whether the clinic can ever meet them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from providers.models import Clinic, Provider, Specialty, VisitType, Weekday
from scheduling.forms.fields import DayField
from scheduling.forms.portal import Choices, DetailsForm, QuestionForm, with_note
from scheduling.models import Appointment, WaitlistEntry
from scheduling.presenters import clock
from scheduling.visit_facts import moment
from scheduling.waitlist.wishing import Wish
from scheduling.wishes import EVENING, NOON

ANY, KEPT, NEITHER = "any", "kept", "none"
CARE, PROVIDER = "care", "provider"
Hours = tuple[time | None, time | None]
PARTS: dict[str, Hours] = {
    ANY: (None, None),
    "morning": (None, NOON),
    "afternoon": (NOON, EVENING),
    "evening": (EVENING, None),
}
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOTICES = (2 * HOUR, DAY, 2 * DAY)
LATEST = timedelta(days=366)
FEW = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the questions are about, and what may be answered.

    `visits` are those of the patient that an earlier one could take the place of; `video` says
    whether a visit by video could stand in; `entry` is the place on the list that is changed.
    """

    clinic: Clinic
    kind: VisitType
    providers: Sequence[Provider]
    cares: Sequence[Specialty]
    visits: Sequence[Appointment] = ()
    video: bool = False
    entry: WaitlistEntry | None = None
    today: date

    @property
    def hours(self) -> Hours:
        """The times of day that the entry has now."""
        if self.entry is None:
            return None, None
        return self.entry.after_time, self.entry.before_time


class WishForm(QuestionForm):
    """Which days and times would do, with whom, and how soon somebody can come."""

    earliest = DayField(
        label=gettext_lazy("From which day on?"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Choose the first day that would do."),
            "invalid": gettext_lazy("Choose a day, for example 2026-06-09."),
        },
    )
    latest = DayField(
        label=gettext_lazy("Until which day?"),
        help_text=gettext_lazy("Leave it empty if you want to wait until you leave the list."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("Choose a day, for example 2026-06-09.")},
    )
    days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Which days of the week?"),
        help_text=gettext_lazy("Choose none if any day will do."),
        choices=[(day.value, WEEKDAYS[day.value]) for day in Weekday],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "weekdays"}),
        error_messages={"invalid_choice": gettext_lazy("Choose days of the week.")},
    )
    field_order = (
        "whom",
        "replaces",
        "earliest",
        "latest",
        "days",
        "part",
        "notice",
        "video",
    )

    def __init__(self, data: Any, *, asked: Asked, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={"earliest": asked.today, **(initial or {})})
        self.asked = asked
        self._ask_whom()
        self._ask_hours()
        self._ask_notice()
        if asked.visits:
            self._ask_about_visits()
        if asked.video:
            self._ask_about_video()
        self.order_fields(self.field_order)

    def _ask_whom(self) -> None:
        words = _("Any provider of %(care)s")
        anybody: Choices = [
            (f"{CARE}:{care.pk}", words % {"care": care.name}) for care in self.asked.cares
        ]
        named: Choices = [(f"{PROVIDER}:{one.pk}", one.name) for one in self.asked.providers]
        self.radio("whom", _("With whom?"), [*anybody, *named], missing=_("Choose with whom."))
        if len(anybody) + len(named) > FEW:
            none: Choices = [("", _("Choose with whom."))]
            self.fields["whom"].widget = forms.Select(choices=[*none, *anybody, *named])
        if len(anybody) == 1:  # of several kinds of care, none goes without saying
            self.initial.setdefault("whom", anybody[0][0])

    def _ask_hours(self) -> None:
        choices: Choices = [
            (ANY, _("Any time")),
            ("morning", with_note(_("Mornings"), _("It ends by noon"))),
            ("afternoon", with_note(_("Afternoons"), _("Between noon and 5 pm"))),
            ("evening", with_note(_("Evenings"), _("It begins at 5 pm or later"))),
        ]
        if self.asked.hours not in PARTS.values():
            choices.append((KEPT, _hours_in_words(*self.asked.hours)))
        missing = _("Choose a time of day.")
        self.radio("part", _("What time of day?"), choices, missing=missing)
        self.initial.setdefault("part", ANY)

    def _ask_notice(self) -> None:
        entry = self.asked.entry
        lengths = set(NOTICES)
        if entry is not None:
            lengths.add(entry.minimum_notice_minutes * MINUTE)
        choices: Choices = [(str(length // MINUTE), at_least(length)) for length in sorted(lengths)]
        missing = _("Choose how long before you need to know.")
        self.radio("notice", _("How long before do you need to know?"), choices, missing=missing)
        self.initial.setdefault("notice", choices[0][0])

    def _ask_about_visits(self) -> None:
        move = _("Move my visit of %(when)s to the earlier time")
        choices: Choices = [
            *((str(one.pk), move % {"when": moment(one)}) for one in self.asked.visits),
            (NEITHER, _("Keep all my visits, and book one more")),
        ]
        label = _("What about the visit that you have?")
        self.radio("replaces", label, choices, missing=_("Choose what becomes of your visit."))
        self.initial.setdefault("replaces", choices[0][0])

    def _ask_about_video(self) -> None:
        self.fields["video"] = forms.BooleanField(
            label=_("A visit by video would do too"), required=False
        )

    def clean_earliest(self) -> date:
        """A first day that has passed is today, but for an entry that has had it before."""
        day: date = self.cleaned_data["earliest"]
        entry = self.asked.entry
        if entry is not None and day == entry.earliest_desired_date:
            return day
        if day > self.asked.today + LATEST:
            raise ValidationError(_("Choose a day within a year."))
        return max(day, self.asked.today)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        first, last = told.get("earliest"), told.get("latest")
        if first and last and last < first:
            self.add_error("latest", _("This day is before the first one."))
        elif last and last < self.asked.today:
            self.add_error("latest", _("This day has passed."))
        elif last and last > self.asked.today + LATEST:
            self.add_error("latest", _("Choose a day within a year."))
        return told

    def wish(self) -> Wish:
        """Return what was chosen; only of a valid form."""
        told = self.cleaned_data
        kind, _colon, pk = told["whom"].partition(":")
        after, before = self.asked.hours if told["part"] == KEPT else PARTS[told["part"]]
        days = told["days"]
        entry = self.asked.entry
        return Wish(
            appointment_type=self.asked.kind,
            provider=_row(self.asked.providers, pk) if kind == PROVIDER else None,
            specialty=_row(self.asked.cares, pk) if kind == CARE else None,
            earliest=told["earliest"],
            latest=told["latest"],
            weekdays=() if len(days) == len(Weekday) else tuple(days),
            after=after,
            before=before,
            minimum_notice=int(told["notice"]) * MINUTE,
            telehealth_acceptable=told.get("video", False),
            urgency=entry.urgency if entry is not None else WaitlistEntry.Urgency.ROUTINE.value,
            replaces=_row(self.asked.visits, told.get("replaces", NEITHER)),
        )

    def params(self) -> list[tuple[str, str]]:
        """Return what was chosen as an address carries it; only of a valid form."""
        told = self.cleaned_data
        found = [(name, _written(told[name])) for name in self.fields if name != "days"]
        found += [("days", str(day)) for day in told["days"]]
        return [(name, value) for name, value in found if value]


class NewcomerForm(DetailsForm):
    """Who waits and how they are reached, of somebody whom the clinic does not know."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["reason"]


def _written(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return "on" if value is True else str(value or "")


def _row(rows: Sequence[Any], pk: str) -> Any:
    """Return the row of this id; None where there is none."""
    return next((row for row in rows if str(row.pk) == pk), None)


def at_least(length: timedelta) -> str:
    """Return "At least 2 hours", "At least 1 day"."""
    if length and length % DAY == timedelta(0):
        days = length // DAY
        return ngettext("At least %(n)d day", "At least %(n)d days", days) % {"n": days}
    if length and length % HOUR == timedelta(0):
        hours = length // HOUR
        return ngettext("At least %(n)d hour", "At least %(n)d hours", hours) % {"n": hours}
    minutes = length // MINUTE
    return ngettext("At least %(n)d minute", "At least %(n)d minutes", minutes) % {"n": minutes}


def _hours_in_words(after: time | None, before: time | None) -> str:
    """Return times of day that are no part of it, as the desk has noted them."""
    if after is None:
        return _("It ends by %(time)s") % {"time": _at(before)}
    if before is None:
        return _("It begins at %(time)s or later") % {"time": _at(after)}
    return _("Between %(start)s and %(end)s") % {"start": _at(after), "end": _at(before)}


def _at(wall: time | None) -> str:
    return clock(datetime.combine(date.min, wall or time.min))


def initial_of(entry: WaitlistEntry) -> dict[str, Any]:
    """Return an entry's choices as its form has them."""
    hours = (entry.after_time, entry.before_time)
    parts = {limits: name for name, limits in PARTS.items()}
    named = entry.provider_id is not None
    return {
        "whom": f"{PROVIDER}:{entry.provider_id}" if named else f"{CARE}:{entry.specialty_id}",
        "replaces": str(entry.replaces_id) if entry.replaces_id else NEITHER,
        "earliest": entry.earliest_desired_date,
        "latest": entry.latest_date,
        "days": entry.weekdays,
        "part": parts.get(hours, KEPT),
        "notice": str(entry.minimum_notice_minutes),
        "video": entry.telehealth_acceptable,
    }
