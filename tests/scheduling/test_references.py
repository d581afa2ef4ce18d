"""References as people type them, and what cannot be one."""

from __future__ import annotations

import pytest

from scheduling.references import ALPHABET, as_kept, is_reference


@pytest.mark.parametrize("typed", ["7K4M2BCD", "7k4m-2bcd", " 7k4m 2bcd\n", "7k-4m\u00a02b\tcd"])
def test_a_reference_is_read_however_it_is_typed(typed: str) -> None:
    assert as_kept(typed) == "7K4M2BCD"
    assert is_reference(as_kept(typed))


@pytest.mark.parametrize(
    "text",
    ["", "7K4M2BC", "7K4M2BCDD", "7K4M2BC0", "7K4M2BCA", "7k4m2bcd", "7K4M 2BCD", "Müller\n8"],
)
def test_what_has_another_length_or_another_letter_is_none(text: str) -> None:
    assert not is_reference(text)


def test_every_letter_of_the_alphabet_counts() -> None:
    assert all(is_reference(letter * 8) for letter in ALPHABET)
