"""What the desk's pages about the record system are asked and sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from emr.kinds import Why
from emr.models import EMRConnection
from emr.naming import LOCATION, PRACTITIONER
from providers.models import Clinic, Provider

OPEN, CLOSED = "open", "closed"
NEEDS, WAITING, ALL = "needs", "waiting", "all"
SENT, RECEIVED = "sent", "received"
SEEN_LENGTH = 200
FHIR_ID = r"^[A-Za-z0-9.\-]{1,64}$"


class ShownForm(forms.Form):
    """Which of a list: what is open, or what was done lately."""

    show = forms.ChoiceField(choices=[(OPEN, ""), (CLOSED, "")], required=False)

    @property
    def chosen(self) -> str:
        return self.cleaned_data["show"] or OPEN


class LogForm(forms.Form):
    """Which messages. `visit` narrows them to one visit's, in whatever state."""

    way = forms.ChoiceField(choices=[(SENT, ""), (RECEIVED, "")], required=False)
    state = forms.ChoiceField(
        label=_("Which"),
        required=False,
        choices=[
            (NEEDS, _("Need somebody")),
            (WAITING, _("On their way")),
            (ALL, _("All")),
        ],
    )
    connection = forms.ModelChoiceField(
        label=_("Record system"),
        queryset=EMRConnection.objects.none(),
        required=False,
        empty_label=_("All"),
    )
    visit = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, connections: Iterable[EMRConnection]) -> None:
        super().__init__(data)
        self.fields["connection"].queryset = connections  # type: ignore[attr-defined]

    @property
    def state_chosen(self) -> str:
        told = self.cleaned_data
        return told["state"] or (ALL if told["visit"] else NEEDS)


class AgainForm(forms.Form):
    """All messages of one connection that failed for one reason."""

    connection = forms.ModelChoiceField(queryset=EMRConnection.objects.none())
    why = forms.ChoiceField(choices=[(why.value, why.value) for why in Why if why])

    def __init__(self, data: Any, *, connections: Iterable[EMRConnection]) -> None:
        super().__init__(data)
        self.fields["connection"].queryset = connections  # type: ignore[attr-defined]


class SettleForm(forms.Form):
    """`seen` is the stamp of what the page showed, so that nobody settles what they did not see."""

    seen = forms.CharField(max_length=SEEN_LENGTH, widget=forms.HiddenInput)


class LinkForm(forms.Form):
    """Which of the candidates is the patient."""

    remote_id = forms.CharField(max_length=64, widget=forms.HiddenInput)


class NamesForm(forms.Form):
    """The other side's number of the clinic and of each provider; empty: not there."""

    def __init__(
        self,
        data: Any,
        *,
        clinic: Clinic,
        providers: Iterable[Provider],
        known: Mapping[str, Mapping[UUID, str]],
    ) -> None:
        super().__init__(data)
        self._rows: dict[str, tuple[str, UUID]] = {}
        self._add(LOCATION, clinic.pk, clinic.name, known)
        for provider in providers:
            self._add(PRACTITIONER, provider.pk, provider.name, known)

    def _add(
        self, kind: str, key: UUID, label: str, known: Mapping[str, Mapping[UUID, str]]
    ) -> None:
        name = f"{kind.lower()}-{key}"
        self._rows[name] = (kind, key)
        self.fields[name] = forms.RegexField(
            FHIR_ID,
            label=label,
            required=False,
            initial=known[kind].get(key, ""),
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            error_messages={"invalid": _("Use letters, digits, dots and dashes: at most 64.")},
        )

    def field_of(self, key: UUID) -> str:
        """Return the name of the field of one of our rows."""
        return next(name for name, (_kind, row) in self._rows.items() if row == key)

    def names_by_kind(self) -> dict[str, dict[UUID, str]]:
        """Return what was typed, by kind and our row."""
        told: dict[str, dict[UUID, str]] = {LOCATION: {}, PRACTITIONER: {}}
        for name, (kind, key) in self._rows.items():
            told[kind][key] = self.cleaned_data[name]
        return told
