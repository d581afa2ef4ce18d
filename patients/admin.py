"""Patients as the set-up site may show them: that they are there, and nothing that they told us."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.http import HttpRequest

from patients import looks
from patients.models import Patient
from providers.admin.access import RoleBoundAdmin


class NotedList(ChangeList):
    """A list whose rows are reported to the record of looks."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        looks.note_patients(row.about_patient for row in self.result_list)


class PatientsAdmin(RoleBoundAdmin):
    """A page of rows that are each about a patient: who is shown is written down."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NotedList

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        found: Model | None = super().get_object(request, object_id, from_field)
        if found is not None:
            looks.note_patients([found.about_patient])  # type: ignore[attr-defined]
        return found


@admin.register(Patient)
class PatientAdmin(PatientsAdmin):
    permission = "view_patients"
    fields = ("id", "clinic", "is_provisional", "merged_into", "created_at")
    list_display = ("__str__", "clinic", "is_provisional", "created_at")
    list_filter = ("is_provisional", "created_at")
    list_select_related = ("clinic",)
    ordering = ("-created_at",)
