"""The set-up page for reminders: a clinic's cadence, for all its visits or for one type of them.

Nothing about patients is registered here: what was sent is shown at the desk.
"""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from providers.admin.access import ScopedAdmin
from reminders.kinds import Channel
from reminders.models import ReminderPolicy
from reminders.words import channel_words

DEFAULTS = _(
    "Where a clinic has no row, its visits are asked to be confirmed 72 hours ahead and again 48 "
    "hours ahead, reminded 24 hours ahead, and get the link to a video visit 2 hours ahead. A row "
    "for one type of visit goes before the row for all types."
)
RELEASE = _(
    "Time is freed only for types of visit that allow it, and never where no request arrived."
)


@admin.register(ReminderPolicy)
class ReminderPolicyAdmin(ScopedAdmin):
    is_removable = True
    list_display = (
        "__str__",
        "asks",
        "asks_again",
        "reminds",
        "sends_link",
        "frees",
        "ways",
    )
    list_filter = ("clinic", "visit_type", "email", "sms", "push")
    list_select_related = ("clinic", "visit_type")
    search_fields = ("clinic__name", "visit_type__label", "visit_type__code")
    ordering = ("clinic__name", "visit_type__label")
    fieldsets = (
        (None, {"fields": ("clinic", "visit_type"), "description": DEFAULTS}),
        (
            _("When"),
            {"fields": ("request_hours", "follow_up_hours", "reminder_hours", "join_hours")},
        ),
        (_("Visits that nobody confirms"), {"fields": ("release_hours",), "description": RELEASE}),
        (_("How"), {"fields": ("email", "sms", "push", "sent_counts_as_delivered")}),
    )

    @admin.display(description=_("asks"), ordering="request_hours")
    def asks(self, row: ReminderPolicy) -> str:
        return _ahead(row.request_hours)

    @admin.display(description=_("asks again"), ordering="follow_up_hours")
    def asks_again(self, row: ReminderPolicy) -> str:
        return _ahead(row.follow_up_hours)

    @admin.display(description=_("reminds"), ordering="reminder_hours")
    def reminds(self, row: ReminderPolicy) -> str:
        return _ahead(row.reminder_hours)

    @admin.display(description=_("sends the video link"), ordering="join_hours")
    def sends_link(self, row: ReminderPolicy) -> str:
        return _ahead(row.join_hours)

    @admin.display(description=_("frees the time"), ordering="release_hours")
    def frees(self, row: ReminderPolicy) -> str:
        if row.visit_type is not None and not row.visit_type.auto_release_allowed:
            return "–"
        return _ahead(row.release_hours)

    @admin.display(description=_("sends by"))
    def ways(self, row: ReminderPolicy) -> str:
        on = {Channel.EMAIL: row.email, Channel.SMS: row.sms, Channel.PUSH: row.push}
        return ", ".join(channel_words(channel) for channel, is_on in on.items() if is_on) or "–"


def _ahead(hours: int | None) -> str:
    """Return how long before a visit something is done; a dash where it is switched off."""
    if hours is None:
        return "–"
    return ngettext("%(hours)d hour ahead", "%(hours)d hours ahead", hours) % {"hours": hours}
