"""A National Provider Identifier ends in the right check digit, or it is none."""

import pytest

from providers.npi import check_digit, is_valid_npi

# The worked example of CMS's own description of the check digit.
PUBLISHED = "1234567893"


def luhn_sum(number: str) -> int:
    """The plain Luhn sum over a whole number, from the right."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total


def test_the_published_example_is_valid() -> None:
    assert is_valid_npi(PUBLISHED)
    assert check_digit(PUBLISHED[:9]) == PUBLISHED[9]


@pytest.mark.parametrize("digit", "012456789")
def test_any_other_last_digit_is_invalid(digit: str) -> None:
    assert not is_valid_npi(PUBLISHED[:9] + digit)


@pytest.mark.parametrize("first_nine", ["000000000", "199999999", "987654321", "200000005"])
def test_the_check_digit_is_luhn_behind_the_prefix_80840(first_nine: str) -> None:
    assert luhn_sum("80840" + first_nine + check_digit(first_nine)) % 10 == 0


@pytest.mark.parametrize("place", range(10))
def test_any_single_wrong_digit_is_noticed(place: int) -> None:
    wrong = str((int(PUBLISHED[place]) + 1) % 10)
    assert not is_valid_npi(PUBLISHED[:place] + wrong + PUBLISHED[place + 1 :])


@pytest.mark.parametrize(
    "value",
    [
        "",
        "123456789",
        "12345678930",
        " 1234567893",
        "123456789X",
        "\u0661234567893",
        "1234\x005678",
    ],
)
def test_anything_but_ten_ascii_digits_is_invalid(value: str) -> None:
    assert not is_valid_npi(value)


@pytest.mark.parametrize("first_nine", ["12345678", "1234567890", "12345678a"])
def test_a_check_digit_needs_nine_digits(first_nine: str) -> None:
    with pytest.raises(ValueError, match="nine digits"):
        check_digit(first_nine)
