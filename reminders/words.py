"""What messages, their ways and how they went are called, for people at the desk and elsewhere.

Knows the words of `reminders.kinds` and nothing of rows.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reminders.kinds import CallReason, Channel, Kind, Meaning, NoticeKind, Standing, State, Why

CHANNELS = {
    Channel.EMAIL: _("E-mail"),
    Channel.SMS: _("Text message"),
    Channel.PUSH: _("Notification"),
}
KINDS = {
    Kind.REQUEST: _("Asked to confirm"),
    Kind.FOLLOW_UP: _("Asked to confirm again"),
    Kind.REMINDER: _("Reminder"),
    Kind.JOIN: _("Link to the video visit"),
    NoticeKind.BOOKED: _("Told of the booking"),
    NoticeKind.MOVED: _("Told of the new time"),
    NoticeKind.CANCELLED: _("Told of the cancellation"),
    NoticeKind.RELEASED: _("Told that the time was freed"),
    NoticeKind.RESTORED: _("Told that the visit is on again"),
    NoticeKind.LINK: _("New link, as asked for"),
    NoticeKind.SIGN_IN_CODE: _("Code to sign in"),
    NoticeKind.BOOKING_CODE: _("Code to book"),
    NoticeKind.REPLY: _("Answer to a text"),
    NoticeKind.OFFER: _("Offer of an earlier time"),
}
STANDINGS = {
    Standing.PLANNED: pgettext_lazy("message", "Planned"),
    Standing.TAKEN: pgettext_lazy("message", "Handed on"),
    Standing.SKIPPED: pgettext_lazy("message", "Not sent"),
}
STATES = {
    State.QUEUED: pgettext_lazy("message", "Waiting to be sent"),
    State.CLAIMED: pgettext_lazy("message", "Being sent"),
    State.SENDING: pgettext_lazy("message", "Being sent"),
    State.SENT: pgettext_lazy("message", "Sent"),
    State.DELIVERED: pgettext_lazy("message", "Delivered"),
    State.FAILED: pgettext_lazy("message", "Failed"),
    State.UNKNOWN: pgettext_lazy("message", "Not known whether it was sent"),
    State.SKIPPED: pgettext_lazy("message", "Not sent"),
}
WHYS = {
    Why.NONE: "",
    Why.CANCELLED: _("The visit was cancelled"),
    Why.MOVED: _("The visit was moved"),
    Why.CONFIRMED: _("The visit was already confirmed"),
    Why.ARRIVED: _("The patient was already here, or the visit was over"),
    Why.UNDONE: _("What it tells of was undone"),
    Why.RELEASED: _("The time of the visit was freed"),
    Why.RECORD_JOINED: _("The record was joined with another"),
    Why.TOO_LATE: _("It would have come too late"),
    Why.CAP: _("Already had a text that day, or three that week"),
    Why.OPTED_OUT: _("The patient does not want it"),
    Why.SUPPRESSED: _("The number or address takes no messages from us"),
    Why.SWITCHED_OFF: _("The clinic has switched it off"),
    Why.NO_EMAIL: _("No e-mail address on file"),
    Why.NO_PHONE: _("No phone number on file"),
    Why.NOT_TEXTABLE: _("The phone number cannot take texts"),
    Why.NO_DEVICE: _("Notifications were not turned on"),
    Why.NOT_ON_FILE: _("Nobody has this contact on file"),
    Why.EXPIRED: _("What it was for had ended"),
    Why.REFUSED: _("The message service refused it"),
    Why.BOUNCED: _("The mail came back"),
    Why.UNDELIVERED: _("The carrier could not deliver it"),
    Why.GAVE_UP: _("It could not be sent after several tries"),
    Why.UNANSWERED: _("The message service never said how it went"),
}
CALL_REASONS = {
    CallReason.UNCONFIRMED: _("Has not confirmed"),
    CallReason.UNDELIVERABLE: _("No message gets through"),
    CallReason.INTERPRETER: _("Needs an interpreter"),
    CallReason.OPTED_OUT: _("Said STOP after being asked to confirm"),
    CallReason.UNSURE: _("Nobody knows whether a message arrived"),
}
MEANINGS = {
    Meaning.CONFIRM: _("Will come"),
    Meaning.CHANGE: _("Wants another time"),
    Meaning.STOP: _("Wants no more texts"),
    Meaning.START: _("Wants texts again"),
    Meaning.OTHER: _("Something else"),
}


def channel_words(channel: Channel | str) -> str:
    """Return the name of a way: "Text message"."""
    return str(CHANNELS[Channel(channel)])


def kind_words(kind: Kind | NoticeKind | str) -> str:
    """Return what a reminder or notice does: "Asked to confirm"."""
    known: Kind | NoticeKind = Kind(kind) if kind in set(Kind) else NoticeKind(kind)
    return str(KINDS[known])


def standing_words(standing: Standing | str) -> str:
    """Return where a planned message stands: "Planned"."""
    return str(STANDINGS[Standing(standing)])


def state_words(state: State | str) -> str:
    """Return how a delivery went: "Delivered"."""
    return str(STATES[State(state)])


def why_words(why: Why | str) -> str:
    """Return why something was not sent or did not arrive; empty where there is no reason."""
    return str(WHYS[Why(why)])


def call_reason_words(reason: CallReason | str) -> str:
    """Return why somebody should be called: "Has not confirmed"."""
    return str(CALL_REASONS[CallReason(reason)])


def meaning_words(meaning: Meaning | str) -> str:
    """Return what a text says: "Wants another time"."""
    return str(MEANINGS[Meaning(meaning)])
