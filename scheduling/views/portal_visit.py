"""The gate of every page about one visit: by a live link in the session, or as one's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, PageRequest, page
from scheduling import links, video
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from scheduling.links import RELATED, within_reach
from scheduling.models import Appointment, WaitlistEntry
from scheduling.presenters import clock, status_tag
from scheduling.refusal_words import in_words
from scheduling.standing import standing_of
from scheduling.transitions import Status
from scheduling.visit_facts import day_and_time, facts, moment

COMING = [Status.SCHEDULED, Status.CONFIRMED]
LIVE_PAGES = {"open", "confirmed"}
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


def open_link(request: HttpRequest, token: str, *, to: str) -> HttpResponse:
    """Take a link's token out of the address: the session keeps which visit it opens.

    `to` names the page of that visit to go on to.
    """
    try:
        found = links.find_all(token, now=timezone.now())
    except links.LinkEnded:
        response = render(request, "portal/link_ended.html", status=404)
    else:
        for link in found:
            links.admit(request.session, link)
        response = redirect(to, pk=found[0].appointment_id)
    response["Referrer-Policy"] = "no-referrer"
    return response


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


def join_of(visit: Appointment, now: datetime) -> dict[str, object] | None:
    """Return how a visit's page leads to its room; None of a visit that has none to come."""
    door = video.door(visit, now=now)
    if door not in {video.Door.EARLY, video.Door.OPEN}:
        return None
    opens = clock(video.opens_at(visit).astimezone(visit.zone))
    return {"is_open": door is video.Door.OPEN, "opens": opens}


def waiting_for_sooner(visit: Appointment) -> WaitlistEntry | None:
    """Return the place on the waitlist for an earlier time in a visit's place."""
    live = [WaitlistEntry.Status.WAITING, WaitlistEntry.Status.PAUSED]
    return visit.waits_for_sooner.filter(status__in=live).order_by("created_at").first()


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
        join=join_of(visit, now),
        waiting=waiting_for_sooner(visit) if standing.page in LIVE_PAGES else None,
        others=[row_of(other, year_now=now.year) for other in _others(request, visit, now)],
    )


def _others(request: PageRequest, visit: Appointment, now: datetime) -> list[Appointment]:
    """Return what else links opened here of the same patient's: one message may tell of several."""
    if len(request.session.get(links.SESSION_KEY, [])) <= 1:
        return []
    reach = within_reach(request.session, request.user, now=now).exclude(pk=visit.pk)
    coming = reach.filter(patient=visit.patient_id, status__in=COMING, scheduled_end__gt=now)
    return list(coming.order_by("scheduled_start"))


def row_of(visit: Appointment, *, named: bool = False, year_now: int) -> dict[str, object]:
    """Return a visit as the component for rows shows it; `named` says for whom it is."""
    details = [visit.provider.name, visit.clinic.name]
    if named:
        details.insert(0, _("For %(name)s") % {"name": visit.patient.full_name})
    return {
        "href": reverse("portal:manage", args=[visit.pk]),
        "title": day_and_time(visit, year_now=year_now),
        "detail": " · ".join(details),
        "tags": [status_tag(visit)],
    }
