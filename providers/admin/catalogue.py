"""What clinics offer and accept. Shared by all clinics, so changed by those who manage all."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from providers.admin.access import ScopedAdmin
from providers.models import InsurancePlan, Specialty, VisitType


@admin.register(Specialty)
class SpecialtyAdmin(ScopedAdmin):
    clinic_path = ""
    is_removable = True
    list_display = ("name", "nucc_code")
    search_fields = ("name", "nucc_code")


@admin.register(InsurancePlan)
class InsurancePlanAdmin(ScopedAdmin):
    clinic_path = ""
    is_removable = True
    list_display = ("name", "payer", "plan_code")
    list_filter = ("payer",)
    search_fields = ("name", "payer", "plan_code")


@admin.register(VisitType)
class VisitTypeAdmin(ScopedAdmin):
    clinic_path = ""
    is_removable = True
    list_display = (
        "label",
        "code",
        "minutes",
        "buffer_before_minutes",
        "buffer_after_minutes",
        "is_telehealth",
        "bookable_online",
    )
    list_filter = ("is_telehealth", "bookable_online", "confirmation_required")
    search_fields = ("label", "code")
    fieldsets = (
        (None, {"fields": ("label", "code", "minutes", "is_telehealth")}),
        (_("Buffers"), {"fields": ("buffer_before_minutes", "buffer_after_minutes")}),
        (
            _("Booking"),
            {"fields": ("bookable_online", "minimum_notice_minutes", "horizon_days")},
        ),
        (
            _("After booking"),
            {
                "fields": (
                    "confirmation_required",
                    "auto_release_allowed",
                    "waitlist_minimum_lead_minutes",
                )
            },
        ),
    )
