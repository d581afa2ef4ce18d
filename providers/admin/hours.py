"""Hours and absences as lists of their own, across the providers of the managed clinics."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from providers.admin.access import ScopedTabularInline
from providers.admin.forms import ClosureForm, ScheduleFormSet, TimeOffForm
from providers.admin.verbs import HoursAdmin
from providers.models import Clinic, ClinicClosure, ProviderSchedule, TimeOff

WINDOW = (
    "clinic",
    "day_of_week",
    "start_time",
    "end_time",
    "slot_duration_minutes",
    "valid_from",
    "valid_until",
    "visit_types",
    "is_active",
)


def wall(when: datetime, clinic: Clinic) -> str:
    """Return an instant as the clinic's clocks show it, with the year."""
    return date_format(when.astimezone(clinic.zone), "SHORT_DATETIME_FORMAT")


class ScheduleInline(ScopedTabularInline):
    model = ProviderSchedule
    formset = ScheduleFormSet
    fields = WINDOW


class TimeOffInline(ScopedTabularInline):
    clinic_path = "provider__clinic"
    model = TimeOff
    form = TimeOffForm
    fields = ("start_datetime", "end_datetime", "reason")
    ordering = ("-start_datetime",)


class ClosureInline(ScopedTabularInline):
    model = ClinicClosure
    form = ClosureForm
    fields = ("label", "start_datetime", "end_datetime")
    ordering = ("-start_datetime",)


@admin.register(ProviderSchedule)
class ScheduleAdmin(HoursAdmin):
    is_removable = True
    fields = ("provider", *WINDOW)
    list_display = (
        "provider",
        "clinic",
        "day_of_week",
        "start_time",
        "end_time",
        "slot_duration_minutes",
        "valid_from",
        "valid_until",
        "is_active",
    )
    list_filter = ("day_of_week", "is_active", "provider__specialty")
    list_select_related = ("provider", "clinic")
    search_fields = ("provider__name",)
    ordering = ("provider__name", "day_of_week", "start_time")


@admin.register(TimeOff)
class TimeOffAdmin(HoursAdmin):
    clinic_path = "provider__clinic"
    is_removable = True
    form = TimeOffForm
    list_display = ("provider", "reason", "begins", "ends")
    list_filter = ("reason", "start_datetime")
    list_select_related = ("provider__clinic",)
    search_fields = ("provider__name",)
    ordering = ("-start_datetime",)

    @admin.display(description=_("begins"), ordering="start_datetime")
    def begins(self, row: TimeOff) -> str:
        return wall(row.start_datetime, row.provider.clinic)

    @admin.display(description=_("ends"), ordering="end_datetime")
    def ends(self, row: TimeOff) -> str:
        return wall(row.end_datetime, row.provider.clinic)


@admin.register(ClinicClosure)
class ClosureAdmin(HoursAdmin):
    is_removable = True
    form = ClosureForm
    list_display = ("label", "clinic", "begins", "ends")
    list_filter = ("start_datetime",)
    list_select_related = ("clinic",)
    search_fields = ("label", "clinic__name")
    ordering = ("-start_datetime",)

    @admin.display(description=_("begins"), ordering="start_datetime")
    def begins(self, row: ClinicClosure) -> str:
        return wall(row.start_datetime, row.clinic)

    @admin.display(description=_("ends"), ordering="end_datetime")
    def ends(self, row: ClinicClosure) -> str:
        return wall(row.end_datetime, row.clinic)
