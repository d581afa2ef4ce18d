"""The gate of every page about one visit: by a live link in the session, or as one's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from patients.privacy.pages import Audience, PageRequest, page
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from scheduling.links import RELATED, within_reach
from scheduling.models import Appointment
from scheduling.refusal_words import in_words
from scheduling.standing import standing_of
from scheduling.visit_facts import facts, moment

VisitView = Callable[[PageRequest, Appointment, datetime], HttpResponse]
PageView = Callable[[PageRequest, UUID], HttpResponse]


def visit_page(*, methods: tuple[str, ...] = ("GET",)) -> Callable[[VisitView], PageView]:
    """Declare a page about one visit; the view gets the visit and the instant of the request.

    Strangers are asked to sign in, whether the visit exists or not; for others it is a 404.
    """

    def declare(view: VisitView) -> PageView:
        @page(audience=Audience.PUBLIC, methods=methods, phi=True)
        @wraps(view)
        def gate(request: PageRequest, pk: UUID) -> HttpResponse:
            now = timezone.now()
            visit = within_reach(request.session, request.user, now=now).filter(pk=pk).first()
            if visit is None:
                return _turn_away(request, pk)
            request.clinic = visit.clinic
            return view(request, visit, now)

        return gate

    return declare


def _turn_away(request: PageRequest, pk: UUID) -> HttpResponse:
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(reverse("portal:manage", args=[pk]), reverse("portal:sign_in"))


def is_own(request: PageRequest, visit: Appointment) -> bool:
    """Whether the visit is a signed-in patient's own, rather than reached by a link."""
    return request.user.is_authenticated and visit.patient.user_id == request.user.pk


def actor_of(request: PageRequest, visit: Appointment) -> Actor:
    return Actor.patient(request.user.pk if is_own(request, visit) else None)


def as_it_is(visit: Appointment) -> Appointment:
    """Return the visit as the database has it, after a verb that refused."""
    return Appointment.objects.select_related(*RELATED).get(pk=visit.pk)


def show(
    request: PageRequest, template: str, visit: Appointment, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page about one visit."""
    context = {"visit": visit, "moment": moment(visit), **context}
    return render(request, f"portal/{template}.html", context, status=status)


def show_standing(
    request: PageRequest,
    visit: Appointment,
    now: datetime,
    *,
    refusal: SchedulingError | None = None,
) -> HttpResponse:
    """Show how the visit stands; after a refusal (409) with its words, and as it is now."""
    if refusal is not None:
        visit = as_it_is(visit)
    standing = standing_of(visit, now=now)
    return show(
        request,
        f"appointment_{standing.page}",
        visit,
        status=200 if refusal is None else 409,
        standing=standing,
        refusal=refusal and in_words(refusal),
        moved=refusal is None and "moved" in request.GET and visit.sequence > 0,
        facts=facts(visit, is_own=is_own(request, visit)),
    )
