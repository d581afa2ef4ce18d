"""What the desk asks of who is to wait, and which gaps and people its lists show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.privacy.pages import StaffRequest
from providers.models import Clinic, Provider, Specialty, VisitType, Weekday
from scheduling.forms.fields import DayField, InstantField, RowField
from scheduling.forms.find import ANY, PARTS, providers_of, usual_type
from scheduling.models import Appointment, WaitlistEntry
from scheduling.presenters import minutes_in_words
from scheduling.waitlist.wishing import Wish

MINUTE = timedelta(minutes=1)
NOTICES = (60, 120, 240, 720, 1_440, 2_880, 10_080)  # minutes
USUAL_NOTICE = 120
MINUTES_OF_DAY = 1_440
NOON, EVENING = time(12), time(17)
WITHIN: dict[str, tuple[time | None, time | None]] = {
    "morning": (None, NOON),
    "afternoon": (NOON, EVENING),
    "evening": (EVENING, None),
}
Urgency = WaitlistEntry.Urgency


def notice_words(minutes: int) -> str:
    """Return how long before a visit somebody wants to know of it: "2 h", "1 day"."""
    days, rest = divmod(minutes, MINUTES_OF_DAY)
    if days and not rest:
        return _("1 day") if days == 1 else _("%(days)d days") % {"days": days}
    return minutes_in_words(minutes)


def whom_value(whom: Provider | Specialty | None) -> str:
    """Return how a form names a provider, or anybody of a specialty."""
    return "" if whom is None else f"{type(whom).__name__.lower()}:{whom.pk}"


def _offered_at(clinic: Clinic) -> tuple[list[Provider], list[Specialty]]:
    """Return who can be waited for, and their specialties, both by name."""
    providers = list(providers_of([clinic]))
    specialties = {one.specialty for one in providers if one.specialty}
    return providers, sorted(specialties, key=str)


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _clock() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class WishForm(forms.Form):
    """What a patient would take, told by staff. Days and times are on the clinic's calendar."""

    use_required_attribute = False
    type = RowField(label=gettext_lazy("Visit"))
    whom = forms.TypedChoiceField(label=gettext_lazy("With"))
    earliest = DayField(label=gettext_lazy("From"), widget=_day())
    latest = DayField(label=gettext_lazy("Until"), required=False, widget=_day())
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Days"),
        choices=[(day.value, WEEKDAYS_ABBR[day.value]) for day in Weekday],
        coerce=int,
        required=False,
        help_text=gettext_lazy("None chosen means any day."),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "in-a-row"}),
    )
    after = forms.TimeField(label=gettext_lazy("Not before"), required=False, widget=_clock())
    before = forms.TimeField(label=gettext_lazy("Over by"), required=False, widget=_clock())
    notice = forms.TypedChoiceField(label=gettext_lazy("Needs to know ahead"), coerce=int)
    video = forms.BooleanField(label=gettext_lazy("By video is fine too"), required=False)
    urgency = forms.ChoiceField(
        label=gettext_lazy("How urgent"),
        choices=Urgency.choices,
        widget=forms.RadioSelect(attrs={"class": "in-a-row"}),
    )

    def __init__(
        self, *args: Any, clinic: Clinic, today: date, notice: int = USUAL_NOTICE, **kwargs: Any
    ) -> None:
        """`notice` is what the entry says so far, in minutes: it can always be chosen."""
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["type"].offer(list(VisitType.objects.all()), key="code")  # type: ignore[attr-defined]
        people, specialties = _offered_at(clinic)
        known: dict[str, Provider | Specialty] = {whom_value(one): one for one in people}
        known |= {whom_value(one): one for one in specialties}
        self.fields["whom"].choices = [  # type: ignore[attr-defined]
            (_("One provider"), [(whom_value(one), str(one)) for one in people]),
            (_("Anybody of a specialty"), [(whom_value(one), str(one)) for one in specialties]),
        ]
        self.fields["whom"].coerce = known.__getitem__  # type: ignore[attr-defined]
        minutes = sorted({*NOTICES, notice})
        self.fields["notice"].choices = [(m, notice_words(m)) for m in minutes]  # type: ignore[attr-defined]

    def clean_latest(self) -> date | None:
        latest: date | None = self.cleaned_data["latest"]
        if latest is not None and latest < self.today:
            raise forms.ValidationError(_("This day has passed."))
        return latest

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        first, last = told.get("earliest"), told.get("latest")
        if first and last and last < first:
            self.add_error("latest", _("The last day comes before the first."))
        after, before = told.get("after"), told.get("before")
        if after and before and before <= after:
            self.add_error("before", _("This is before the first time."))
        return told

    def wish(self, *, replaces: Appointment | None) -> Wish:
        """Return what was told; only of a valid form."""
        told, whom = self.cleaned_data, self.cleaned_data["whom"]
        return Wish(
            appointment_type=told["type"],
            provider=whom if isinstance(whom, Provider) else None,
            specialty=whom if isinstance(whom, Specialty) else None,
            earliest=told["earliest"],
            latest=told["latest"],
            weekdays=sorted(told["weekdays"]),
            after=told["after"],
            before=told["before"],
            minimum_notice=told["notice"] * MINUTE,
            telehealth_acceptable=told["video"],
            urgency=told["urgency"],
            replaces=replaces,
        )


