"""A refusal in the language of whoever reads it. Refuses to know why it was refused."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from scheduling.errors import IllegalTransition, SchedulingError

ACTS = {
    "MOVE": pgettext_lazy("an act that is not possible", "move"),
    "CONFIRM": pgettext_lazy("an act that is not possible", "confirm"),
    "CHECK_IN": pgettext_lazy("an act that is not possible", "check in"),
    "ROOM": pgettext_lazy("an act that is not possible", "take to a room"),
    "COMPLETE": pgettext_lazy("an act that is not possible", "complete"),
    "CANCEL": pgettext_lazy("an act that is not possible", "cancel"),
    "MARK_NO_SHOW": pgettext_lazy("an act that is not possible", "mark as no-show"),
    "UNDO": pgettext_lazy("an act that is not possible", "undo"),
    "RESTORE": pgettext_lazy("an act that is not possible", "give back"),
}
STATUSES = {
    "SCHEDULED": pgettext_lazy("the appointment is …", "scheduled"),
    "CONFIRMED": pgettext_lazy("the appointment is …", "confirmed"),
    "COMPLETED": pgettext_lazy("the appointment is …", "completed"),
    "CANCELLED": pgettext_lazy("the appointment is …", "cancelled"),
    "NO_SHOW": pgettext_lazy("the appointment is …", "a no-show"),
}


def in_words(refusal: SchedulingError) -> str:
    """Return what may be shown to a person, in the current language."""
    if isinstance(refusal, IllegalTransition):
        return _("Not possible (%(act)s): the appointment is %(status)s.") % {
            "act": ACTS.get(refusal.act, refusal.act),
            "status": STATUSES.get(refusal.status, refusal.status),
        }
    return _(str(refusal))
