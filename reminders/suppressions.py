"""Numbers and addresses to which nothing automatic goes, whoever has them on file.

Decides by the blind index alone, under either key while the key changes. Knows no patient, and
not what was to be sent. A browser is never in here: a device that is gone has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from patients.contacts import parse_email, parse_phone
from patients.indexes import contact_index, contact_indexes
from patients.looks import Look, looking
from patients.rotation import BATCH
from reminders.kinds import Channel
from reminders.models import Suppression

COLUMNS = {Channel.EMAIL: "email", Channel.SMS: "phone"}


def normal(channel: Channel, recipient: str) -> str:
    """Return a number or address as patients' records have it; what is neither stays as it is."""
    try:
        if channel == Channel.EMAIL:
            return parse_email(recipient)
        return parse_phone(recipient).number
    except ValidationError:  # a carrier's short code is no phone number, but may say STOP
        return recipient.strip().lower()


def suppress(*, channel: Channel, recipient: str, cause: Suppression.Cause, now: datetime) -> None:
    """Send nothing there from now on. The first cause stays; doing it twice changes nothing."""
    recipient = normal(channel, recipient)
    if not recipient or _live(channel, [recipient]).exists():
        return
    row = Suppression(
        channel=str(channel),
        recipient=recipient,
        recipient_index=contact_index(COLUMNS[channel], recipient),
        cause=cause.value,
        since=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        if not _live(channel, [recipient]).exists():
            raise  # not because somebody else was quicker


def lift(*, channel: Channel, recipient: str, now: datetime) -> None:
    """Let messages go there again; where nothing was suppressed, nothing happens."""
    for row in _live(channel, [normal(channel, recipient)]):
        row.lifted_at = now
        row.save(update_fields=["lifted_at"])


def is_suppressed(*, channel: Channel, recipient: str) -> bool:
    """Whether nothing automatic may go to this number or address."""
    return channel in COLUMNS and _live(channel, [normal(channel, recipient)]).exists()


def _live(channel: Channel, recipients: Iterable[str]) -> models.QuerySet[Suppression]:
    indexes = [
        digest
        for recipient in recipients
        for digest in contact_indexes(COLUMNS[channel], recipient)
    ]
    return Suppression.objects.filter(
        channel=str(channel), lifted_at=None, recipient_index__in=indexes
    )


def reindex(advance: Callable[[int], None]) -> int:
    """Write the indexes again under the key that is to be the only one; return how many changed.

    A row that somebody is writing is waited for. Raises SealBroken where one cannot be opened.
    """
    changed = 0
    waiting = list(Suppression.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(waiting), BATCH):
        ids = waiting[first : first + BATCH]
        changed += _reindex(ids)
        advance(len(ids))
    return changed


@transaction.atomic
def _reindex(ids: list[UUID]) -> int:
    changed = 0
    with looking(Look()):  # nobody is shown: the record of the whole job names no patient
        for row in Suppression.objects.select_for_update(no_key=True).filter(pk__in=ids):
            right = contact_index(COLUMNS[Channel(row.channel)], row.recipient)
            if bytes(row.recipient_index) != right:
                _write_index(row, right)
                changed += 1
    return changed


def _write_index(row: Suppression, digest: bytes) -> None:
    """Give a row its index, unless a process with the new key wrote the same suppression."""
    same = Suppression.objects.filter(channel=row.channel, recipient_index=digest, lifted_at=None)
    if row.lifted_at is None and same.exists():
        row.delete()
    else:
        row.recipient_index = digest
        row.save(update_fields=["recipient_index"])
