"""Patients as the set-up site may show them: that they are there, and nothing that they told us."""

from django.contrib import admin

from patients.models import Patient
from providers.admin.access import ReadOnlyAdmin


@admin.register(Patient)
class PatientAdmin(ReadOnlyAdmin):
    fields = (
        "id",
        "clinic",
        "language",
        "needs_interpreter",
        "primary_care_provider",
        "is_provisional",
        "merged_into",
        "created_at",
    )
    list_display = ("__str__", "clinic", "language", "needs_interpreter", "created_at")
    list_filter = ("language", "needs_interpreter", "is_provisional", "created_at")
    list_select_related = ("clinic",)
    ordering = ("-created_at",)
