"""The first pages of booking online: the clinic, who it is for, what for, and what would suit.

One question a page; the answers travel in the address and say nothing about the patient.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from patients.privacy.pages import Audience, page
from providers.models import Clinic, InsurancePlan, Specialty
from scheduling.forms.portal import PreferencesForm, QuestionForm, VisitForm, WhoForm
from scheduling.forms.portal_wish import offered_providers, online_types
from scheduling.views.portal_choices import (
    STEPS,
    PortalRequest,
    answer,
    open_question,
    records_of,
    steps_of,
    wish_of,
)
from scheduling.wishes import Wish


@page(audience=Audience.PUBLIC)
def start(request: PortalRequest) -> HttpResponse:
    """Show the only clinic's start page, or the clinics to choose from."""
    clinics = list(Clinic.objects.active()[:50])
    if len(clinics) == 1:
        return _welcome(request, clinics[0])
    return answer(request, "clinics", {"clinics": clinics})


@page(audience=Audience.PUBLIC)
def clinic(request: PortalRequest, slug: str) -> HttpResponse:
    """Say what is needed, how long it takes, and how else to reach this clinic."""
    return _welcome(request, get_object_or_404(Clinic.objects.active(), slug=slug))


def _welcome(request: PortalRequest, at: Clinic) -> HttpResponse:
    request.clinic = at
    return answer(request, "start", {"wish": Wish(clinic=at)})


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def who(request: PortalRequest, slug: str) -> HttpResponse:
    """Ask who is to be seen; who is signed in chooses among their own records."""
    wish = wish_of(request, slug)
    form = WhoForm(request.POST or None, wish=wish, records=records_of(request))
    if form.is_valid():
        return redirect(wish.address("visit", **_answers(form)))
    context = {
        "form": form,
        "wish": wish,
        "back": reverse("portal:clinic", args=[slug]),
        "here": request.get_full_path(),
        "step": 1,
        "total": STEPS,
    }
    return answer(request, "who", context)


@page(audience=Audience.PUBLIC, methods=("GET", "POST"))
def visit(request: PortalRequest, slug: str) -> HttpResponse:
    """Ask what the visit is for, in plain words."""
    wish = wish_of(request, slug)
    if open_question(wish) == "who":
        return redirect(wish.address("who"))
    cares = Specialty.objects.filter(provider__in=offered_providers(wish.clinic)).distinct()
    form = VisitForm(request.POST or None, wish=wish, types=online_types(), cares=list(cares))
    if form.is_valid():
        return redirect(wish.address("days", **_answers(form)))
    context = {
        "form": form,
        "wish": wish,
        "back": wish.address("who"),
        "step": 2,
        "total": steps_of(wish),
    }
    return answer(request, "visit", context)


@page(audience=Audience.PUBLIC, methods=("GET", "POST"))
def preferences(request: PortalRequest, slug: str) -> HttpResponse:
    """Ask, for those who mind, where, when, with whom and in which language."""
    wish = wish_of(request, slug)
    if missing := open_question(wish):
        return redirect(wish.address(missing))
    providers = offered_providers(wish.clinic)
    if wish.specialty is not None:
        providers = providers.filter(specialty=wish.specialty)
    form = PreferencesForm(
        request.POST if request.method == "POST" else None,
        wish=wish,
        providers=list(providers),
        plans=InsurancePlan.objects.filter(provider__in=providers).distinct(),
        video_possible=online_types().filter(is_telehealth=True).exists(),
    )
    if form.is_valid():
        return redirect(wish.address("days", **_answers(form)))
    return answer(
        request, "preferences", {"form": form, "wish": wish, "back": wish.address("days")}
    )


def _answers(form: QuestionForm) -> dict[str, str]:
    return {name: str(value or "") for name, value in form.cleaned_data.items()}


@page(audience=Audience.PUBLIC)
def by_phone(request: PortalRequest, slug: str) -> HttpResponse:
    """Say how to reach the clinic when no time suits."""
    wish = wish_of(request, slug)
    back = wish.address("who") if open_question(wish) else wish.address("days")
    return answer(request, "by_phone", {"wish": wish, "back": back})
