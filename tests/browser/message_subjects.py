"""The desk's pages about messages, after some days of asking, calling and answering."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from providers.fields import new_id
from reminders import waiting
from reminders.calls import log_attempt, open_call
from reminders.kinds import CallReason, Channel, Kind, Meaning, State, Why
from reminders.models import CallAttempt, InboundText
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, CancelReason
from scheduling.seeding import cast
from tests.browser import visitors
from tests.browser.subjects import Subject
from tests.reminders.asking import asked, delivery

HOUR = timedelta(hours=1)
Outcome = CallAttempt.Outcome
BODIES = [
    "Running 10 min late, is that ok?",
    "Who is this? I did not make an appointment with anybody, please take me off your list",
    "Puedo ir el martes por la tarde?",
]


def _coming(now: datetime) -> list[Appointment]:
    visits = Appointment.objects.live().filter(
        scheduled_start__gt=now + 24 * HOUR, arrived_at=None, status="SCHEDULED"
    )
    related = visits.select_related("patient", "clinic", "provider", "appointment_type")
    return list(related.order_by("scheduled_start")[:9])


def _calls(visits: list[Appointment], receptionist: User, now: datetime) -> None:
    for visit, reason in zip(visits, [*CallReason, CallReason.UNCONFIRMED], strict=False):
        open_call(appointment=visit, reason=reason, now=now)
    item = open_call(appointment=visits[0], reason=CallReason.UNDELIVERABLE, now=now)
    assert item is not None
    for outcome, hours, note in ((Outcome.NO_ANSWER, 5, ""), (Outcome.LEFT_MESSAGE, 1, "Daughter")):
        log_attempt(
            pk=new_id(),
            item=item,
            outcome=outcome,
            note=note,
            by_user=receptionist.pk,
            now=now - hours * HOUR,
        )


def _texts(visits: list[Appointment], now: datetime) -> None:
    for number, (visit, body) in enumerate(zip(visits, BODIES, strict=False)):
        InboundText.objects.create(
            vendor="console",
            vendor_id=f"picture{number}",
            clinic=visit.clinic,
            patient=None if number == 1 else visit.patient,
            appointment=visit if number == 0 else None,
            sender=f"+1212555014{number}",
            body=body,
            meaning=Meaning.OTHER.value,
            needs_staff=True,
            received_at=now - number * HOUR,
        )


def _messages() -> list[Subject]:
    now, client = timezone.now(), visitors.staff("desk")
    receptionist = User.objects.get(username=f"{visitors.STAFF['desk']}@{cast.DOMAIN}")
    visits = _coming(now)
    _calls(visits, receptionist, now)
    _texts(visits, now)
    told, untold, freed = visits[0], visits[1], visits[-1]
    asked(told, Kind.REQUEST, sent_at=now - 30 * HOUR)
    failed = asked(told, Kind.FOLLOW_UP, State.FAILED, sent_at=now - 6 * HOUR).delivery
    assert failed is not None
    failed.why, failed.error_code, failed.attempts = Why.UNDELIVERED.value, "30005", 2
    failed.save()
    delivery(told, "SIGN_IN_CODE", Channel.SMS, State.UNKNOWN, at=now - HOUR, raised_at=now)
    untold.reminders.all().delete()
    untold.notices.all().delete()
    asked(untold, Kind.REQUEST, None, why=Why.NO_EMAIL.value)
    asked(untold, Kind.FOLLOW_UP, None, why=Why.OPTED_OUT.value)
    booking.cancel(
        appointment=freed,
        reason=CancelReason.UNCONFIRMED.value,
        by=Actor.system("reminders"),
        now=now,
    )
    waiting.forget()
    return [
        Subject("messages:calls", "desk", client),
        Subject("messages:calls", "desk", client, query="reason=OPTED_OUT", label="one-reason"),
        Subject("messages:call", "desk", client, {"pk": told.pk}),
        Subject("messages:call", "desk", client, {"pk": visits[7].pk}, label="off-the-list"),
        Subject("messages:texts", "desk", client),
        Subject("messages:texts", "desk", client, query="show=all", label="all"),
        Subject("messages:log", "desk", client),
        Subject("messages:log", "desk", client, query="state=waiting&channel=PUSH", label="none"),
        Subject("messages:log", "desk", client, query="day=soon", label="wrong", status=400),
        Subject("messages:visit", "desk", client, {"pk": told.pk}, label="messages"),
        Subject("messages:visit", "desk", client, {"pk": untold.pk}, label="messages-none"),
        Subject("desk:appointment", "desk", client, {"pk": freed.pk}, label="freed"),
    ]


WAYS = [_messages]
