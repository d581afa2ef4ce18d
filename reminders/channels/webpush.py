"""Notifications to browsers by the push service of each, sealed for that browser alone.

A browser named the address, so it is looked at again here. What a push service took may wait for
two hours, and a second try takes the place of the first.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from email.utils import parseaddr
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from http_ece import ECEException
from py_vapid import Vapid, VapidException
from pywebpush import WebPushException, webpush

from reminders.channels.addresses import is_push_service
from reminders.channels.base import CannotLook, Gone, Outgoing, Receipt, Refused, TryLater, Unsure
from reminders.channels.session import Session, refusal
from reminders.kinds import Channel, State

TIME_TO_LIVE = timedelta(hours=2)
NO_SUCH_BROWSER = {404, 410}
# Its keys belong to another site's, or an older one's, public key: only a new opt-in mends that.
OTHER_KEYS = 403


class WebPush:
    """One session a process, whose connections its threads share."""

    vendor = "webpush"
    reports = False

    def __init__(self, channel: Channel) -> None:
        """Raise ImproperlyConfigured where VAPID_PRIVATE_KEY cannot be used."""
        self.channel = channel
        self.session = Session()
        try:
            self.key = Vapid.from_string(settings.VAPID_PRIVATE_KEY)
        except (ValueError, VapidException):
            raise ImproperlyConfigured("VAPID_PRIVATE_KEY cannot be used.") from None

    def send(self, message: Outgoing) -> Receipt:
        """Hand one notification over. Raises Gone where the browser is no more."""
        if not is_push_service(message.to, hosts=settings.PUSH_HOSTS):
            raise Refused("unknown_host")
        tag = tag_of(message.marker)
        try:
            answer = webpush(
                {
                    "endpoint": message.to,
                    "keys": {"p256dh": message.p256dh, "auth": message.auth},
                },
                data=json.dumps(_shown(message, tag=tag), ensure_ascii=False),
                vapid_private_key=self.key,
                vapid_claims=_claims(message.to),
                headers={"Topic": tag, "Urgency": "high"},
                ttl=int(TIME_TO_LIVE.total_seconds()),
                requests_session=self.session,
            )
        except WebPushException as error:
            raise _told(error) from None
        except VapidException:
            raise TryLater("vapid") from None
        except (ECEException, IndexError, ValueError):
            raise Refused("bad_keys") from None
        if not isinstance(answer, requests.Response):
            raise Unsure("unreadable")
        return Receipt(message.marker, State.SENT, str(answer.status_code))

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Raise CannotLook: a push service keeps no list."""
        raise CannotLook("webpush")


def tag_of(marker: str) -> str:
    """Return the topic of a delivery's notification: 32 characters that say nothing."""
    return urlsafe_b64encode(sha256(marker.encode()).digest()[:24]).decode()


def _shown(message: Outgoing, *, tag: str) -> dict[str, str]:
    shown = {"body": message.text, "url": message.url, "tag": tag}
    return {"title": message.subject, **shown} if message.subject else shown


def _claims(endpoint: str) -> dict[str, Any]:
    """Return who asks, and of whom; the library writes the end of it into them."""
    parts = urlsplit(endpoint)
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "sub": settings.VAPID_SUBJECT or f"mailto:{sender}",
    }


def _told(error: WebPushException) -> Exception:
    """Return what an answer says; without one nothing was sent, because the keys are none."""
    answer = error.response
    status = getattr(answer, "status_code", None)
    if answer is None or status is None:
        return Refused("bad_keys")
    if status in NO_SUCH_BROWSER:
        return Gone(str(status))
    if status == OTHER_KEYS:
        return Refused(str(status))
    return refusal(status, retry_after=answer.headers.get("Retry-After"))
