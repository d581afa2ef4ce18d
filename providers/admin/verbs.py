"""Saves hours, time off, closures, clinics and providers through the verbs that bump calendars.

What such a change means for visits is not known here: whoever does listens to `hours_changed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.dispatch import Signal
from django.http import HttpRequest

from providers import hours
from providers.admin.access import ScopedAdmin
from providers.models import Clinic, ClinicClosure, Provider, ProviderSchedule, TimeOff

SAVE: dict[type[Model], Callable[[Any], Any]] = {
    Clinic: hours.save_clinic,
    Provider: hours.save_provider,
    TimeOff: hours.save_time_off,
    ClinicClosure: hours.save_closure,
}
REMOVE: dict[type[Model], Callable[[Any], Any]] = {
    ProviderSchedule: hours.remove_schedule,
    TimeOff: hours.remove_time_off,
    ClinicClosure: hours.remove_closure,
}

# Sent after a change, with `request`, the `row` changed and the ids of the `providers` concerned.
hours_changed = Signal()


class HoursAdmin(ScopedAdmin):
    """A page whose rows, or whose inlines' rows, decide when providers can be booked."""

    def concerned(self, obj: Any) -> Iterable[UUID]:
        """Return the providers whose free time a row has to do with."""
        if isinstance(obj, Provider):
            return [obj.pk]
        if isinstance(obj, Clinic):
            return hours.providers_at(obj)
        if isinstance(obj, ClinicClosure):
            return hours.providers_at(obj.clinic)
        return [obj.provider_id]

    def tell(self, request: HttpRequest, row: Any, providers: Iterable[UUID]) -> None:
        hours_changed.send(type(self), request=request, row=row, providers=list(providers))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if isinstance(obj, ProviderSchedule):
            hours.save_schedule(obj, visit_types=form.cleaned_data.get("visit_types"))
        else:
            SAVE[type(obj)](obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001
        """Write an inline's rows by their verbs: windows of hours all at once, as one change."""
        if formset.model not in REMOVE:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        saved = [*(row for row, _fields in formset.changed_objects), *formset.new_objects]
        if formset.model is ProviderSchedule:
            chosen = {
                id(form.instance): form.cleaned_data.get("visit_types")
                for form in formset.forms
                if form.has_changed()
            }
            hours.change_schedules(
                saved=[(row, chosen[id(row)]) for row in saved], removed=formset.deleted_objects
            )
            return
        for row in formset.deleted_objects:
            REMOVE[formset.model](row)
        for row in saved:
            SAVE[formset.model](row)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        if isinstance(form.instance, ProviderSchedule):
            return
        super().save_related(request, form, formsets, change)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.tell(request, obj, self.concerned(obj))
        return super().log_change(request, obj, message)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.tell(request, obj, self.concerned(obj))
        return super().log_addition(request, obj, message)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        concerned = list(self.concerned(obj))
        REMOVE[type(obj)](obj)
        self.tell(request, obj, concerned)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)
