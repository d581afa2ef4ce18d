"""What a way out is given, what it answers, and how it says that it could not.

An error says what is known of the message, because that decides whether it may be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from reminders.kinds import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message as it leaves: `to` is an e-mail address, a number in E.164, or a push endpoint.

    `marker` is the delivery's id, sent along where the vendor hands such things back. `p256dh` and
    `auth` are a browser's keys, `url` is what a notification opens.
    """

    to: str
    text: str
    marker: str
    subject: str = ""
    url: str = ""
    p256dh: str = ""
    auth: str = ""
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The vendor took it under `vendor_id`; `state` is SENT, or DELIVERED where that is all."""

    vendor_id: str
    state: State
    vendor_status: str = ""


class ChannelError(Exception):
    """A vendor did not simply take the message. Carries codes, never an address or a word of it."""

    def __init__(self, code: str = "") -> None:
        super().__init__(code)
        self.code = code


class TryLater(ChannelError):
    """Surely not taken, and may be tried again: no connection, 429, 503."""

    def __init__(self, code: str = "", *, after: timedelta | None = None) -> None:
        super().__init__(code)
        self.after = after


class Refused(ChannelError):
    """Surely not taken, and never will be: a bad request, a number that cannot be texted."""


class Unwanted(Refused):
    """Refused because the recipient said stop there (Twilio 21610)."""


class Gone(Refused):
    """Refused because there is no such recipient any more (push 404 and 410)."""


class Unsure(ChannelError):
    """Perhaps taken: the request was written, and no answer says what became of it."""


class CannotLook(ChannelError):
    """The vendor keeps no list in which a message could be found again, or it does not answer."""


class Way(Protocol):
    """One vendor. `vendor` is its name in the ledger; `reports` says whether it will tell later
    that a message was delivered."""

    vendor: str
    reports: bool

    def send(self, message: Outgoing) -> Receipt:
        """Hand one message over. Raises TryLater, Refused (Unwanted, Gone) or Unsure."""

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Look for a message sent to `to` since then whose text has this SHA-256.

        None where the vendor certainly has none. Raises CannotLook.
        """
