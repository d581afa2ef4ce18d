"""Clinics with their closures and staff, and providers with their hours and time off."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.validators import URLValidator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from providers.admin.access import ScopedTabularInline
from providers.admin.forms import RoleForm
from providers.admin.hours import ClosureInline, ScheduleInline, TimeOffInline
from providers.admin.verbs import HoursAdmin
from providers.models import Clinic, Membership, Provider


class StaffInline(ScopedTabularInline):
    """Who works at a clinic; a manager's own roles are out of the own reach."""

    model = Membership
    form = RoleForm
    fields = ("user", "role", "is_active")
    is_removable = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows = super().get_queryset(request).select_related("user")
        return rows if request.user.is_superuser else rows.exclude(user=request.user.pk)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "user" and not request.user.is_superuser:
            field.queryset = field.queryset.exclude(pk=request.user.pk)
        return field


@admin.register(Clinic)
class ClinicAdmin(HoursAdmin):
    clinic_path = "pk"
    list_display = ("name", "time_zone", "phone", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "slug", "address")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (ClosureInline, StaffInline)
    fieldsets = (
        (None, {"fields": ("name", "slug", "is_active", "time_zone")}),
        (_("How to reach it"), {"fields": ("address", "phone", "sms_name", "telehealth_base_url")}),
        (_("Booking"), {"fields": ("patient_cutoff_hours",)}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "telehealth_base_url":
            kwargs |= {"assume_scheme": "https", "validators": [URLValidator(schemes=["https"])]}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(getattr(request.user, "is_superuser", False))


@admin.register(Provider)
class ProviderAdmin(HoursAdmin):
    list_display = (
        "name",
        "specialty",
        "clinic",
        "npi_number",
        "spoken",
        "offers_telehealth",
        "is_active",
    )
    list_filter = ("is_active", "specialty", "offers_telehealth", "accepts_new_patients")
    list_select_related = ("specialty", "clinic")
    search_fields = ("name", "npi_number", "specialty__name")
    filter_horizontal = ("insurance_plans",)
    inlines = (ScheduleInline, TimeOffInline)
    fieldsets = (
        (None, {"fields": ("name", "user", "clinic", "is_active")}),
        (_("Profession"), {"fields": ("specialty", "npi_number", "languages")}),
        (
            _("Patients"),
            {"fields": ("accepts_new_patients", "offers_telehealth", "insurance_plans")},
        ),
    )

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> Any:
        """Let nobody but a superuser take over a colleague's patients by becoming that provider."""
        form = super().get_form(request, obj, change=change, **kwargs)
        field: Any = form.base_fields.get("user")
        is_own = obj is not None and obj.user_id == request.user.pk
        if field is not None and not is_own and not request.user.is_superuser:
            field.queryset = field.queryset.exclude(pk=request.user.pk)
        return form

    @admin.display(description=_("languages"))
    def spoken(self, row: Provider) -> str:
        return ", ".join(row.languages)
