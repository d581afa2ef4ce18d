"""Who a patient is and how they are reached, as the desk types it."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.contacts import parse_email, parse_phone, show_phone
from patients.models import Patient
from patients.registration import Details, stamp_of
from patients.search_terms import births, parse
from providers.models import InsurancePlan
from scheduling.templatetags.days import fulldate
from scheduling.visit_words import LANGUAGES, language_name

TEXTS = ("name_suffix", "address_line", "city", "state", "postal_code", "insurance_member_id")
KEPT_AS_TYPED = ("given_name", "family_name", "sex", "language", "needs_interpreter", *TEXTS)


class PatientForm(forms.Form):
    """One patient's details. `key` is of this one form; `next` is where to go on afterwards.

    `seen` tells which state of the record was read before it was changed.
    """

    use_required_attribute = False
    given_name = forms.CharField(label=gettext_lazy("First name"), max_length=80)
    family_name = forms.CharField(label=gettext_lazy("Last name"), max_length=80)
    dob = forms.CharField(
        label=gettext_lazy("Date of birth, month first"),
        max_length=40,
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"type": "email", "spellcheck": "false"}),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), initial="en")
    needs_interpreter = forms.BooleanField(
        label=gettext_lazy("Needs an interpreter"), required=False
    )
    insurance_plan = forms.ModelChoiceField(
        InsurancePlan.objects.all(),
        label=gettext_lazy("Insurance plan"),
        required=False,
        empty_label=gettext_lazy("Not known"),
    )
    insurance_member_id = forms.CharField(
        label=gettext_lazy("Member number"), max_length=40, required=False
    )
    name_suffix = forms.CharField(label=gettext_lazy("Suffix"), max_length=20, required=False)
    sex = forms.ChoiceField(
        label=gettext_lazy("Sex"), choices=Patient.Sex.choices, initial=Patient.Sex.UNKNOWN
    )
    address_line = forms.CharField(label=gettext_lazy("Address"), max_length=200, required=False)
    city = forms.CharField(label=gettext_lazy("City"), max_length=80, required=False)
    state = forms.CharField(label=gettext_lazy("State"), max_length=40, required=False)
    postal_code = forms.CharField(label=gettext_lazy("ZIP code"), max_length=12, required=False)
    key = forms.RegexField(
        r"\A[\w-]{20,64}\Z", widget=forms.HiddenInput, required=False, max_length=64
    )
    next = forms.CharField(widget=forms.HiddenInput, required=False, max_length=500)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        initial: dict[str, Any] | None = None,
        patient: Patient | None = None,
    ) -> None:
        super().__init__(data, initial=_on_file(patient) if patient else initial)
        self.fields["dob"].required = patient is None or patient.dob is not None
        tags = {*LANGUAGES, *([patient.language] if patient else [])}
        named = sorted((language_name(tag), tag) for tag in tags)
        self.fields["language"].choices = [(tag, name) for name, tag in named]  # type: ignore[attr-defined]
        for name in self.fields:
            self.fields[name].widget.attrs.setdefault("autocomplete", "off")

    def clean_dob(self) -> date | None:
        """Take the first reading, which is the US order; ask again where the century is open."""
        text = self.cleaned_data["dob"]
        if not text:
            return None
        today = timezone.localdate()
        meant = births(text, today=today)
        if not meant:
            raise ValidationError(_("Enter a real date of birth, for example 4/7/1961."))
        first = meant[0]
        if any((day.month, day.day) == (first.month, first.day) for day in meant[1:]):
            raise ValidationError(_("Enter the year of birth with four digits."))
        return first

    def clean_phone(self) -> str:
        self.cleaned_data["phone_is_textable"] = False
        if not self.cleaned_data["phone"]:
            return ""
        phone = parse_phone(self.cleaned_data["phone"])
        self.cleaned_data["phone_is_textable"] = phone.is_textable
        return phone.number

    def clean_email(self) -> str:
        text = self.cleaned_data["email"]
        return parse_email(text) if text else ""

    def details(self) -> Details:
        """Return what was typed, normalised; only of a valid form."""
        told = self.cleaned_data
        plan = told["insurance_plan"]
        named = {field.name for field in fields(Details)} & told.keys()
        return Details(
            **{name: told[name] for name in named},
            insurance_plan_id=plan.pk if plan else None,
        )

    def meet(self, patient: Patient) -> None:
        """Say beside each field what is on file by now, if not the same; sent again, it is meant.

        Only of a valid form.
        """
        typed, kept, shown = self.details(), Details.of(patient), _on_file(patient)
        self.add_error(None, _("Somebody changed this record meanwhile. Look at both, then save."))
        for name in (*KEPT_AS_TYPED, "dob", "phone", "email"):
            if getattr(typed, name) != getattr(kept, name):
                self.add_error(name, _("On file now: %(value)s") % {"value": shown[name] or "–"})
        if typed.insurance_plan_id != kept.insurance_plan_id:
            plan = patient.insurance_plan or "–"
            self.add_error("insurance_plan", _("On file now: %(value)s") % {"value": plan})
        self.data = {name: self.data[name] for name in self.data} | {"seen": stamp_of(patient)}


def _on_file(patient: Patient) -> dict[str, Any]:
    return {
        **{name: getattr(patient, name) for name in KEPT_AS_TYPED},
        "dob": fulldate(patient.dob) if patient.dob else "",
        "phone": show_phone(patient.phone),
        "email": patient.email,
        "insurance_plan": patient.insurance_plan_id,
        "seen": stamp_of(patient),
    }


def typed_so_far(text: str, *, today: date) -> dict[str, str]:
    """Return what a finder's text says of a new patient: "torres 4/7/61" → last name, birthday.

    One word is a last name; "Torres, Ana" puts it first.
    """
    reading = next(iter(parse(text, today=today)), None)
    if reading is None:
        return {}
    given, family = _names(reading.name)
    born = reading.births
    found = {
        "given_name": given,
        "family_name": family,
        "dob": f"{born[0].month}/{born[0].day}/{born[0].year}" if born else "",
        "phone": reading.digits if len(reading.digits) >= 7 else "",
    }
    return {name: value for name, value in found.items() if value}


def _names(text: str) -> tuple[str, str]:
    family, comma, given = text.partition(",")
    if not comma:
        given, _space, family = text.rpartition(" ")
    return _capitals(given.strip()), _capitals(family.strip(" ,"))


def _capitals(name: str) -> str:
    return name.title() if name.islower() else name
