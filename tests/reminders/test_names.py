from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.gsm import septets
from reminders.names import given_name, short, short_provider


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Anne-Marie", "Anne-Marie"),
        ("O’Brien", "O’Brien"),
        ("  María \r\n José ", "María José"),
        ("J.R.", "J. R"),
        ("http://evil.example/x?y=1", "http evil. example x y"),
        ("Ana\r\nBcc: all", "Ana Bcc all"),
        ("1234", ""),
        ("李明", "李明"),
        ("A" * 200, "A" * 40),
    ],
)
def test_a_first_name_is_a_name_and_nothing_that_a_phone_would_open(
    typed: str, written: str
) -> None:
    assert given_name(typed) == written


@given(st.text())
def test_no_first_name_becomes_a_link_or_a_line(typed: str) -> None:
    name = given_name(typed)
    assert not re.search(r"[\w]\.[\w]|[:/@#\d\r\n]", name)


@pytest.mark.parametrize(
    ("name", "at_14", "at_8"),
    [
        ("Dr. Alexandra Rodriguez", "Dr. Rodriguez", "Dr. Rod."),
        ("Dr. Mei-Ling Chen", "Dr. Chen", "Dr. Chen"),
        ("Dr. Inés Calderón", "Dr. Calderon", "Dr. Cal."),
        ("Keisha Brown, NP", "Keisha Brown", "K. Brown"),
        ("Dr. Wilhelmina Featherstonehaugh", "Dr. Featherst.", "Dr. Fea."),
        ("Cher", "Cher", "Cher"),
        ("李 明", "", ""),
    ],
)
def test_a_provider_is_called_by_title_and_last_name(name: str, at_14: str, at_8: str) -> None:
    assert (short_provider(name, 14), short_provider(name, 8)) == (at_14, at_8)


@pytest.mark.parametrize(
    ("name", "most", "cut"),
    [
        ("Riverside Clinic", 20, "Riverside Clinic"),
        ("Riverside Community Health Center", 20, "Riverside Community"),
        ("Ärztehaus[1] Nord und Süd", 20, "Ärztehaus[1] Nord"),
        ("Maximiliananna", 12, "Maximiliana."),
        ("Jo", 0, ""),
    ],
)
def test_other_names_are_cut_after_a_word_or_with_a_period(name: str, most: int, cut: str) -> None:
    assert short(name, most) == cut


@given(st.text(), st.integers(0, 30))
def test_a_short_name_is_as_short_as_it_was_asked_to_be(name: str, most: int) -> None:
    assert septets(short(name, most)) <= most
    assert septets(short_provider(name, most)) <= most
