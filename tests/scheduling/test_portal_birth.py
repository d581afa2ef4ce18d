"""A date of birth in three boxes takes what people write, and refuses what is no day."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from scheduling.forms.birth import BirthField


@pytest.mark.parametrize(
    "typed",
    [
        ["4", "7", "1961"],
        ["04", "07", "1961"],
        ["Apr", "7", "1961"],
        ["april", "7", "1961"],
        [" APRIL ", " 7 ", "1961"],
        ["Apr.", "7,", "1961"],
    ],
)
def test_one_day_written_in_many_ways(typed: list[str]) -> None:
    assert BirthField().clean(typed) == date(1961, 4, 7)


def test_spanish_months_are_read_on_a_spanish_page() -> None:
    with translation.override("es"):
        assert BirthField().clean(["abril", "7", "1961"]) == date(1961, 4, 7)
        assert BirthField().clean(["April", "7", "1961"]) == date(1961, 4, 7)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (["", "", ""], "required"),
        (["4", "", "1961"], "required"),
        (["4", "31", "1961"], "invalid"),
        (["2", "29", "1961"], "invalid"),
        (["13", "1", "1961"], "invalid"),
        (["0", "1", "1961"], "invalid"),
        (["4", "7", "61"], "short"),
        (["4", "7", "0000"], "invalid"),
        (["4", "٧", "1961"], "invalid"),
        (["²", "7", "1961"], "invalid"),
        (["4", "7", "9998"], "future"),
        (["4", "7", "1700"], "old"),
        (["\x00", "7", "1961"], "invalid"),
        (["x" * 1000, "7", "1961"], "invalid"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_day_of_birth_says_why(typed: list[str], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BirthField().clean(typed)
    assert [error.code for error in refused.value.error_list] == [code]
