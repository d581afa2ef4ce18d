"""The way of a channel that the clinic does not use: nothing leaves by it."""

from __future__ import annotations

from datetime import datetime

from reminders.channels.base import CannotLook, Outgoing, Receipt, Refused
from reminders.kinds import Channel


class Off:
    """Refuses every message. Who asks `registry.is_off` first never comes here."""

    vendor = "off"
    reports = False

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def send(self, message: Outgoing) -> Receipt:
        """Raise Refused."""
        raise Refused("off")

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Raise CannotLook: the vendor that was used before is asked no more."""
        raise CannotLook("off")
