"""Shows messages on a developer's terminal. They hold what patients would read: no clinic's server
may use it."""

from __future__ import annotations

import sys
from datetime import datetime
from threading import Lock

from reminders.channels.base import CannotLook, Outgoing, Receipt
from reminders.kinds import Channel, State

one_at_a_time = Lock()


class Console:
    """Writes to the standard output, whole messages one after the other."""

    vendor = "console"
    reports = False

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def send(self, message: Outgoing) -> Receipt:
        """Show one message, which is all the delivery there is."""
        with one_at_a_time:
            sys.stdout.write(shown(self.channel, message))
            sys.stdout.flush()
        return Receipt(message.marker, State.DELIVERED)

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Raise CannotLook: a terminal remembers nothing."""
        raise CannotLook("console")


def shown(channel: Channel, message: Outgoing) -> str:
    """Return a message as lines for a person."""
    head = [f"{channel} to {message.to}", message.subject, message.url, message.unsubscribe_url]
    return "\n".join([*filter(None, head), message.text, "-" * 40, ""])
