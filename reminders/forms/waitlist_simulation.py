"""What is to be simulated, and which way of offering a clinic chooses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reminders.simulating import Question, Source
from scheduling.models import Mode

USUAL = Question(source=Source.HISTORY)


def _number(label: Any, least: int, most: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, max_value=most, required=False)


class SimulationForm(forms.Form):
    """What is left open is as usual."""

    use_required_attribute = False
    source = forms.ChoiceField(
        label=_("What is played through"),
        choices=[
            (Source.HISTORY.value, _("What came free here in the last 90 days")),
            (Source.INVENTED.value, _("An invented clinic")),
        ],
        required=False,
    )
    acceptance = _number(_("Patients of 100 who say yes"), 1, 100)
    median_answer = _number(_("Minutes until half have answered"), 1, 1_440)
    runs = _number(_("Runs (2 to 20)"), 2, 20)
    slots = _number(_("Freed times (invented clinic)"), 20, 150)
    waiting = _number(_("Patients waiting (invented clinic)"), 20, 300)

    def question(self, *, usual: Source) -> Question:
        """Return what is asked for; only what is valid counts."""
        told = self.cleaned_data
        accepted = told.get("acceptance")
        return Question(
            source=Source(told.get("source") or usual),
            acceptance=USUAL.acceptance if accepted is None else accepted / 100,
            median_answer=told.get("median_answer") or USUAL.median_answer,
            runs=told.get("runs") or USUAL.runs,
            slots=told.get("slots") or USUAL.slots,
            waiting=told.get("waiting") or USUAL.waiting,
        )


def filled(question: Question) -> dict[str, Any]:
    """Return what stands in the form for a question."""
    return {
        "source": question.source.value,
        "acceptance": round(question.acceptance * 100),
        "median_answer": question.median_answer,
        "runs": question.runs,
        "slots": question.slots,
        "waiting": question.waiting,
    }


class ModeForm(forms.Form):
    """How a clinic offers the time that comes free."""

    use_required_attribute = False
    mode = forms.ChoiceField(
        label=_("Offer freed time"), choices=Mode.choices, widget=forms.RadioSelect
    )
