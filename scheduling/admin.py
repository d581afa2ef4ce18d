"""Appointments to look at, what a change of hours means for them, and how freed time is offered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patients.admin import PatientsAdmin
from providers.admin.access import ScopedAdmin, ScopedTabularInline
from providers.admin.verbs import hours_changed
from providers.models import ClinicClosure, ProviderSchedule, TimeOff
from scheduling.forms.waitlist_policy import WaitlistPolicyForm
from scheduling.impact import misfits
from scheduling.models import Appointment, AppointmentEvent, Mode, WaitlistPolicy

DEFAULTS = gettext_lazy(
    "Time that comes free is offered to those who wait for it. Where a clinic has no row, it goes "
    "to one patient after the other, each with two hours to answer. A row for one type of visit "
    "goes before the row for all."
)
SEQUENTIAL = gettext_lazy("One patient has the time alone until the offer is over or declined.")
OVERLAPPING = gettext_lazy(
    "The next offer goes out while earlier ones stand, and the first to accept has the time. More "
    "of it is filled, and some who answer come too late."
)


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


@admin.register(WaitlistPolicy)
class WaitlistPolicyAdmin(ScopedAdmin):
    is_removable = True
    form = WaitlistPolicyForm
    list_display = ("__str__", "mode", "pace", "most_offers_a_day")
    list_filter = ("clinic", "visit_type", "mode")
    list_select_related = ("clinic", "visit_type")
    search_fields = ("clinic__name", "visit_type__label", "visit_type__code")
    ordering = ("clinic__name", "visit_type__label")
    fieldsets = (
        (
            None,
            {"fields": ("clinic", "visit_type", "mode"), "description": DEFAULTS},
        ),
        (
            Mode.SEQUENTIAL.label,
            {"fields": ("window_minutes",), "description": SEQUENTIAL},
        ),
        (
            Mode.OVERLAPPING.label,
            {
                "fields": (
                    "spacing_divisor",
                    "shortest_spacing_minutes",
                    "longest_spacing_minutes",
                ),
                "description": OVERLAPPING,
            },
        ),
        (
            gettext_lazy("Either way"),
            {"fields": ("shortest_window_minutes", "most_offers_a_day")},
        ),
    )

    @admin.display(description=gettext_lazy("pace"))
    def pace(self, row: WaitlistPolicy) -> str:
        """How long an offer is one patient's, or how far apart offers are; in minutes."""
        if row.mode == Mode.SEQUENTIAL:
            return _("%(minutes)d min each") % {"minutes": row.window_minutes}
        if row.mode == Mode.OVERLAPPING:
            spacing = {
                "least": row.shortest_spacing_minutes,
                "most": row.longest_spacing_minutes,
            }
            return _("%(least)d to %(most)d min apart") % spacing
        return "–"
