"""Fixed words mean what they say, however they are typed; nothing else is guessed at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.kinds import Meaning
from reminders.replying import LONGEST_WORD, WORDS, fold, meaning_of

SAID = {
    Meaning.CONFIRM: [
        "YES",
        "yes",
        " Yes. ",
        "y",
        "C",
        "1",
        "1️⃣",
        "１",
        "si",
        "SÍ",
        "sí!",
        "Confirm",
    ],
    Meaning.CHANGE: ["2", "2.", "change", "Cambiar", "CHANGE!"],
    Meaning.STOP: [
        *("STOP", "stop", " Stop. ", "STOPALL", "stop all", "Unsubscribe", "cancel", "END"),
        *("quit", "REVOKE", "optout", "opt-out", "Opt out", "stop?", "“STOP”"),
    ],
    Meaning.START: ["START", "start", "Unstop", " START "],
    Meaning.OTHER: [
        *("", "   ", "ok", "no", "YES please", "yes?", "1?", "2?", "start?", "please stop", "12"),
        *("PARAR", "I cannot come", "11", "👍", "?", "can I cancel", "help", "\0", "STOP" * 11),
    ],
}


@pytest.mark.parametrize(
    ("text", "meaning"), [(text, meaning) for meaning, texts in SAID.items() for text in texts]
)
def test_each_text_means_what_it_says(text: str, meaning: Meaning) -> None:
    assert meaning_of(text) is meaning


def test_the_words_are_those_of_the_carriers_and_no_word_has_two_meanings() -> None:
    carriers = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
    assert WORDS[Meaning.STOP] == carriers
    assert WORDS[Meaning.START] == {"START", "UNSTOP"}
    every = [word for words in WORDS.values() for word in words]
    assert len(every) == len(set(every))
    assert all(fold(word) == word for word in every)


@given(
    word=st.sampled_from([(word, meaning) for meaning in WORDS for word in WORDS[meaning]]),
    before=st.text(" .,!*-_\t\n", max_size=5),
    after=st.text(" .,!*-_\t\n", max_size=5),
)
def test_spaces_punctuation_and_case_do_not_count(
    word: tuple[str, Meaning], before: str, after: str
) -> None:
    text, meaning = word
    for written in (text, text.lower(), text.title()):
        assert meaning_of(before + written + after) is meaning


@given(st.text(max_size=LONGEST_WORD * 2))
def test_whatever_is_written_has_one_meaning_and_only_the_words_act(text: str) -> None:
    meaning = meaning_of(text)
    assert meaning is Meaning.OTHER or fold(text) in WORDS[meaning]
