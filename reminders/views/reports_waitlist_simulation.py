"""Both ways of offering freed time, tried on a virtual clock; and choosing one of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, StaffRequest, page
from reminders import simulation_words
from reminders.forms.waitlist_simulation import ModeForm, SimulationForm, filled
from reminders.simulating import Answer, Question, Source, ask, usual_source
from scheduling.models import Mode
from scheduling.waitlist.choosing import choose, mode_of

INVALID = 422


@page(audience=Audience.DESK, permission="manage_clinic")
def show(request: StaffRequest) -> HttpResponse:
    """Show what each way would have come to, as a plot and as tables, and which one is advised."""
    form, now = SimulationForm(request.GET), timezone.now()
    context: dict[str, Any] = {"nav_current": "reports", "form": form}
    if not form.is_valid():
        return render(request, "reports/waitlist_simulation.html", context, status=INVALID)
    usual = usual_source(request.clinic, now=now)
    question = form.question(usual=usual)
    context["form"] = SimulationForm(initial=filled(question))
    context |= _shown(ask(request.clinic, question, now=now), question, mode_of(request.clinic))
    return render(request, "reports/waitlist_simulation.html", context)


def _shown(answer: Answer, question: Question, mode: Mode) -> dict[str, Any]:
    ways, leads = simulation_words.overall_table(answer), simulation_words.lead_table(answer)
    return {
        "answer": answer,
        "question": question,
        "is_own": question.source is Source.HISTORY,
        "left_out": question.runs - answer.runs,
        "ways": {"columns": ways[0], "rows": ways[1]},
        "leads": {"columns": leads[0], "rows": leads[1]},
        "plot": simulation_words.lead_plot(answer),
        "mode": mode,
        "advised": Mode(answer.advice.pace.value),
    }


@page(audience=Audience.DESK, permission="manage_clinic", methods=("GET", "POST"))
def use(request: StaffRequest) -> HttpResponse:
    """Ask whether freed time is to be offered so from now on, and write it down on yes."""
    form = ModeForm(request.POST) if request.method == "POST" else _asked(request)
    if form.is_bound and form.is_valid():
        row = choose(
            clinic=request.clinic, mode=Mode(form.cleaned_data["mode"]), now=timezone.now()
        )
        messages.success(
            request,
            _("From now on, freed time is offered so: %(mode)s.")
            % {"mode": row.get_mode_display()},
        )
        return redirect("reports:waitlist_simulation")
    context = {"nav_current": "reports", "form": form}
    status = INVALID if form.is_bound else 200
    return render(request, "reports/waitlist_use.html", context, status=status)


def _asked(request: StaffRequest) -> ModeForm:
    """Return the form with the mode that the address names, else the one in use."""
    mode = request.GET.get("mode", "")
    return ModeForm(initial={"mode": mode if mode in Mode.values else mode_of(request.clinic)})
