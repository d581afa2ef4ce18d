"""What was sent about a visit, what is to come, and why the rest was not sent: in words.

Reads the ledger and shows no address and no word of a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reminders.kinds import Standing, State, Why
from reminders.models import Delivery, Notice, Reminder
from reminders.words import channel_words, kind_words, standing_words, state_words, why_words
from scheduling.desk_words import when_words
from scheduling.models import Appointment
from scheduling.presenters import Tag

# How a state looks, by the kinds of the tag component.
TINTS = {
    State.QUEUED: "scheduled",
    State.CLAIMED: "scheduled",
    State.SENDING: "scheduled",
    State.SENT: "confirmed",
    State.DELIVERED: "completed",
    State.FAILED: "late",
    State.UNKNOWN: "late",
    State.SKIPPED: "cancelled",
}
TINTS_OF_PLANS = {Standing.PLANNED: "scheduled", Standing.SKIPPED: "cancelled"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: what it says, by which way, how it stands, when, and what there is to add."""

    what: str
    way: str
    tag: Tag
    at: datetime
    when: str
    notes: tuple[str, ...]
    is_to_come: bool


def messages_of(visit: Appointment) -> list[Entry]:
    """Return every message of a visit, the latest first; costs two statements."""
    plans: list[Reminder | Notice] = [
        *Reminder.objects.filter(appointment=visit).select_related("delivery"),
        *Notice.objects.filter(appointment=visit).select_related("delivery"),
    ]
    found = [_entry(plan, visit) for plan in plans]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def why_nothing(entries: Sequence[Entry]) -> list[str]:
    """Return why nothing was sent, each reason once; empty where something was, or is to come."""
    if any(entry.is_to_come or entry.tag.kind != "cancelled" for entry in entries):
        return []
    return list(dict.fromkeys(entry.notes[0] for entry in entries if entry.notes))


def state_tag(state: str) -> Tag:
    """Return a delivery's state as a tint and a word."""
    return Tag(TINTS[State(state)], state_words(state))


def _entry(plan: Reminder | Notice, visit: Appointment) -> Entry:
    delivery = plan.delivery
    at = _at(plan)
    return Entry(
        what=kind_words(plan.kind),
        way=channel_words(delivery.channel if delivery else plan.channel),
        tag=state_tag(delivery.state) if delivery else _tag_of_plan(plan),
        at=at,
        when=when_words(at, visit.zone),
        notes=tuple(_notes(plan, visit)),
        is_to_come=plan.standing == Standing.PLANNED,
    )


def _at(plan: Reminder | Notice) -> datetime:
    """Return the instant that counts: when it arrived or went, else when it was to go."""
    delivery = plan.delivery
    if delivery is None:
        return plan.due_at
    return delivery.delivered_at or delivery.sent_at or delivery.sending_at or delivery.created_at


def _tag_of_plan(plan: Reminder | Notice) -> Tag:
    standing = Standing(plan.standing)
    return Tag(TINTS_OF_PLANS.get(standing, "scheduled"), standing_words(standing))


def _notes(plan: Reminder | Notice, visit: Appointment) -> Iterator[str]:
    delivery = plan.delivery
    why = why_words(plan.why) or (why_words(delivery.why) if delivery else "")
    if why:
        yield why
    if delivery is not None:
        yield from notes_of(delivery, visit.zone)
    if plan.sequence != visit.sequence:
        yield _("About an earlier time of this visit")


def notes_of(delivery: Delivery, zone: ZoneInfo) -> Iterator[str]:
    """Yield what a delivery's state does not say: the vendor's code, tries, the next try."""
    if delivery.error_code and delivery.why != Why.NONE:
        yield _("Code %(code)s") % {"code": delivery.error_code}
    if delivery.attempts > 1:
        tries = ngettext("%(n)d try", "%(n)d tries", delivery.attempts)
        yield tries % {"n": delivery.attempts}
    if delivery.state == State.QUEUED and delivery.attempts:
        yield _("Next try %(when)s") % {"when": when_words(delivery.not_before, zone)}
