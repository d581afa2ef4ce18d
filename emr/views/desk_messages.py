"""What was told to the record system and what came from it: how each went, and trying again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from emr import queries
from emr.forms import NEEDS, RECEIVED, SENT, WAITING, AgainForm, LogForm
from emr.kinds import Arrival, State
from emr.log_rows import Row, page_after, received_row, sent_row
from emr.models import OutboundMessage
from emr.outbox import replaying
from emr.views.desk_frame import BAD_REQUEST, show
from emr.words import code_words, help_words, why_words
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.desk_words import when_words

MOST_AT_ONCE = 500
STUCK = {State.DEAD, State.WAITING}


@dataclass(frozen=True, slots=True)
class Direction:
    """How messages of one direction are read: the newest `by` first, each as a `row`."""

    of: Callable[..., QuerySet[Any]]
    row: Callable[[Any], Row]
    by: str
    dead: str
    waiting: list[str]


DIRECTIONS = {
    SENT: Direction(queries.outbound_of, sent_row, "created_at", State.DEAD.value, queries.IS_LIVE),
    RECEIVED: Direction(
        queries.inbound_of, received_row, "received_at", Arrival.DEAD.value, queries.UNREAD
    ),
}


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def message_list(request: StaffRequest) -> HttpResponse:
    """Show the messages of one direction, narrowed as asked, the newest first."""
    connections = queries.connections_of(request.user, request.clinics)
    form = LogForm(request.GET, connections=connections)
    if not form.is_valid():
        return show(request, "messages.html", {"form": form}, here="messages", status=BAD_REQUEST)
    way = form.cleaned_data["way"] or SENT
    direction = DIRECTIONS[way]
    found = _narrowed(direction.of(request.user, request.clinics), form, direction)
    try:
        shown, after = page_after(found, request.GET.get("before", ""), by=direction.by)
    except ValueError:
        raise Http404 from None
    context = {
        "form": form,
        "way": way,
        "state": form.state_chosen,
        "rows": [direction.row(message) for message in shown],
        "ways": _ways(request, way),
        "again": _again(request) if way == SENT and form.state_chosen == NEEDS else [],
        **_pages(request, after),
    }
    return show(request, "messages.html", context, here="messages")


def _narrowed(found: QuerySet[Any], form: LogForm, direction: Direction) -> QuerySet[Any]:
    told = form.cleaned_data
    if form.state_chosen == NEEDS:
        found = found.filter(state=direction.dead)
    elif form.state_chosen == WAITING:
        found = found.filter(state__in=direction.waiting)
    if told["connection"]:
        found = found.filter(connection=told["connection"])
    if told["visit"]:
        found = found.filter(appointment=told["visit"])
    return found


def _ways(request: StaffRequest, way: str) -> list[dict[str, Any]]:
    """Return the links to both directions, each with how many need somebody."""
    needs = queries.needs_at([clinic.pk for clinic in request.clinics])
    here = reverse("emr:messages")
    return [
        {"label": _("Going out"), "count": needs.sent, "href": here, "current": way == SENT},
        {
            "label": _("Come in"),
            "count": needs.received,
            "href": f"{here}?way={RECEIVED}",
            "current": way == RECEIVED,
        },
    ]


def _pages(request: StaffRequest, after: str) -> dict[str, str]:
    kept = {name: value for name, value in request.GET.items() if value and name != "before"}
    return {
        "later_href": f"?{urlencode(kept | {'before': after})}" if after else "",
        "first_href": f"?{urlencode(kept)}" if request.GET.get("before") else "",
    }


def _again(request: StaffRequest) -> list[dict[str, Any]]:
    """Return why messages failed, by connection, with how many of each can be tried again."""
    found = queries.reasons_of(queries.outbound_of(request.user, request.clinics))
    return [
        {
            "connection": connection,
            "why": why,
            "label": ngettext(
                "%(system)s: %(why)s %(count)d message",
                "%(system)s: %(why)s %(count)d messages",
                count,
            )
            % {"system": name, "why": why_words(why), "count": count},
        }
        for connection, name, why, count in found
        if count > 1 and why
    ]


def _message(request: StaffRequest, pk: UUID) -> OutboundMessage:
    return get_object_or_404(queries.outbound_of(request.user, request.clinics), pk=pk)


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def message(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show one message: what it tells, how often it was tried, and what can be done."""
    found = _message(request, pk)
    context = {
        "row": sent_row(found),
        "facts": _facts(found),
        "help": help_words(found.why),
        "codes": found.codes,
        "is_stuck": found.state in STUCK,
    }
    return show(request, "message.html", context, here="messages")


