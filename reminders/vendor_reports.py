"""What a vendor reports of a message, in the ledger's words.

Pure: forms and events in, reports out. Anything odd is None: vendors add words and fields as they
like, and what is not known is not acted on. Never keeps a vendor's sentence, which may quote an
address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reminders.kinds import Channel, State

TWILIO, SENDGRID = "twilio", "sendgrid"
TWILIO_STATES = {
    "accepted": State.SENT,
    "scheduled": State.SENT,
    "queued": State.SENT,
    "sending": State.SENT,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}
SENDGRID_STATES = {
    "processed": State.SENT,
    "deferred": State.SENT,
    "delivered": State.DELIVERED,
    "bounce": State.FAILED,
    "dropped": State.FAILED,
    "spamreport": State.DELIVERED,
    "unsubscribe": State.DELIVERED,
    "group_unsubscribe": State.DELIVERED,
}
STOPPED_AT_CARRIER = "21610"
# By the names of Suppression.Cause.
CARRIER, BOUNCE, COMPLAINT, UNSUBSCRIBED = "CARRIER", "BOUNCE", "COMPLAINT", "UNSUBSCRIBED"
SENDGRID_CAUSES = {
    "spamreport": COMPLAINT,
    "unsubscribe": UNSUBSCRIBED,
    "group_unsubscribe": UNSUBSCRIBED,
}
DROPPED = {
    "Bounced Address": "bounced",
    "Invalid": "invalid",
    "Invalid SMTPAPI header": "bad_header",
    "Spam Content": "spam_content",
    "Spam Reporting Address": "complained",
    "Unsubscribed Address": "unsubscribed",
    "Recipient List over Package Quota": "quota",
}
MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
TOKEN = re.compile(r"[\w.+/=-]{1,120}", re.ASCII)
CODE = re.compile(r"[\w.-]{1,24}", re.ASCII)
LONGEST_ADDRESS = 320
OLDEST = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report; `cause` says that its recipient is to be suppressed, and why.

    `vendor_id` and `marker` name the message, as the vendor or we call it; either may be empty.
    """

    vendor: str
    event_id: str
    channel: Channel
    vendor_id: str
    marker: str
    state: State
    status: str
    error_code: str
    at: datetime
    recipient: str
    cause: str = ""


def from_twilio(form: Mapping[str, str], *, marker: str = "", now: datetime) -> Report | None:
    """Return what a status callback says. Twilio gives no time of its own: it is now."""
    sid, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
    state = TWILIO_STATES.get(status)
    if state is None or not MESSAGE_SID.fullmatch(sid):
        return None
    code = _code(form.get("ErrorCode"))
    return Report(
        vendor=TWILIO,
        event_id=f"{sid}:{status}",
        channel=Channel.SMS,
        vendor_id=sid,
        marker=_token(marker),
        state=state,
        status=status,
        error_code=code,
        at=now,
        recipient=_address(form.get("To")),
        cause=CARRIER if code == STOPPED_AT_CARRIER else "",
    )


def from_sendgrid(event: Any, *, now: datetime) -> Report | None:
    """Return what one event of a batch says; None for opens, clicks and what is no event."""
    if not isinstance(event, dict):
        return None
    name, event_id = event.get("event"), _token(event.get("sg_event_id"))
    state = SENDGRID_STATES.get(name) if isinstance(name, str) else None
    marker, vendor_id = _token(event.get("delivery")), _token(event.get("sg_message_id"))
    if state is None or not event_id or not (marker or vendor_id):
        return None
    return Report(
        vendor=SENDGRID,
        event_id=event_id,
        channel=Channel.EMAIL,
        vendor_id=vendor_id.partition(".")[0],
        marker=marker,
        state=state,
        status=str(name),
        error_code=_sendgrid_code(event),
        at=_instant(event.get("timestamp"), now=now),
        recipient=_address(event.get("email")),
        cause=_sendgrid_cause(event),
    )


def _sendgrid_cause(event: Mapping[str, Any]) -> str:
    """A bounce that is blocked for now says nothing about the address; any other ends it."""
    if event["event"] == "bounce":
        return "" if event.get("type") == "blocked" else BOUNCE
    return SENDGRID_CAUSES.get(event["event"], "")


def _sendgrid_code(event: Mapping[str, Any]) -> str:
    reason = event.get("reason")
    if event["event"] == "dropped":
        return DROPPED.get(reason, "other") if isinstance(reason, str) else "other"
    return _code(event.get("status"))


def _instant(told: Any, *, now: datetime) -> datetime:
    """Return when it happened: never to come, and never longer ago than a report may take."""
    if isinstance(told, bool) or not isinstance(told, int):
        return now
    seconds = min(max(told, int((now - OLDEST).timestamp())), int(now.timestamp()))
    return datetime.fromtimestamp(seconds, UTC)


def _token(told: Any) -> str:
    return told if isinstance(told, str) and TOKEN.fullmatch(told) else ""


def _code(told: Any) -> str:
    return told if isinstance(told, str) and CODE.fullmatch(told) else ""


def _address(told: Any) -> str:
    is_one = isinstance(told, str) and told.isprintable() and len(told) <= LONGEST_ADDRESS
    return told if is_one else ""
