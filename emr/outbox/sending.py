"""Sends one claimed message by its kind, and turns what nobody foresaw into "perhaps sent".

No transaction is open while the other side is spoken to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from emr.drivers.base import Driver
from emr.failures import EMRError, Unsure
from emr.kinds import State, What
from emr.models import OutboundMessage
from emr.outbox import claims, notes, people, telling
from emr.outbox.outcomes import Outcome, not_sent

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
SENDERS: Mapping[str, Callable[[OutboundMessage, Driver, Clock], Outcome]] = {
    What.VISIT.value: telling.tell,
    What.NOTE.value: notes.write,
    What.PATIENT.value: people.ask,
}


def send(message: OutboundMessage, driver: Driver, *, clock: Clock) -> Outcome:
    """Bring one claimed message to an end, or to a later time."""
    try:
        return SENDERS[message.what](message, driver, clock)
    except Exception as error:  # what nobody foresaw says nothing about the message
        logger.exception("emr message perhaps sent", extra={"row": str(message.pk)})
        return _stumbled(message, error, now=clock())


def not_opened(message: OutboundMessage, error: EMRError, *, now: datetime) -> Outcome:
    """Put a claimed message off, because its connection could not be opened."""
    was_unsure = message.sending_at is not None
    return not_sent(message, error, was_unsure=was_unsure, away_from=State.CLAIMED, now=now)


def _stumbled(message: OutboundMessage, error: Exception, *, now: datetime) -> Outcome:
    told = Unsure(type(error).__name__)
    held = claims.is_held(message)
    return not_sent(message, told, away_from=State.CLAIMED if held else State.SENDING, now=now)