def _facts(found: OutboundMessage) -> list[dict[str, str]]:
    zone = found.connection.clinic.zone
    later = found.state in {State.QUEUED, State.UNKNOWN}
    answer = " ".join(code_words(found.codes))
    rows = [
        (_("Record system"), found.connection.name),
        (_("Written"), when_words(found.created_at, zone)),
        (_("Tries"), str(found.attempts)),
        (_("Last try"), when_words(found.sending_at, zone) if found.sending_at else ""),
        (_("Leaves"), when_words(found.not_before, zone) if later else ""),
        (_("Done"), when_words(found.done_at, zone) if found.done_at else ""),
        (_("Why"), why_words(found.why)),
        (_("Answer"), answer),
        (_("Codes"), ", ".join(map(str, found.codes))),
        (_("Number"), str(found.pk)),
    ]
    return [{"label": label, "value": value} for label, value in rows if value]


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def message_replay(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Have a message tried again, as the visit stands now."""
    found = _message(request, pk)
    try:
        replaying.replay(found, by=request.user, now=timezone.now())
    except replaying.NotStuck:
        messages.info(request, _("There is nothing to try again."))
    else:
        messages.success(request, _("It is tried again."))
    queries.forget()
    return redirect("emr:message", found.pk)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def replay_all(request: StaffRequest) -> HttpResponse:
    """Have all messages tried again that failed for one reason at one connection."""
    connections = queries.connections_of(request.user, request.clinics)
    form = AgainForm(request.POST, connections=connections)
    if not form.is_valid():
        raise Http404
    told, now = form.cleaned_data, timezone.now()
    dead = queries.outbound_of(request.user, request.clinics).filter(
        connection=told["connection"], why=told["why"], state=State.DEAD.value
    )
    found = dead.order_by("created_at", "pk")[:MOST_AT_ONCE]
    many = sum(_replayed(each, by=request.user, now=now) for each in found)
    queries.forget()
    words = ngettext(
        "%(count)d message is tried again.", "%(count)d messages are tried again.", many
    )
    messages.success(request, words % {"count": many})
    return redirect("emr:messages")


def _replayed(message: OutboundMessage, *, by: User, now: datetime) -> bool:
    """Have one of many tried again; False where somebody has dealt with it meanwhile."""
    try:
        replaying.replay(message, by=by, now=now)
    except replaying.NotStuck:
        return False
    return True


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def message_drop(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask, then take a message off the list: it is never sent."""
    found = _message(request, pk)
    if found.state not in STUCK:
        return _nothing_to_drop(request, found)
    if request.method == "POST":
        return _drop(request, found)
    context = {
        "title": _("Do not send it?"),
        "text": _("%(system)s is not told of this: %(what)s. Enter it there by hand if need be.")
        % {"system": found.connection.name, "what": sent_row(found).what},
        "action": _("Do not send it"),
        "cancel_href": reverse("emr:message", args=[found.pk]),
        "calm": False,
    }
    return show(request, "ask.html", context, here="messages")


def _drop(request: StaffRequest, found: OutboundMessage) -> HttpResponse:
    try:
        replaying.drop(found, by=request.user, now=timezone.now())
    except replaying.NotStuck:
        return _nothing_to_drop(request, found)
    queries.forget()
    messages.success(request, _("It is off the list, and is not sent."))
    return redirect("emr:messages")


def _nothing_to_drop(request: StaffRequest, found: OutboundMessage) -> HttpResponse:
    messages.info(request, _("There is nothing to take off the list."))
    return redirect("emr:message", found.pk)
