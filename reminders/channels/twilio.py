"""Texts by Twilio, through its own client. Its errors and its log would carry numbers and words:
neither gets further than this file.

Twilio takes no key under which a message counts once, so a message of which nothing is known is
looked for in its list instead, by recipient and text.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from reminders.channels.addresses import parted
from reminders.channels.base import (
    CannotLook,
    ChannelError,
    Outgoing,
    Receipt,
    Refused,
    TryLater,
    Unsure,
    Unwanted,
)
from reminders.channels.session import Session, refusal
from reminders.kinds import Channel, State

STOPPED_THERE = 21610
# Wrong with the account, the sender or the pace, which somebody can put right; not with the number.
OURS = frozenset({14107, 20003, 20005, 21212, 21603, 21606, 21609, 21611, 21659, 21703, 21705})
STATES = {
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "failed": State.FAILED,
    "undelivered": State.FAILED,
    "canceled": State.FAILED,
}
# What the client raises where an answer holds something else than it expects.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
# As much as is read to find one message; a number with more to it than this was not looked through.
MOST_LISTED = 400
LISTED_AT_ONCE = 200
CLOCKS_APART = timedelta(minutes=2)


class Twilio:
    """One client a process, whose connections its threads share."""

    vendor = "twilio"
    reports = True

    def __init__(self, channel: Channel) -> None:
        """Raise ImproperlyConfigured where TWILIO_BASE_URL is without TLS on another machine."""
        self.channel = channel
        self.status_url = settings.SITE_URL + reverse("hooks:twilio_status")
        self.client = Client(
            settings.TWILIO_ACCOUNT_SID,
            settings.TWILIO_AUTH_TOKEN,
            http_client=Speaker(settings.TWILIO_BASE_URL),
            environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
        )

    def send(self, message: Outgoing) -> Receipt:
        """Hand one text over. Twilio will report to `?delivery=`, which it signs."""
        try:
            made = self.client.messages.create(
                to=message.to,
                body=message.text,
                status_callback=f"{self.status_url}?{urlencode({'delivery': message.marker})}",
                **_sender(),
            )
        except TwilioException as error:
            raise _told(error) from None
        except UNREADABLE:  # it said 2xx, which is that it has it
            raise Unsure("unreadable") from None
        if not made.sid:
            raise Unsure("no_id")
        if _state(made) == State.FAILED:
            raise Refused(str(made.error_code or made.status))
        return _receipt(made)

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Look through the texts to a number.

        By no date: a text that waits at Twilio has none yet. Its list may be some seconds old.
        """
        try:
            listed = self.client.messages.list(to=to, limit=MOST_LISTED, page_size=LISTED_AT_ONCE)
            fitting = [one for one in listed if _is_it(one, digest=digest, since=since)]
        except (ChannelError, TwilioException, *UNREADABLE) as error:
            raise CannotLook(type(error).__name__[:24]) from None
        if fitting:
            return _receipt(fitting[0])
        if len(listed) >= MOST_LISTED:
            raise CannotLook("too_many")
        return None


class Speaker(HttpClient):  # type: ignore[misc]  # untyped library
    """Twilio's client speaks through our session, and to the base URL of the settings only."""

    def __init__(self, base_url: str) -> None:
        base = parted(base_url)
        if base is None or base.query or base.path.strip("/"):
            raise ImproperlyConfigured("TWILIO_BASE_URL must be https:// and a host.")
        self.base = base
        self.session = Session()

    def request(
        self,
        method: str,
        uri: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        auth: Any = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - as the library calls it
    ) -> Response:
        """Return an answer of 2xx or 4xx. Raises TryLater and Unsure for all that is none."""
        asked = urlsplit(uri)
        url = urlunsplit((self.base.scheme, self.base.netloc, asked.path, asked.query, ""))
        answer = self.session.request(
            method, url, params=params, data=data, headers=headers, auth=auth
        )
        status = answer.status_code
        if status == 429 or not (200 <= status < 300 or 400 <= status < 500):
            raise refusal(status, retry_after=answer.headers.get("Retry-After"))
        return Response(status, answer.content.decode("utf-8", "replace"), answer.headers)


def _sender() -> dict[str, str]:
    if settings.TWILIO_MESSAGING_SERVICE_SID:
        return {"messaging_service_sid": settings.TWILIO_MESSAGING_SERVICE_SID}
    return {"from_": settings.TWILIO_FROM}


def _told(error: TwilioException) -> ChannelError:
    """Return what a refusal says of the message, without a word of the refusal."""
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    if not isinstance(status, int):
        return Unsure(type(error).__name__[:24])
    if code == STOPPED_THERE:
        return Unwanted(str(code))
    if code in OURS:
        return TryLater(str(code))
    return refusal(status, code=str(code) if isinstance(code, int) else "")


def _state(message: MessageInstance) -> State:
    return STATES.get(str(message.status), State.SENT)


def _receipt(message: MessageInstance) -> Receipt:
    return Receipt(str(message.sid), _state(message), str(message.status or "")[:24])


def _is_it(message: MessageInstance, *, digest: bytes, since: datetime) -> bool:
    made = message.date_created
    is_new = made is None or made >= since - CLOCKS_APART
    is_ours = str(message.direction or "outbound").startswith("outbound")
    return is_new and is_ours and sha256((message.body or "").encode()).digest() == digest
