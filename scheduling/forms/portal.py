"""The portal's questions, one form a page. What they mean is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from patients.contacts import parse_email, parse_phone
from patients.models import Patient
from patients.registration import Details
from providers.models import InsurancePlan, Provider, Specialty, VisitType
from scheduling.forms.birth import BirthField
from scheduling.visit_words import NOT_OFFERED, language_name, visit_name, visit_note
from scheduling.wishes import PARTS_OF_DAY, VIDEO, Wish

Choices = list[tuple[str, Any]]
ANY = ("", gettext_lazy("No preference"))
NONE_OF_THESE = "none"
YEARS = range(2000, 2200)  # beyond them, adding days may leave the calendar
SLOT_FORMAT = "%Y%m%dT%H%MZ"


class QuestionForm(forms.Form):
    """Questions whose errors the page itself tells, not the browser's own bubbles."""

    use_required_attribute = False

    def radio(self, name: str, label: str, choices: Choices, *, missing: str) -> None:
        """Ask for one of some choices; the first to be asked first."""
        self.fields[name] = forms.ChoiceField(
            label=label,
            choices=choices,
            widget=forms.RadioSelect,
            error_messages={"required": missing, "invalid_choice": missing},
        )


def with_note(words: str, note: str) -> str:
    """Return a choice's label with a quieter line under it."""
    return format_html('{}<span class="caption">{}</span>', words, note) if note else words


class WhoForm(QuestionForm):
    """Who is to be seen, and whether for the first time."""

    def __init__(self, data: Any, *, wish: Wish, records: Iterable[Patient]) -> None:
        super().__init__(data, initial=wish.params)
        own: Choices = [(str(record.pk), record.full_name) for record in records]
        myself: Choices = own or [("me", _("Me"))]
        self.radio(
            "who",
            _("The appointment is for"),
            [*myself, ("other", with_note(_("Someone else"), _("For example my child or parent")))],
            missing=_("Choose who needs the appointment."),
        )
        self.radio(
            "first",
            _("Is this the first visit to %(clinic)s?") % {"clinic": wish.clinic.name},
            [("yes", _("Yes, the first visit")), ("no", _("No, we have been there before"))],
            missing=_("Choose whether this is the first visit."),
        )


class VisitForm(QuestionForm):
    """What the visit is for, and which kind of care where a clinic has several."""

    def __init__(
        self,
        data: Any,
        *,
        wish: Wish,
        types: Iterable[VisitType],
        cares: Sequence[Specialty],
    ) -> None:
        super().__init__(data, initial={"care": "", **wish.params})
        hidden = NOT_OFFERED.get(wish.params.get("first", ""), set())
        self.radio(
            "type",
            _("What is the visit for?"),
            [
                (kind.code, with_note(visit_name(kind), visit_note(kind)))
                for kind in types
                if kind.code not in hidden
            ],
            missing=_("Choose what the visit is for."),
        )
        if len(cares) > 1:
            choices: Choices = [(str(care.pk), care.name) for care in cares]
            self.radio("care", _("Which kind of care?"), choices, missing="")
            self.fields["care"].required = False
            self.fields["care"].choices = [*choices, ("", _("I am not sure"))]  # type: ignore[attr-defined]


class PreferencesForm(QuestionForm):
    """What would suit best. Everything may be left open."""

    def __init__(
        self,
        data: Any,
        *,
        wish: Wish,
        providers: Sequence[Provider],
        plans: Iterable[InsurancePlan],
        video_possible: bool,
    ) -> None:
        super().__init__(data, initial=wish.params)
        if video_possible and wish.kind is not None and not wish.kind.is_telehealth:
            here, video = ("", _("At the clinic")), (VIDEO, _("By video, from home"))
            self.wide("place", _("Where?"), [here, video])
        parts = dict(zip(PARTS_OF_DAY, (_("Morning"), _("Afternoon"), _("Evening")), strict=True))
        self.wide("time", _("Time of day"), [ANY, *parts.items()])
        self.narrow("provider", _("Provider"), [(str(p.pk), p.name) for p in providers])
        tags = sorted({tag for provider in providers for tag in provider.languages})
        self.narrow("language", _("Language"), [(tag, language_name(tag)) for tag in tags])
        self.narrow("plan", _("Insurance plan"), [(str(plan.pk), str(plan)) for plan in plans])

    def wide(self, name: str, label: str, choices: Choices) -> None:
        self.fields[name] = forms.ChoiceField(
            label=label, choices=choices, widget=forms.RadioSelect, required=False
        )

    def narrow(self, name: str, label: str, choices: Choices) -> None:
        if choices:
            self.fields[name] = forms.ChoiceField(
                label=label, choices=[ANY, *choices], required=False
            )


