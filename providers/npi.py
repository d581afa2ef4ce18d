"""Decides whether a number can be a National Provider Identifier; not whether it was ever issued.

The rule is that of 45 CFR 162.406 and of CMS, "Requirements for National Provider Identifier
(NPI) and NPI Check Digit": ten digits, the last being the Luhn check digit (ISO/IEC 7812-1) of
the first nine behind the card issuer prefix 80840, which adds the constant 24 to the sum.
"""

_PREFIX_SUM = 24


def is_valid_npi(value: str) -> bool:
    """Whether `value` is ten ASCII digits of which the last is the right check digit."""
    return _is_digits(value, 10) and check_digit(value[:9]) == value[9]


def check_digit(first_nine: str) -> str:
    """The tenth digit of an NPI. Raises ValueError unless given exactly nine ASCII digits."""
    if not _is_digits(first_nine, 9):
        raise ValueError("an NPI has nine digits before its check digit")
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in first_nine[::2])
    plain = sum(int(digit) for digit in first_nine[1::2])
    return str(-(_PREFIX_SUM + doubled + plain) % 10)


def _is_digits(value: str, count: int) -> bool:
    return len(value) == count and value.isascii() and value.isdigit()
