"""Appointments to look at, and what a change of hours means for those that are booked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.admin import PatientsAdmin
from providers.admin.access import ScopedTabularInline
from providers.admin.verbs import hours_changed
from providers.models import ClinicClosure, ProviderSchedule, TimeOff
from scheduling.impact import misfits
from scheduling.models import Appointment, AppointmentEvent


@receiver(hours_changed)
def say_impact(
    request: HttpRequest, row: object, providers: Iterable[UUID], **_kwargs: Any
) -> None:
    """Tell whoever changed hours how many booked visits no longer fit them."""
    count = len(misfits(providers, now=timezone.now()))
    if count:
        text = ngettext(
            "%(count)d booked visit no longer fits these hours. It is still booked: move it or "
            "cancel it at the front desk.",
            "%(count)d booked visits no longer fit these hours. They are still booked: move them "
            "or cancel them at the front desk.",
            count,
        )
        messages.warning(request, text % {"count": count})
    elif isinstance(row, TimeOff | ClinicClosure | ProviderSchedule):
        messages.info(request, _("Every booked visit fits these hours."))


class EventInline(ScopedTabularInline):
    model = AppointmentEvent
    clinic_path = "appointment__clinic"
    is_removable = False
    fields = ("at", "kind", "from_status", "to_status", "by_kind", "by_user")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Appointment)
class AppointmentAdmin(PatientsAdmin):
    """Booked, moved and cancelled on the pages of the desk, never here. Whose they are stays there.

    Nothing is searched: a name typed here would stand in addresses.
    """

    permission = "view_appointments"

    fields = (
        "reference",
        "clinic",
        "provider",
        "appointment_type",
        "scheduled_start",
        "scheduled_end",
        "overbook_lane",
        "status",
        "arrived_at",
        "booked_via",
        "created_at",
    )
    list_display = ("reference", "scheduled_start", "provider", "appointment_type", "status")
    list_filter = ("status", "booked_via", "appointment_type", "scheduled_start")
    list_select_related = ("provider", "appointment_type")
    ordering = ("-scheduled_start",)
    inlines = (EventInline,)
