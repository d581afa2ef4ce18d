"""Links that open one visit to whoever holds them, until a day after it.

A token stands in one message and nowhere else: its digest is kept, and the browser that brings it
gets the link's id into its session instead. Refuses to know what may be done with the visit.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import get_language

from patients.codes import CHANNELS
from patients.contacts import column_of
from patients.crypto import token_digest
from patients.indexes import contact_indexes
from patients.models import Patient
from patients.privacy.sign_in import renew
from patients.throttle import Limit
from scheduling.changes import Change
from scheduling.models import Appointment, ManageLink
from scheduling.models.appointment import AppointmentQuerySet

TOKEN_BYTES = 16  # 128 random bits, 22 characters
KEPT = timedelta(days=1)
SESSION_KEY = "visit_links"
MOST_IN_SESSION = 20
MOST_TOGETHER = 8
LOST_BY_NETWORK = Limit("lost-link-network", times=20)
LOST_BY_CONTACT = Limit("lost-link-contact", times=5)
RELATED = ("clinic__time_zone", "provider__specialty", "appointment_type", "patient")


class LinkEnded(Exception):
    """No visit is behind this token, or not any more."""


def issue(appointment: Appointment, *others: Appointment, now: datetime) -> str:
    """Return a new token for a visit; it works until a day after the visit's end.

    One for several visits, of which one message tells, opens each of them until a day after that
    one's end; at most `MOST_TOGETHER`.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    for part, visit in zip(_parts(token), (appointment, *others), strict=False):
        _make(visit, part, now=now)
    return token


def _parts(token: str) -> list[str]:
    """Return what the digests of a token's links are made of, the first visit's first."""
    return [token, *(f"{token}.{n}" for n in range(1, MOST_TOGETHER))]


def _make(appointment: Appointment, token: str, *, now: datetime) -> ManageLink:
    return ManageLink.objects.create(
        appointment=appointment,
        token_digest=token_digest(token),
        expires_at=max(appointment.scheduled_end, now) + KEPT,
    )


def find(token: str, *, now: datetime) -> ManageLink:
    """Return the live link of a token. Raises LinkEnded."""
    link = ManageLink.objects.filter(token_digest=token_digest(token), expires_at__gt=now).first()
    if link is None:
        raise LinkEnded
    return link


def find_all(token: str, *, now: datetime) -> list[ManageLink]:
    """Return the live links of a token, the first visit's first. Raises LinkEnded without it."""
    digests = [token_digest(part) for part in _parts(token)]
    rows = ManageLink.objects.filter(token_digest__in=digests, expires_at__gt=now)
    live = {bytes(link.token_digest): link for link in rows}
    if digests[0] not in live:
        raise LinkEnded
    return [live[digest] for digest in digests if digest in live]


def admit(session: SessionBase, link: ManageLink) -> None:
    """Let this browser reach the link's visit; the last twenty links count.

    What the browser may reach grows, so its session gets a new key.
    """
    remember(session, SESSION_KEY, str(link.pk))


def remember(session: SessionBase, key: str, name: str) -> None:
    """Keep the last twenty of what a browser was let reach; its session gets a new key for more."""
    known = session.get(key, [])
    kept = [one for one in known if one != name]
    session[key] = [*kept, name][-MOST_IN_SESSION:]
    if len(kept) == len(known):
        renew(session)


def grant(session: SessionBase, appointment: Appointment, *, now: datetime) -> None:
    """Let the browser that has just booked a visit reach it, without a token."""
    admit(session, _make(appointment, secrets.token_urlsafe(TOKEN_BYTES), now=now))


def within_reach(
    session: SessionBase, user: AbstractBaseUser | AnonymousUser, *, now: datetime
) -> AppointmentQuerySet:
    """Return the visits that a patient's browser may see: by live links, or as their own.

    Staff reach nothing here by being staff: these are the patients' pages.
    """
    links = ManageLink.objects.filter(pk__in=session.get(SESSION_KEY, []), expires_at__gt=now)
    mine = Q(pk__in=links.values("appointment"))
    if user.is_authenticated and user.is_active:
        mine |= Q(patient__user=user)
    return Appointment.objects.filter(mine).select_related(*RELATED)


def reaches(request: HttpRequest, appointment: Appointment, *, now: datetime) -> bool:
    """Say whether a patient's browser may still see this visit."""
    reach = within_reach(request.session, request.user, now=now)
    return reach.filter(pk=appointment.pk).exists()


def on_appointment_change(changes: Sequence[Change]) -> None:
    """Let the links of a moved visit live as long as it does now."""
    for change in changes:
        if change.kind == "MOVE":
            ManageLink.objects.filter(
                appointment=change.appointment, expires_at__gt=change.at
            ).update(expires_at=max(change.appointment.scheduled_end, change.at) + KEPT)


def on_contact_change(patient: Patient) -> None:
    """End the links to a patient's visits: they went to an address that is no longer on file."""
    ManageLink.objects.filter(appointment__patient=patient, expires_at__gt=timezone.now()).update(
        expires_at=timezone.now()
    )


def ask_for_link(*, reference: str, contact: str, network: str) -> None:
    """Have a new link sent to the contact on file, if this visit's patient has that one.

    Nothing is looked up here: the answer and its time are the same either way, and what is kept is
    the reference and the contact's blind index. Raises TooManyRequests.
    """
    LOST_BY_NETWORK.spend(network)
    column = column_of(contact)
    indexes = [digest.hex() for digest in contact_indexes(column, contact)]
    LOST_BY_CONTACT.spend(indexes[0])
    for path in settings.LINK_HANDLERS:
        _handler(path)(reference, indexes, channel=CHANNELS[column], language=get_language() or "")


class Handler(Protocol):
    def __call__(
        self, reference: str, indexes: Sequence[str], *, channel: str, language: str
    ) -> None: ...


@lru_cache(maxsize=4)
def _handler(path: str) -> Handler:
    handler: Handler = import_string(path)
    return handler