class DayForm(QuestionForm):
    """One of the days that were shown."""

    day = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={
            "required": gettext_lazy("Choose a day."),
            "invalid": gettext_lazy("Choose one of these days."),
        },
    )


class SlotForm(QuestionForm):
    """One time of one provider, as `20260609T1930Z.<provider>`."""

    slot = forms.RegexField(
        r"\A\d{8}T\d{4}Z\.[0-9a-f-]{36}\Z",
        error_messages={
            "required": gettext_lazy("Choose a time."),
            "invalid": gettext_lazy("Choose one of these times."),
        },
    )

    def clean_slot(self) -> tuple[datetime, UUID]:
        """Return the instant and the provider's id."""
        when, _dot, provider = self.cleaned_data["slot"].partition(".")
        try:
            start, pk = datetime.strptime(f"{when}+0000", f"{SLOT_FORMAT}%z"), UUID(provider)
        except ValueError as error:
            raise ValidationError(_("Choose one of these times.")) from error
        if start.year not in YEARS:
            raise ValidationError(_("Choose one of these times."))
        return start, pk


def slot_value(start: datetime, provider: Provider) -> str:
    """Return what a SlotForm reads; `start` is in UTC."""
    return f"{start:{SLOT_FORMAT}}.{provider.pk}"


class ReasonForm(QuestionForm):
    """All that is left to ask of somebody whose record we have."""

    reason = forms.CharField(
        label=gettext_lazy("Reason for the visit"),
        help_text=gettext_lazy("A few words help us prepare. Only the clinic sees them."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )


class DetailsForm(ReasonForm):
    """Who comes and how they are reached, as they type it."""

    field_order = ("given_name", "family_name", "dob", "email", "phone", "reason")
    given_name = forms.CharField(label=gettext_lazy("First name"), max_length=80)
    family_name = forms.CharField(label=gettext_lazy("Last name"), max_length=80)
    dob = BirthField(label=gettext_lazy("Date of birth"))
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        help_text=gettext_lazy("Use one that you can read now: we send a code to it."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter an e-mail address.")},
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        help_text=gettext_lazy(
            "We may call or text this number about your visits. Answer a text with STOP, and we"
            " send no more texts."
        ),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        error_messages={"required": gettext_lazy("Enter a phone number.")},
    )

    def __init__(self, *args: Any, for_me: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["given_name"].error_messages["required"] = _("Enter the first name.")
        self.fields["family_name"].error_messages["required"] = _("Enter the last name.")
        if for_me:
            self._let_the_browser_fill_in()
        else:
            self.fields["email"].label = _("Your e-mail")
            self.fields["phone"].label = _("Your phone")

    def _let_the_browser_fill_in(self) -> None:
        for name, token in (("given_name", "given-name"), ("family_name", "family-name")):
            self.fields[name].widget.attrs["autocomplete"] = token
        boxes = self.fields["dob"].widget.widgets
        for box, token in zip(boxes, ("bday-month", "bday-day", "bday-year"), strict=True):
            box.attrs["autocomplete"] = token

    def clean_email(self) -> str:
        return parse_email(self.cleaned_data["email"])

    def clean_phone(self) -> str:
        parsed = parse_phone(self.cleaned_data["phone"])
        self.cleaned_data["phone_is_textable"] = parsed.is_textable
        return parsed.number

    def details(self) -> Details:
        """Return what was typed, normalised; only of a valid form."""
        told = self.cleaned_data
        return Details(
            given_name=told["given_name"],
            family_name=told["family_name"],
            dob=told["dob"],
            email=told["email"],
            phone=told["phone"],
            phone_is_textable=told["phone_is_textable"],
            language=get_language() or "en",
        )


class CodeForm(QuestionForm):
    """The code from the e-mail; spaces and dashes do not count."""

    code = forms.CharField(
        label=gettext_lazy("Code from the e-mail"),
        help_text=gettext_lazy("8 digits. Spaces do not matter, and you may paste it."),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": gettext_lazy("Enter the code from the e-mail.")},
    )