def told_by(entry: WaitlistEntry) -> dict[str, Any]:
    """Return what a form shows of an entry."""
    return {
        "type": entry.appointment_type.code,
        "whom": whom_value(entry.provider or entry.specialty),
        "earliest": entry.earliest_desired_date,
        "latest": entry.latest_date,
        "weekdays": entry.weekdays,
        "after": entry.after_time,
        "before": entry.before_time,
        "notice": entry.minimum_notice_minutes,
        "video": entry.telehealth_acceptable,
        "urgency": entry.urgency,
    }


class FirstGuessForm(forms.Form):
    """What an address knows already: a search that found nothing, or the visit to be sooner than.

    What cannot be is left out, as the form that follows asks for all of it.
    """

    type = forms.ModelChoiceField(VisitType.objects.all(), to_field_name="code", required=False)
    provider = forms.ModelChoiceField(Provider.objects.bookable(), required=False)
    specialty = forms.ModelChoiceField(Specialty.objects.all(), required=False)
    day = DayField(required=False)
    part = forms.ChoiceField(choices=[("", ANY), *PARTS.items()], required=False)
    not_on = forms.TypedMultipleChoiceField(
        choices=[(day.value, day.value) for day in Weekday], coerce=int, required=False
    )
    video = forms.BooleanField(required=False)

    def first_answers(self, *, visit: Appointment | None, today: date) -> dict[str, Any]:
        """Return the first answers of a WishForm; a `visit` decides with whom and for what."""
        self.is_valid()
        told = self.cleaned_data
        after, before = WITHIN.get(told.get("part", ""), (None, None))
        off = set(told.get("not_on") or ())
        kind = visit.appointment_type if visit else told.get("type")
        kind = kind or usual_type(list(VisitType.objects.all()))
        whom = visit.provider if visit else told.get("provider") or told.get("specialty")
        return {
            "type": kind.code if kind else None,
            "whom": whom_value(whom),
            "earliest": max(told.get("day") or today, today),
            "weekdays": sorted(set(Weekday) - off) if off else [],
            "after": after,
            "before": before,
            "notice": USUAL_NOTICE,
            "video": bool(told.get("video")),
            "urgency": Urgency.ROUTINE.value,
        }


class ReplacesForm(forms.Form):
    """The visit that a sooner one takes the place of: one of this patient's that is to come."""

    replaces = forms.ModelChoiceField(Appointment.objects.none(), required=False)

    def __init__(self, data: Any, *, visits: Any) -> None:
        super().__init__(data)
        self.fields["replaces"].queryset = visits  # type: ignore[attr-defined]


class WhoForm(forms.Form):
    """Which of those who wait are shown; all that is not set stays open."""

    use_required_attribute = False
    provider = RowField(label=gettext_lazy("Provider"), required=False, empty_value=None)
    specialty = RowField(label=gettext_lazy("Specialty"), required=False, empty_value=None)
    type = RowField(label=gettext_lazy("Visit"), required=False, empty_value=None)
    urgency = forms.ChoiceField(
        label=gettext_lazy("How urgent"), choices=[("", ANY), *Urgency.choices], required=False
    )

    def __init__(self, data: Any, *, clinic: Clinic) -> None:
        super().__init__(data)
        offered: tuple[Sequence[Any], Sequence[Any]] = _offered_at(clinic)
        for name, rows in zip(("provider", "specialty"), offered, strict=True):
            self.fields[name].offer(rows, any_label=ANY)  # type: ignore[attr-defined]
        kinds = list(VisitType.objects.all())
        self.fields["type"].offer(kinds, key="code", any_label=ANY)  # type: ignore[attr-defined]


class EntryForm(forms.Form):
    """Whom a gap is offered to, by phone."""

    entry = forms.UUIDField()


class CellForm(forms.Form):
    """A free time of the board that is to be offered to the waitlist."""

    provider = forms.ModelChoiceField(Provider.objects.bookable())
    start = InstantField()
    clinic = forms.UUIDField(required=False)

    def __init__(self, request: StaffRequest) -> None:
        super().__init__(request.POST)
        self.request = request

    def clean_clinic(self) -> Clinic:
        wanted = self.cleaned_data["clinic"]
        for clinic in self.request.clinics:
            if wanted in {None, clinic.pk} and (wanted or clinic == self.request.clinic):
                return clinic
        raise forms.ValidationError("", code="invalid")
