"""E-mails by SendGrid, through its own client, which speaks over our session instead of its own.

Nothing in a message is tracked: its links are secrets, and lead where they say.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from python_http_client.client import Client
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import (
    ClickTracking,
    CustomArg,
    From,
    Header,
    Mail,
    OpenTracking,
    SubscriptionTracking,
    To,
    TrackingSettings,
)

from reminders.channels.addresses import parted
from reminders.channels.base import CannotLook, Outgoing, Receipt, Refused
from reminders.channels.mail import unsubscribe_headers
from reminders.channels.session import Session, refusal
from reminders.kinds import Channel, State


class SendGrid:
    """One client a process, whose connections its threads share."""

    vendor = "sendgrid"
    reports = True

    def __init__(self, channel: Channel) -> None:
        """Raise ImproperlyConfigured where SENDGRID_BASE_URL is without TLS on another machine."""
        self.channel = channel
        base = settings.SENDGRID_BASE_URL.rstrip("/")
        if parted(base) is None:
            raise ImproperlyConfigured("SENDGRID_BASE_URL must be https:// and a host.")
        known = SendGridAPIClient(settings.SENDGRID_API_KEY, host=base)
        headers = known.client.request_headers
        known.client = Speaker(Session(), host=base, request_headers=headers, version=3)
        self.api = known

    def send(self, message: Outgoing) -> Receipt:
        """Hand one e-mail over; its marker comes back with every report about it."""
        try:
            words = _composed(message).get()
        except ValueError:
            raise Refused("malformed") from None
        answer = self.api.send(words)
        return Receipt(str(answer.headers.get("X-Message-Id") or ""), State.SENT)

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Raise CannotLook: its list of messages is neither complete nor for every account."""
        raise CannotLook("sendgrid")


class Speaker(Client):  # type: ignore[misc]  # untyped library
    """SendGrid's own client, but for the talk itself."""

    def __init__(self, session: Session, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.session = session

    def _build_client(self, name: str | None = None) -> Speaker:
        return Speaker(
            self.session,
            host=self.host,
            version=self._version,
            request_headers=dict(self.request_headers),
            url_path=[*self._url_path, name] if name else self._url_path,
        )

    def _make_request(self, opener: Any, request: Any, timeout: float | None = None) -> Answer:
        """Return an answer of 2xx. Raises what any other says of the message."""
        answer = self.session.request(
            request.get_method(), request.full_url, data=request.data, headers=request.headers
        )
        if not 200 <= answer.status_code < 300:
            raise refusal(answer.status_code, retry_after=answer.headers.get("Retry-After"))
        return Answer(answer.status_code, answer.content, answer.headers)


class Answer:
    """An answer in the form in which the library reads one."""

    def __init__(self, status: int, body: bytes, headers: Any) -> None:
        self.getcode = lambda: status
        self.read = lambda: body
        self.info = lambda: headers


def _composed(message: Outgoing) -> Mail:
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    mail = Mail(
        from_email=From(address, name or None),
        to_emails=To(message.to),
        subject=message.subject,
        plain_text_content=message.text,
    )
    mail.add_custom_arg(CustomArg("delivery", message.marker))
    for key, value in unsubscribe_headers(message.unsubscribe_url).items():
        mail.add_header(Header(key, value))
    mail.tracking_settings = TrackingSettings(
        click_tracking=ClickTracking(enable=False, enable_text=False),
        open_tracking=OpenTracking(enable=False),
        subscription_tracking=SubscriptionTracking(enable=False),
    )
    return mail
