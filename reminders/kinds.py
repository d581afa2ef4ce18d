"""The words of the ledger: what is sent, by which way, where it stands, and why it was not sent."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """A way to a person."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"


class Kind(StrEnum):
    """What a visit's cadence holds; the first two ask for a confirmation, the third as well."""

    REQUEST = "REQUEST"
    FOLLOW_UP = "FOLLOW_UP"
    REMINDER = "REMINDER"
    JOIN = "JOIN"


class NoticeKind(StrEnum):
    """Messages that are no reminder: of something that has just happened, or was asked for."""

    BOOKED = "BOOKED"
    MOVED = "MOVED"
    CANCELLED = "CANCELLED"
    RELEASED = "RELEASED"
    RESTORED = "RESTORED"
    LINK = "LINK"
    SIGN_IN_CODE = "SIGN_IN_CODE"
    BOOKING_CODE = "BOOKING_CODE"
    REPLY = "REPLY"
    OFFER = "OFFER"


class Standing(StrEnum):
    """Of a reminder or notice: to come, handed to a delivery, or not to be sent at all."""

    PLANNED = "PLANNED"
    TAKEN = "TAKEN"
    SKIPPED = "SKIPPED"


class State(StrEnum):
    """Of a delivery. QUEUED, CLAIMED and SENDING are on the way; the rest is how it went.

    A vendor is spoken to in SENDING and never outside of it: a delivery found in CLAIMED after its
    worker died was not sent, one found in SENDING is UNKNOWN.
    """

    QUEUED = "QUEUED"
    CLAIMED = "CLAIMED"
    SENDING = "SENDING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"


class Why(StrEnum):
    """Why something was not sent, or did not arrive."""

    NONE = ""
    # Not sent, because the world changed
    CANCELLED = "CANCELLED"
    MOVED = "MOVED"
    CONFIRMED = "CONFIRMED"
    ARRIVED = "ARRIVED"
    UNDONE = "UNDONE"
    RELEASED = "RELEASED"
    RECORD_JOINED = "RECORD_JOINED"
    # Not sent, because it would be too late, too much or unwelcome
    TOO_LATE = "TOO_LATE"
    CAP = "CAP"
    OPTED_OUT = "OPTED_OUT"
    SUPPRESSED = "SUPPRESSED"
    SWITCHED_OFF = "SWITCHED_OFF"
    # Not sent, because there is no way
    NO_EMAIL = "NO_EMAIL"
    NO_PHONE = "NO_PHONE"
    NOT_TEXTABLE = "NOT_TEXTABLE"
    NO_DEVICE = "NO_DEVICE"
    NOT_ON_FILE = "NOT_ON_FILE"
    EXPIRED = "EXPIRED"
    # Sent, or tried
    REFUSED = "REFUSED"
    BOUNCED = "BOUNCED"
    UNDELIVERED = "UNDELIVERED"
    GAVE_UP = "GAVE_UP"
    UNANSWERED = "UNANSWERED"


class CallReason(StrEnum):
    """Why a person should be called."""

    UNCONFIRMED = "UNCONFIRMED"
    UNDELIVERABLE = "UNDELIVERABLE"
    INTERPRETER = "INTERPRETER"
    OPTED_OUT = "OPTED_OUT"
    UNSURE = "UNSURE"


class Meaning(StrEnum):
    """What a text from a patient says."""

    CONFIRM = "CONFIRM"
    CHANGE = "CHANGE"
    STOP = "STOP"
    START = "START"
    OTHER = "OTHER"
