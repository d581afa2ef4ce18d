"""What the desk sends about messages: what came of a call, which way to tell somebody again, and
which deliveries to show."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from reminders.kinds import CallReason, Channel, State
from reminders.models import CallAttempt
from reminders.resending import WAYS
from reminders.words import CHANNELS
from scheduling.forms.desk_appointment import SeenForm
from scheduling.forms.fields import DayField

KEY_LENGTH = 32
# States as the log is asked for them; three of the ledger's are one to whoever waits.
STATES = {
    "waiting": (_("Waiting or being sent"), [State.QUEUED, State.CLAIMED, State.SENDING]),
    "sent": (_("Sent"), [State.SENT]),
    "delivered": (_("Delivered"), [State.DELIVERED]),
    "failed": (_("Failed"), [State.FAILED]),
    "unknown": (_("Not known"), [State.UNKNOWN]),
    "skipped": (_("Not sent"), [State.SKIPPED]),
}


class CallForm(SeenForm):
    """`outcome` is one of CallAttempt's; `attempt` makes a form that is sent twice one call."""

    outcome = forms.ChoiceField(choices=CallAttempt.Outcome.choices)
    attempt = forms.UUIDField(widget=forms.HiddenInput)
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=300,
        # Of one line, Enter would press the first button: a confirmation that nobody meant.
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
    )


class ReasonForm(forms.Form):
    reason = forms.ChoiceField(choices=[(r.value, r.value) for r in CallReason], required=False)


class ResendForm(forms.Form):
    """`anyway` says that the desk was told that something had just gone."""

    channel = forms.ChoiceField(choices=[(way.value, way.value) for way in WAYS])
    key = forms.CharField(min_length=KEY_LENGTH, max_length=KEY_LENGTH)
    anyway = forms.BooleanField(required=False)


class LogForm(forms.Form):
    """The filters of the log; empty shows everything."""

    day = DayField(
        label=_("Day"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "w-10"}),
    )
    state = forms.ChoiceField(
        label=_("How it went"),
        required=False,
        choices=[("", _("All")), *((name, label) for name, (label, _states) in STATES.items())],
    )
    channel = forms.ChoiceField(
        label=_("Way"),
        required=False,
        choices=[("", _("All")), *((way.value, CHANNELS[way]) for way in Channel)],
    )

    @property
    def states(self) -> list[str]:
        """Return the ledger's own states that were asked for; none for all."""
        name = self.cleaned_data["state"]
        return [state.value for state in STATES[name][1]] if name else []


class ShownForm(forms.Form):
    """Which texts: those that wait, or all."""

    show = forms.ChoiceField(choices=[("waiting", ""), ("all", "")], required=False)
