"""What a patient says about messages: by which way, when not, in which language, about what."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.contacts import show_phone
from patients.models import Patient
from reminders.kinds import Kind
from reminders.models import ContactPreference
from scheduling.presenters import clock
from scheduling.visit_words import LANGUAGES, language_name

SOME_DAY = date(2026, 1, 1)  # a time of day has none, and none is shown
EVENINGS, MORNINGS = range(18, 24), range(5, 13)
# Each choice in plain words stands for these kinds; whoever has muted all of them unticks it.
TOPICS = {
    "asking": (Kind.REQUEST, Kind.FOLLOW_UP),
    "before": (Kind.REMINDER,),
    "video": (Kind.JOIN,),
}
TOPIC_WORDS = [
    ("asking", gettext_lazy("Ask me some days before whether I will come")),
    ("before", gettext_lazy("Remind me the day before")),
    ("video", gettext_lazy("Send me the link shortly before a video visit")),
]


class ChoicesForm(forms.Form):
    """One record's choices: texts only where the clinic sends any, notifications only where a
    browser was set up for them."""

    use_required_attribute = False
    email = forms.BooleanField(label=gettext_lazy("E-mails"), required=False)
    sms = forms.BooleanField(label=gettext_lazy("Text messages"), required=False)
    push = forms.BooleanField(label=gettext_lazy("Notifications"), required=False)
    topics = forms.MultipleChoiceField(
        label=gettext_lazy("What may we write about?"),
        help_text=gettext_lazy("We always tell you when a visit is booked, moved or cancelled."),
        choices=TOPIC_WORDS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    quiet_from = forms.TypedChoiceField(label=gettext_lazy("From"), coerce=time.fromisoformat)
    quiet_until = forms.TypedChoiceField(label=gettext_lazy("Until"), coerce=time.fromisoformat)
    language = forms.ChoiceField(
        label=gettext_lazy("Your language"),
        help_text=gettext_lazy(
            "We write in English and in Spanish. For any other language, we write in English."
        ),
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        patient: Patient,
        preference: ContactPreference,
        has_texts: bool,
        has_devices: bool,
    ) -> None:
        super().__init__(data, initial=_chosen(patient, preference))
        self.preference = preference
        self._offer("quiet_from", EVENINGS, preference.quiet_from)
        self._offer("quiet_until", MORNINGS, preference.quiet_until)
        tags = sorted({*LANGUAGES, patient.language}, key=language_name)
        self.fields["language"].choices = [(tag, language_name(tag)) for tag in tags]  # type: ignore[attr-defined]
        self.fields["email"].help_text = patient.email
        self.fields["sms"].help_text = show_phone(patient.phone)
        if not patient.email:
            self._close("email", _("We have no e-mail address of yours. Call us to add one."))
        if not patient.phone:
            self._close("sms", _("We have no phone number of yours. Call us to add one."))
        elif not patient.phone_is_textable:
            self._close("sms", _("The number that we have cannot get texts."))
        for name, is_asked in (("sms", has_texts), ("push", has_devices)):
            if not is_asked:
                self.fields.pop(name)

    def _offer(self, name: str, hours: range, chosen: time) -> None:
        """Let a full hour be chosen; what was chosen elsewhere stays among them."""
        times = sorted({*map(time, hours), chosen})
        choices = [(each.isoformat("minutes"), _at(each)) for each in times]
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _close(self, name: str, why: str) -> None:
        """Leave a channel as it is, because there is nowhere to write to."""
        self.fields[name].disabled = True
        self.fields[name].help_text = why

    def chosen(self) -> dict[str, Any]:
        """Return what `preferences.choose` takes of a valid form."""
        told = self.cleaned_data
        muted = {kind.value for name, kinds in TOPICS.items() for kind in kinds}
        muted -= {kind.value for name in told["topics"] for kind in TOPICS[name]}
        asked = ("email", "quiet_from", "quiet_until", "language")
        return {
            **{name: told[name] for name in asked},
            **{name: told.get(name, getattr(self.preference, name)) for name in ("sms", "push")},
            "muted": muted,
        }


class DeviceForm(forms.Form):
    """What a browser says of itself. Only to switch notifications `on` it needs to name keys."""

    act = forms.ChoiceField(choices=[(name, name) for name in ("on", "off", "ask")])
    endpoint = forms.CharField(max_length=1_000)
    p256dh = forms.CharField(max_length=120, required=False)
    auth = forms.CharField(max_length=40, required=False)


def _chosen(patient: Patient, preference: ContactPreference) -> dict[str, Any]:
    muted = set(preference.muted)
    return {
        "email": preference.email,
        "sms": preference.sms,
        "push": preference.push,
        "topics": [name for name, kinds in TOPICS.items() if not muted.issuperset(kinds)],
        "quiet_from": preference.quiet_from.isoformat("minutes"),
        "quiet_until": preference.quiet_until.isoformat("minutes"),
        "language": patient.language,
    }


def _at(wall: time) -> str:
    return clock(datetime.combine(SOME_DAY, wall))
