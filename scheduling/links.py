"""Links that open one visit to whoever holds them, until a day after it.

A token stands in one message and nowhere else: its digest is kept, and the browser that brings it
gets the link's id into its session instead. Refuses to know what may be done with the visit.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_q.tasks import async_task

from patients.crypto import token_digest
from patients.indexes import contact_indexes
from patients.mail import send_mail
from patients.models import Patient
from patients.models.audit import Act
from patients.privacy import audit
from patients.privacy.sign_in import renew
from patients.throttle import Limit
from scheduling.changes import Change
from scheduling.models import Appointment, ManageLink
from scheduling.models.appointment import AppointmentQuerySet
from scheduling.transitions import Status

TOKEN_BYTES = 16  # 128 random bits, 22 characters
KEPT = timedelta(days=1)
SESSION_KEY = "visit_links"
MOST_IN_SESSION = 20
LOST_BY_NETWORK = Limit("lost-link-network", times=20)
LOST_BY_CONTACT = Limit("lost-link-contact", times=5)
RELATED = ("clinic__time_zone", "provider__specialty", "appointment_type", "patient")


class LinkEnded(Exception):
    """No visit is behind this token, or not any more."""


def issue(appointment: Appointment, *, now: datetime) -> str:
    """Return a new token for a visit; it works until a day after the visit's end."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    _make(appointment, token, now=now)
    return token


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


def admit(session: SessionBase, link: ManageLink) -> None:
    """Let this browser reach the link's visit; the last twenty links count.

    What the browser may reach grows, so its session gets a new key.
    """
    known = session.get(SESSION_KEY, [])
    kept = [pk for pk in known if pk != str(link.pk)]
    session[SESSION_KEY] = [*kept, str(link.pk)][-MOST_IN_SESSION:]
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


def queue_booked_mail(appointment: Appointment) -> None:
    """Have the mail with the link sent once the current transaction, if any, is over."""
    transaction.on_commit(partial(async_task, "scheduling.links.mail_booked", str(appointment.pk)))


def mail_booked(appointment_id: UUID | str) -> None:
    """Send what was booked, with a link: the worker's part. A cancelled visit gets no mail."""
    visit = Appointment.objects.select_related(*RELATED).get(pk=appointment_id)
    if visit.status != Status.CANCELLED:
        _mail(visit, kind="visit_booked")


def ask_for_link(*, reference: str, email: str, network: str) -> None:
    """Have a new link sent to the contact on file, if this visit's patient has that e-mail.

    Nothing is looked up here: the answer and its time are the same either way, and the queue
    gets the reference and the address's blind index. Raises TooManyRequests.
    """
    LOST_BY_NETWORK.spend(network)
    indexes = [digest.hex() for digest in contact_indexes("email", email)]
    LOST_BY_CONTACT.spend(indexes[0])
    transaction.on_commit(partial(async_task, "scheduling.links.mail_lost", reference, *indexes))


def mail_lost(reference: str, *email_indexes: str) -> None:
    """Send a new link, where reference and address belong together: the worker's part."""
    visit = (
        Appointment.objects.select_related(*RELATED)
        .filter(reference=reference, patient__email_index__in=map(bytes.fromhex, email_indexes))
        .first()
    )
    if visit is not None and visit.scheduled_end + KEPT > timezone.now():
        _mail(visit, kind="visit_link")


def _mail(visit: Appointment, *, kind: str) -> None:
    """Send one message with a fresh link to the patient's e-mail, if there is one."""
    with audit.keeping_record(
        system="system:mail", purpose="message", action=Act.SEND, clinic=visit.clinic
    ) as kept:
        kept.look.patients.add(visit.patient_id)
        if visit.patient.email:
            _send(visit, kind=kind)
        else:
            kept.action = Act.ACCESS


def _send(visit: Appointment, *, kind: str) -> None:
    patient = visit.patient
    path = reverse("portal:link", args=[issue(visit, now=timezone.now())])
    context = {"visit": visit, "given_name": patient.given_name, "url": settings.SITE_URL + path}
    send_mail(kind=kind, to=patient.email, language=patient.language, context=context)
