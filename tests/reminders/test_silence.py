from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.kinds import CallReason, Kind, Standing, State, Why
from reminders.silence import TIME_TO_ANSWER, Answer, Question, Silence, judge

NOW = datetime(2026, 6, 8, 14, tzinfo=UTC)
DAY = timedelta(days=1)

REQUEST = Question(
    kind=Kind.REQUEST,
    standing=Standing.TAKEN,
    state=State.DELIVERED,
    counts_as_delivered=True,
    sent_at=NOW - 2 * DAY,
    not_after=NOW - DAY,
)
FOLLOW_UP = replace(REQUEST, kind=Kind.FOLLOW_UP, sent_at=NOW - DAY)
CERTAIN = Silence(
    questions=(REQUEST, FOLLOW_UP),
    may_release=True,
    follows_up=True,
    needs_interpreter=False,
    in_hand=False,
)


def after(**changes: object) -> Answer | CallReason:
    """Judge the certain case with something else about it."""
    return judge(replace(CERTAIN, **changes), now=NOW)  # type: ignore[arg-type]


def not_sent(question: Question, why: Why) -> Question:
    return replace(
        question,
        standing=Standing.SKIPPED,
        why=why,
        state=None,
        counts_as_delivered=False,
        sent_at=None,
    )


def test_two_delivered_questions_without_an_answer_free_the_time() -> None:
    assert judge(CERTAIN, now=NOW) is Answer.RELEASE


def test_a_visit_that_nobody_was_asked_about_is_left_alone() -> None:
    assert after(questions=()) is Answer.WAIT


def test_what_a_person_deals_with_is_left_to_them() -> None:
    assert after(in_hand=True) is Answer.WAIT


def test_who_needs_an_interpreter_is_called() -> None:
    assert after(needs_interpreter=True) is CallReason.INTERPRETER


def test_a_type_that_keeps_its_time_is_called_about() -> None:
    assert after(may_release=False) is CallReason.UNCONFIRMED


def test_one_failure_is_enough_to_call_instead() -> None:
    failed = replace(REQUEST, state=State.FAILED, counts_as_delivered=False)
    assert after(questions=(failed, FOLLOW_UP)) is CallReason.UNDELIVERABLE


def test_sent_is_not_delivered() -> None:
    sent = replace(FOLLOW_UP, state=State.SENT, counts_as_delivered=False)
    assert after(questions=(replace(sent, kind=Kind.REQUEST), sent)) is CallReason.UNCONFIRMED


def test_one_delivered_question_and_a_follow_up_that_went_out_are_enough() -> None:
    sent = replace(FOLLOW_UP, state=State.SENT, counts_as_delivered=False)
    assert after(questions=(REQUEST, sent)) is Answer.RELEASE


@pytest.mark.parametrize("why", [Why.CAP, Why.TOO_LATE, Why.SWITCHED_OFF])
def test_without_the_follow_up_that_the_clinic_wants_it_is_a_call(why: Why) -> None:
    skipped = not_sent(FOLLOW_UP, why)
    assert after(questions=(REQUEST, skipped)) is CallReason.UNCONFIRMED
    assert after(questions=(REQUEST,)) is CallReason.UNCONFIRMED


def test_a_clinic_that_asks_once_needs_no_follow_up() -> None:
    assert after(questions=(REQUEST,), follows_up=False) is Answer.RELEASE


@pytest.mark.parametrize("state", [State.UNKNOWN, State.QUEUED, State.CLAIMED, State.SENDING])
def test_nothing_is_decided_while_a_message_may_be_on_its_way(state: State) -> None:
    open_still = replace(FOLLOW_UP, state=state, counts_as_delivered=False)
    assert after(questions=(REQUEST, open_still)) is Answer.WAIT


def test_a_question_still_to_come_is_waited_for_until_it_is_too_late_for_it() -> None:
    planned = replace(not_sent(FOLLOW_UP, Why.NONE), standing=Standing.PLANNED)
    assert after(questions=(REQUEST, replace(planned, not_after=NOW))) is Answer.WAIT
    assert after(questions=(REQUEST, planned)) is CallReason.UNCONFIRMED


def test_a_late_question_leaves_time_to_answer() -> None:
    late = replace(FOLLOW_UP, sent_at=NOW - TIME_TO_ANSWER + timedelta(seconds=1))
    assert after(questions=(REQUEST, late)) is Answer.WAIT
    just = replace(FOLLOW_UP, sent_at=NOW - TIME_TO_ANSWER)
    assert after(questions=(REQUEST, just)) is Answer.RELEASE


@pytest.mark.parametrize(
    ("why", "call"),
    [
        (Why.OPTED_OUT, CallReason.OPTED_OUT),
        (Why.SUPPRESSED, CallReason.OPTED_OUT),
        (Why.NO_PHONE, CallReason.UNDELIVERABLE),
        (Why.NOT_TEXTABLE, CallReason.UNDELIVERABLE),
        (Why.SWITCHED_OFF, CallReason.UNCONFIRMED),
        (Why.TOO_LATE, CallReason.UNCONFIRMED),
    ],
)
def test_where_nothing_arrived_the_call_says_why(why: Why, call: CallReason) -> None:
    both = (not_sent(REQUEST, why), not_sent(FOLLOW_UP, why))
    assert after(questions=both) is call


questions = st.builds(
    Question,
    kind=st.sampled_from([Kind.REQUEST, Kind.FOLLOW_UP]),
    standing=st.sampled_from(Standing),
    why=st.sampled_from(Why),
    state=st.none() | st.sampled_from(State),
    counts_as_delivered=st.booleans(),
    sent_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    not_after=st.datetimes(timezones=st.just(UTC)),
)
silences = st.builds(Silence, questions=st.lists(questions, max_size=4).map(tuple))


@given(silence=silences)
def test_no_time_is_freed_without_every_reason_for_it(silence: Silence) -> None:
    """The safeguards one by one, in other words than the judge's own."""
    if judge(silence, now=NOW) is not Answer.RELEASE:
        return
    states = [one.state for one in silence.questions]
    assert silence.may_release
    assert not silence.needs_interpreter
    assert not silence.in_hand
    assert any(one.counts_as_delivered for one in silence.questions)
    assert not {State.FAILED, State.UNKNOWN, State.QUEUED, State.CLAIMED, State.SENDING} & {*states}
    if silence.follows_up:
        assert any(one.kind is Kind.FOLLOW_UP and one.state for one in silence.questions)
