"""How each record system fares: when it last answered, what waits for it, and trying it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from emr import queries, trying
from emr.forms import WAITING
from emr.kinds import Auth
from emr.models import ConnectionState, EMRConnection, SigningKey
from emr.queries import Load, state_of
from emr.views.desk_frame import show
from emr.words import failure_words, vendor_words
from patients.privacy.access import may
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.desk_words import when_words
from scheduling.presenters import Tag, minutes_in_words

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
Fact = dict[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """One connection: how it is, in a word and in facts; where its names are kept, if one may."""

    connection: EMRConnection
    vendor: str
    tag: Tag
    facts: list[Fact]
    queue_href: str
    names_href: str
    set_up_href: str


@page(audience=Audience.DESK, permission="manage_appointments")
def connections(request: StaffRequest) -> HttpResponse:
    """Show the health of each connection of the clinics at hand, in a fixed number of questions."""
    now = timezone.now()
    found = list(queries.connections_of(request.user, request.clinics).order_by("name"))
    loads = queries.loads_of(found, now=now)
    keys = _keys() if any(one.auth == Auth.PRIVATE_KEY for one in found) else []
    context = {"cards": [_card(request, one, loads[one.pk], keys, now=now) for one in found]}
    return show(request, "connections.html", context, here="connections")


def _keys() -> list[SigningKey]:
    """Return the keys that are published, the newest first; the private halves are not loaded."""
    live = SigningKey.objects.filter(retires_at=None).defer("private")
    return list(live.order_by("-signs_from"))


def _card(
    request: StaffRequest,
    connection: EMRConnection,
    load: Load,
    keys: list[SigningKey],
    *,
    now: datetime,
) -> Card:
    manages = may(request.user, "manage_clinic", at=connection.clinic)
    set_up = ""
    if manages and request.user.is_staff:
        set_up = reverse("admin:emr_emrconnection_change", args=[connection.pk])
    return Card(
        connection=connection,
        vendor=vendor_words(connection.vendor),
        tag=_tag(connection, now=now),
        facts=_facts(connection, load, keys, now=now),
        queue_href=f"{reverse('emr:messages')}?state={WAITING}&connection={connection.pk}",
        names_href=reverse("emr:names", args=[connection.pk]) if manages else "",
        set_up_href=set_up,
    )


def _tag(connection: EMRConnection, *, now: datetime) -> Tag:
    state = state_of(connection)
    if not connection.is_active:
        return Tag("cancelled", _("Switched off"))
    if _rests_until(state, now=now):
        return Tag("late", _("Left alone for now"))
    if state.last_failure_at and (
        state.last_success_at is None or state.last_failure_at > state.last_success_at
    ):
        return Tag("late", _("Last try failed"))
    if state.last_success_at is None:
        return Tag("scheduled", _("Not tried yet"))
    return Tag("completed", _("Answers"))


def _rests_until(state: ConnectionState, *, now: datetime) -> datetime | None:
    """Return until when nothing is sent there, if it is not now."""
    ends = [until for until in (state.open_until, state.paused_until) if until and until > now]
    return max(ends, default=None)


def _facts(
    connection: EMRConnection, load: Load, keys: list[SigningKey], *, now: datetime
) -> list[Fact]:
    state, zone = state_of(connection), connection.clinic.zone

    def at(when: datetime | None) -> str:
        return when_words(when, zone) if when else ""

    failed = f"{at(state.last_failure_at)}\n{failure_words(state.last_failure)}".strip()
    polls = at(state.polled_at) or _("Not yet")
    rows = [
        (_("Last answer"), at(state.last_success_at) or _("None yet")),
        (_("Last failure"), failed),
        (_("Left alone until"), at(_rests_until(state, now=now))),
        (_("Not there yet"), _queue(load, now=now)),
        (_("To be read"), str(load.unread) if load.unread else ""),
        (_("Last asked for changes"), polls if connection.polls_every_minutes else ""),
        (_("What it offers was read"), at(state.discovered_at)),
        (_("What it offers changed"), at(state.changed_at)),
        (_("Our keys"), _ages(connection, keys, now=now)),
    ]
    return [{"label": label, "value": value} for label, value in rows if value]


def _queue(load: Load, *, now: datetime) -> str:
    """Return what waits to be sent, and for how long the oldest has."""
    if not load.waiting and not load.stuck and not load.dead:
        return _("Nothing")
    parts = [_on_its_way(load, now=now)] if load.waiting else []
    if load.stuck:
        words = ngettext("%(count)d waits for somebody", "%(count)d wait for somebody", load.stuck)
        parts.append(words % {"count": load.stuck})
    if load.dead:
        words = ngettext("%(count)d needs somebody", "%(count)d need somebody", load.dead)
        parts.append(words % {"count": load.dead})
    return "\n".join(parts)


def _on_its_way(load: Load, *, now: datetime) -> str:
    words = ngettext("%(count)d on its way", "%(count)d on their way", load.waiting)
    said = words % {"count": load.waiting}
    if load.since is None:
        return said
    minutes = max(int((now - load.since) / MINUTE), 0)
    oldest = _("the oldest for %(time)s") % {"time": minutes_in_words(minutes)}
    return f"{said}, {oldest}"


def _ages(connection: EMRConnection, keys: list[SigningKey], *, now: datetime) -> str:
    """Return the keys that sign for a connection, each with its age."""
    if connection.auth != Auth.PRIVATE_KEY:
        return ""
    fitting = [key for key in keys if key.algorithm == connection.algorithm]
    return "\n".join(_age(key, now=now) for key in fitting) or _("None: make one")


def _age(key: SigningKey, *, now: datetime) -> str:
    if key.signs_from > now:
        return _("%(key)s: the next one") % {"key": key.kid}
    days = (now - key.signs_from) // DAY
    return ngettext("%(key)s: signs for %(days)d day", "%(key)s: signs for %(days)d days", days) % {
        "key": key.kid,
        "days": days,
    }


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",))
def connection_try(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Have a connection tried at once, whatever it was left alone for."""
    found = queries.connections_of(request.user, request.clinics)
    connection = get_object_or_404(found, pk=pk)
    if connection.is_active:
        trying.try_now(connection, now=timezone.now())
        words = _("%(system)s is being tried. Look again in some seconds.")
        messages.success(request, words % {"system": connection.name})
    else:
        words = _("%(system)s is switched off.")
        messages.error(request, words % {"system": connection.name})
    return redirect("emr:connections")
