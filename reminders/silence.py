"""What silence about a visit means: nothing yet, a call that somebody should make, or a time that
may be freed. Freeing needs every reason for it; a single doubt makes it a call.

Refuses to know clocks, patients and rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from reminders.kinds import CallReason, Kind, Standing, State, Why

# Whoever was asked late still gets so long to answer.
TIME_TO_ANSWER = timedelta(hours=4)

ON_THE_WAY = {State.QUEUED, State.CLAIMED, State.SENDING}
WENT = {State.SENT, State.DELIVERED}
UNWELCOME = {Why.OPTED_OUT, Why.SUPPRESSED}
NO_WAY = {Why.NO_EMAIL, Why.NO_PHONE, Why.NOT_TEXTABLE, Why.NO_DEVICE, Why.NOT_ON_FILE}


class Answer(Enum):
    """What is to be done, where it is no call."""

    WAIT = auto()
    RELEASE = auto()


Verdict = Answer | CallReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request for a confirmation. `state` is its delivery's, None without one.

    `counts_as_delivered` holds too where the clinic takes the mail server's word for it.
    """

    kind: Kind
    standing: Standing
    why: Why = Why.NONE
    state: State | None = None
    counts_as_delivered: bool = False
    sent_at: datetime | None = None
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A visit that nobody confirmed, and what is known about why.

    `follows_up`: the clinic's cadence asks twice. `in_hand`: a person deals with it, has dealt
    with it or has given its time back before.
    """

    questions: tuple[Question, ...]
    may_release: bool
    follows_up: bool
    needs_interpreter: bool
    in_hand: bool


def judge(silence: Silence, *, now: datetime) -> Verdict:
    """Return what an unconfirmed visit needs once the time of its release has come."""
    questions = silence.questions
    if not questions or silence.in_hand or any(_is_open(one, now) for one in questions):
        return Answer.WAIT
    if silence.needs_interpreter:
        return CallReason.INTERPRETER
    if not any(one.counts_as_delivered for one in questions):
        return _why_unreached(questions)
    if any(one.state is State.FAILED for one in questions):
        return CallReason.UNDELIVERABLE
    if not silence.may_release or not _was_asked_enough(silence):
        return CallReason.UNCONFIRMED
    return Answer.RELEASE if _had_time(questions, now) else Answer.WAIT


def _is_open(question: Question, now: datetime) -> bool:
    """Say whether a question may still go out, or nobody knows yet whether it did."""
    if question.state is State.UNKNOWN or question.state in ON_THE_WAY:
        return True
    return question.standing is Standing.PLANNED and now <= question.not_after


def _why_unreached(questions: tuple[Question, ...]) -> CallReason:
    if any(one.why in UNWELCOME for one in questions):
        return CallReason.OPTED_OUT
    failed = any(one.state is State.FAILED or one.why in NO_WAY for one in questions)
    # Sent, and no word that it arrived: perhaps read, perhaps not.
    has_gone = any(one.state is State.SENT for one in questions)
    return CallReason.UNDELIVERABLE if failed and not has_gone else CallReason.UNCONFIRMED


def _was_asked_enough(silence: Silence) -> bool:
    """Say whether the second question went out, where the clinic asks twice."""
    if not silence.follows_up:
        return True
    return any(one.kind is Kind.FOLLOW_UP and one.state in WENT for one in silence.questions)


def _had_time(questions: tuple[Question, ...], now: datetime) -> bool:
    sent = [one.sent_at for one in questions if one.sent_at is not None]
    return bool(sent) and max(sent) + TIME_TO_ANSWER <= now
