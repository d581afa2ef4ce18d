"""Where a visit would stand: what the desk's addresses say of provider, start, patient and type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.urls import reverse

from patients.models import Patient
from patients.privacy.pages import StaffRequest
from providers.models import Clinic, Provider, VisitType
from scheduling.forms.fields import InstantField
from scheduling.models import SlotHold


@dataclass(frozen=True, slots=True)
class Asked:
    """A time somebody wants, and for whom as far as known; not checked against the diary.

    `start` is in UTC.
    """

    clinic: Clinic
    provider: Provider
    start: datetime
    patient: Patient | None = None
    visit_type: VisitType | None = None
    hold: SlotHold | None = None

    @property
    def local_start(self) -> datetime:
        return self.start.astimezone(self.clinic.zone)

    @property
    def whom(self) -> Patient:
        """The patient, on pages that are reached only once one is known."""
        if self.patient is None:
            raise LookupError("no patient has been chosen yet")
        return self.patient

    def address(self, name: str = "desk:book", **more: Any) -> str:
        """Return the address of a page that asks on from here; ids only, no PHI."""
        known = {
            "provider": self.provider.pk,
            "start": self.start.isoformat(),
            "clinic": self.clinic.pk,
            "patient": self.patient and self.patient.pk,
            "type": self.visit_type and self.visit_type.code,
            "hold": self.hold and self.hold.pk,
        }
        query = {key: value for key, value in {**known, **more}.items() if value}
        return f"{reverse(name)}?{urlencode(query)}"


class PlaceForm(forms.Form):
    """The query string. Whatever the user may not see is as wrong as what does not exist."""

    provider = forms.ModelChoiceField(
        Provider.objects.bookable().select_related("specialty"), required=False
    )
    start = InstantField(required=False)
    type = forms.ModelChoiceField(VisitType.objects.all(), to_field_name="code", required=False)
    hold = forms.UUIDField(required=False)
    clinic = forms.UUIDField(required=False)
    patient = forms.ModelChoiceField(Patient.objects.none(), required=False)

    def __init__(self, request: StaffRequest) -> None:
        super().__init__(request.GET)
        self.request = request
        seen = Patient.objects.visible_to(request.user).filter(merged_into=None)
        here = seen.filter(clinic__in=request.clinics)
        self.fields["patient"].queryset = here  # type: ignore[attr-defined]

    def clean_clinic(self) -> Clinic:
        wanted: UUID | None = self.cleaned_data["clinic"]
        if wanted is None:
            return self.request.clinic
        for clinic in self.request.clinics:
            if clinic.pk == wanted:
                return clinic
        raise forms.ValidationError("", code="invalid")

    def asked(self, hold: SlotHold | None) -> Asked | None:
        """Return the time asked for, if there is one; a kept time decides over the rest."""
        told = self.cleaned_data
        if hold is not None:
            return Asked(
                clinic=hold.clinic,
                provider=hold.provider,
                start=hold.visit_start,
                patient=told["patient"] or hold.patient,
                visit_type=hold.visit_type,
                hold=hold,
            )
        if told["provider"] is None or told["start"] is None:
            return None
        return Asked(
            clinic=told["clinic"],
            provider=told["provider"],
            start=told["start"],
            patient=told["patient"],
            visit_type=told["type"],
        )
