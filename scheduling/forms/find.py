"""What the desk asks for: a patient by a few letters, or the next free time by what it must be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.models import (
    Clinic,
    InsurancePlan,
    Provider,
    Specialty,
    VisitType,
    Weekday,
)
from scheduling.availability import Query
from scheduling.forms.fields import DayField, InstantField, PlaceField, RowField
from scheduling.visit_words import language_name
from scheduling.wishes import PARTS_OF_DAY

LOOKED_AHEAD = timedelta(days=366)
USUAL = "FOLLOW_UP"
ANY = gettext_lazy("Any")
PARTS = {
    "morning": gettext_lazy("Mornings"),
    "afternoon": gettext_lazy("Afternoons"),
    "evening": gettext_lazy("Evenings"),
}


class FinderForm(forms.Form):
    """Part of a name, a date of birth, a phone or a reference."""

    q = forms.CharField(max_length=100, required=False)


class NextAvailableForm(forms.Form):
    """The caller's constraints, each of which may stay open. Days are on the clinic's calendar."""

    use_required_attribute = False
    type = RowField(label=gettext_lazy("Visit"), required=False, empty_value=None)
    day = DayField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    specialty = forms.ModelChoiceField(
        Specialty.objects.all(), label=gettext_lazy("Specialty"), required=False, empty_label=ANY
    )
    provider = RowField(label=gettext_lazy("Provider"), required=False, empty_value=None)
    clinic = forms.ModelChoiceField(
        Clinic.objects.none(), label=gettext_lazy("Clinic"), required=False, empty_label=ANY
    )
    part = forms.ChoiceField(
        label=gettext_lazy("Time of day"), choices=[("", ANY), *PARTS.items()], required=False
    )
    language = forms.ChoiceField(label=gettext_lazy("Speaks"), required=False)
    plan = forms.ModelChoiceField(
        InsurancePlan.objects.all(),
        label=gettext_lazy("Insurance plan"),
        required=False,
        empty_label=ANY,
    )
    not_on = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Not on"),
        choices=[(day.value, WEEKDAYS_ABBR[day.value]) for day in Weekday],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "in-a-row"}),
    )
    video = forms.BooleanField(label=gettext_lazy("By video"), required=False)
    new = forms.BooleanField(label=gettext_lazy("Takes new patients"), required=False)
    after = PlaceField(label=gettext_lazy("Later times"), required=False, widget=forms.HiddenInput)
    patient = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, *, clinics: Sequence[Clinic]) -> None:
        asked = data.copy()
        self.clinics = clinics
        self.kinds = list(VisitType.objects.all())
        usual = usual_type(self.kinds)
        if usual is not None and not data.get("type"):
            asked["type"] = usual.code
        super().__init__(asked)
        offered = list(providers_of(clinics))
        self.fields["type"].offer(self.kinds, key="code")  # type: ignore[attr-defined]
        self.fields["provider"].offer(offered, any_label=ANY)  # type: ignore[attr-defined]
        self.fields["clinic"].queryset = Clinic.objects.filter(pk__in=[c.pk for c in clinics])  # type: ignore[attr-defined]
        if len(clinics) == 1:
            del self.fields["clinic"]
        tags = sorted({tag for provider in offered for tag in provider.languages})
        self.fields["language"].choices = [("", ANY), *((t, language_name(t)) for t in tags)]  # type: ignore[attr-defined]

    def clean_not_on(self) -> frozenset[int]:
        days = frozenset(self.cleaned_data["not_on"])
        if len(days) == len(Weekday):
            raise ValidationError(_("Leave at least one day of the week."))
        return days

    def query(self, *, today: date) -> Query | None:
        """Return what is looked for, from `today` on at the earliest; only of a valid form.

        None while the clinic offers no type of visit.
        """
        told = self.cleaned_data
        kind = told["type"]
        if kind is None:
            return None
        chosen = told.get("clinic")
        clinics = tuple(c for c in self.clinics if chosen is None or c.pk == chosen.pk)
        first = max(told["day"] or today, today)
        not_before, not_after = part_of_day(told["part"])
        return Query(
            visit_type=kind,
            first_day=first,
            last_day=first + LOOKED_AHEAD,
            clinics=clinics,
            provider=told["provider"],
            specialty=told["specialty"],
            insurance_plan=told["plan"],
            language=told["language"],
            telehealth=told["video"],
            new_patient=told["new"],
            weekdays=frozenset(Weekday) - told["not_on"] if told["not_on"] else frozenset(),
            not_before=not_before,
            not_after=not_after,
        )


class BannerForm(forms.Form):
    """Whose page the banner of a kept time stands on."""

    patient = forms.UUIDField(required=False)


class KeepForm(forms.Form):
    """One free time, as a row of the results names it."""

    start = InstantField()
    provider = forms.ModelChoiceField(Provider.objects.none())
    clinic = forms.ModelChoiceField(Clinic.objects.none())
    type = forms.ModelChoiceField(VisitType.objects.all(), to_field_name="code")
    patient = forms.UUIDField(required=False)

    def __init__(self, *args: Any, clinics: Iterable[Clinic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ids = [clinic.pk for clinic in clinics]
        self.fields["clinic"].queryset = Clinic.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
        self.fields["provider"].queryset = providers_of(clinics)  # type: ignore[attr-defined]


def providers_of(clinics: Iterable[Clinic]) -> QuerySet[Provider]:
    """Return the bookable providers with hours at one of these clinics, by name."""
    return (
        Provider.objects.bookable()
        .filter(schedules__clinic__in=list(clinics), schedules__is_active=True)
        .select_related("specialty")
        .distinct()
        .order_by("name")
    )


def usual_type(kinds: Sequence[VisitType]) -> VisitType | None:
    """Return the visit that is asked for most, where nothing was chosen."""
    return next((kind for kind in kinds if kind.code == USUAL), kinds[0] if kinds else None)


def part_of_day(name: str) -> tuple[time | None, time | None]:
    return PARTS_OF_DAY.get(name, (None, None))
