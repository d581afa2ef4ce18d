"""Which cadence and which ways a clinic has chosen for a type of visit.

Kept in the process for half a minute, so that a booking needs no statement for it; a change made in
this process counts at once, one made in another within that time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from providers.remembered import Remembered
from reminders.due import Cadence
from reminders.kinds import Channel
from reminders.models import ReminderPolicy

KEPT_SECONDS = 30.0
MOST_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Policy:
    """`sent_counts_as_delivered` is for clinics whose mail server reports no deliveries."""

    cadence: Cadence = field(default_factory=Cadence)
    email: bool = True
    sms: bool = True
    push: bool = True
    sent_counts_as_delivered: bool = False


def policy_of(clinic_id: UUID, visit_type_id: UUID | None) -> Policy:
    """Return the policy of the visit type's own row, else of the clinic's, else the default.

    Without a visit type it is the clinic's.
    """
    return _policies((clinic_id, visit_type_id))


def is_on(policy: Policy, channel: Channel) -> bool:
    """Say whether a clinic wants to use this way at all."""
    return {Channel.EMAIL: policy.email, Channel.SMS: policy.sms, Channel.PUSH: policy.push}[
        channel
    ]


def forget() -> None:
    """Read every policy anew when it is asked for next."""
    _policies.forget()


def _read(key: tuple[UUID, UUID | None]) -> Policy:
    clinic_id, visit_type_id = key
    rows = ReminderPolicy.objects.filter(
        Q(visit_type=visit_type_id) | Q(visit_type=None), clinic=clinic_id
    )
    row = rows.order_by(F("visit_type").asc(nulls_last=True)).first()
    return Policy() if row is None else _of(row)


_policies = Remembered(_read, seconds=KEPT_SECONDS, most=MOST_KEPT)


def _of(row: ReminderPolicy) -> Policy:
    return Policy(
        cadence=Cadence(
            request=_hours(row.request_hours),
            follow_up=_hours(row.follow_up_hours),
            reminder=_hours(row.reminder_hours),
            join=_hours(row.join_hours),
            release=_hours(row.release_hours),
        ),
        email=row.email,
        sms=row.sms,
        push=row.push,
        sent_counts_as_delivered=row.sent_counts_as_delivered,
    )


def _hours(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(hours=number)


@receiver([post_save, post_delete], sender=ReminderPolicy)
def _changed(**_signal: object) -> None:
    """Forget at once, and again when others can read it: it may be read in between."""
    forget()
    transaction.on_commit(forget)
