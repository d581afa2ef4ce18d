"""Everything in the ledger has a word for people, in every language."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import pytest
from django.utils import translation

from reminders import words
from reminders.kinds import CallReason, Channel, Kind, Meaning, NoticeKind, Standing, State, Why

WORDS: list[tuple[type[StrEnum], Callable[[str], str]]] = [
    (Channel, words.channel_words),
    (Kind, words.kind_words),
    (NoticeKind, words.kind_words),
    (Standing, words.standing_words),
    (State, words.state_words),
    (Why, words.why_words),
    (CallReason, words.call_reason_words),
    (Meaning, words.meaning_words),
]
EVERY = [(value, say) for values, say in WORDS for value in values if value]


@pytest.mark.parametrize(("value", "say"), EVERY)
def test_it_has_words_by_its_value_in_each_language(
    value: StrEnum, say: Callable[[str], str]
) -> None:
    english = say(value.value)
    assert english and english == say(value)
    assert english.upper() != value.value.replace("_", " ") or value in {
        *Standing, State.SENT, State.DELIVERED, State.FAILED, Kind.REMINDER
    }  # fmt: skip
    with translation.override("es"):
        assert say(value) not in {"", english}


def test_no_reason_has_no_words() -> None:
    assert words.why_words(Why.NONE) == ""


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="NOTHING"):
        words.kind_words("NOTHING")
