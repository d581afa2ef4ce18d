"""What the day board is asked for: a day in the address, and a filter that is kept."""

from __future__ import annotations

from datetime import date

from django import forms
from django.http import Http404, HttpRequest

from patients.privacy.pages import PageRequest
from providers.models import Clinic, Specialty
from scheduling.forms.fields import DayField


class DayForm(forms.Form):
    day = DayField(required=False)


class FilterForm(DayForm):
    """Empty means every specialty."""

    specialty = forms.ModelChoiceField(Specialty.objects.all(), required=False)


class ClinicForm(DayForm):
    """A clinic among those at which the user may be."""

    def __init__(self, request: PageRequest) -> None:
        super().__init__(request.POST)
        self.fields["clinic"] = forms.ModelChoiceField(
            Clinic.objects.filter(pk__in=[clinic.pk for clinic in request.clinics])
        )


def asked_day(request: HttpRequest, *, otherwise: date) -> date:
    """Return the day in the address; raises Http404 for what is none."""
    form = DayForm(request.GET)
    if not form.is_valid():
        raise Http404
    return form.cleaned_data["day"] or otherwise
