from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.gsm import fold, fold_name, septets


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("José Núñez", "José Nuñez"),
        ("¿mañana?", "¿mañana?"),
        ("Sí, a las 3:30\xa0p.\xa0m.", "Si, a las 3:30 p. m."),
        ("“It’s” – ok…", '"It\'s" - ok...'),
        ("Łukasz Œ ẞ", "Lukasz OE ß"),
        ("Ça va", "Ça va"),
        ("ça", "ca"),
        ("e\u0301", "é"),
        ("李 Wei", " Wei"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
    ],
)
def test_a_text_is_written_in_the_alphabet_of_text_messages(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(("name", "folded"), [("Zoë", "Zoe"), ("李", ""), ("李 Wei", ""), ("", "")])
def test_a_name_is_kept_whole_or_not_at_all(name: str, folded: str) -> None:
    assert fold_name(name) == folded


def test_some_characters_take_two_septets() -> None:
    assert septets("abc") == 3
    assert septets("[€]") == 6


@pytest.mark.parametrize("text", ["á", "’", "\xa0", "ç", "李"])
def test_what_would_cost_a_part_of_70_is_no_septet(text: str) -> None:
    with pytest.raises(ValueError, match="alphabet"):
        septets(text)


@given(st.text())
def test_whatever_is_folded_can_be_sent(text: str) -> None:
    assert septets(fold(text)) >= 0
    assert fold(fold(text)) == fold(text)
