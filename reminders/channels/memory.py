"""Keeps messages in this process, for tests: what was sent can be read in `outbox`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from reminders.channels.base import Outgoing, Receipt
from reminders.kinds import Channel, State


@dataclass(frozen=True, slots=True)
class Kept:
    """One message that was sent, and when."""

    channel: Channel
    message: Outgoing
    at: datetime


outbox: list[Kept] = []


class Memory:
    """Takes everything at once, and finds it again."""

    vendor = "memory"
    reports = False

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def send(self, message: Outgoing) -> Receipt:
        """Keep one message."""
        outbox.append(Kept(self.channel, message, datetime.now(UTC)))
        return Receipt(message.marker, State.DELIVERED)

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Return what was kept, by its recipient and the SHA-256 of its text."""
        for kept in reversed(outbox):
            same = kept.message.to == to and sha256(kept.message.text.encode()).digest() == digest
            if same and kept.at >= since:
                return Receipt(kept.message.marker, State.DELIVERED)
        return None
