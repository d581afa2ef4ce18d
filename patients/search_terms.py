"""Reads what was typed into the patient finder: a name, a birthday, a phone, in any usual form.

Knows nothing of who is on file; a text that can mean two things is given both readings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

FEWEST = 3
FEWEST_DIGITS = 4
OLDEST = 130
SPELT = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
SILENT = dict.fromkeys(map(ord, "'’‘ʼʻ`´ʹ′."))
NOT_A_LETTER = re.compile(r"[\W_]+")

MONTHS = {
    name[:length]: number
    for number, names in enumerate(
        (
            ("january", "enero"), ("february", "febrero"), ("march", "marzo"),
            ("april", "abril"), ("may", "mayo"), ("june", "junio"), ("july", "julio"),
            ("august", "agosto"), ("september", "septiembre", "setiembre"),
            ("october", "octubre"), ("november", "noviembre"), ("december", "diciembre"),
        ),
        start=1,
    )
    for name in names
    for length in (3, 4, len(name))
}  # fmt: skip
MONTH = "(?P<month>" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"['’]?(?P<year>\d{4}|\d{2})"
GAP = r"(?:\s*[/.,-]\s*|\s+)(?:(?:de|del|of)\s+)?"
ALONE, END = r"(?<![\w/-])", r"(?![\w/-])"
WRITTEN = [
    re.compile(ALONE + MONTH + GAP + DAY + GAP + YEAR + END),
    re.compile(ALONE + DAY + GAP + MONTH + GAP + YEAR + END),
]
YEAR_FIRST = re.compile(ALONE + r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})" + END)
IN_NUMBERS = re.compile(ALONE + r"(\d{1,2})([/.-]|\s+)(\d{1,2})\2(\d{4}|\d{2})" + END)
SOLID = re.compile(r"(?<!\w)(\d{8}|\d{6})(?!\w)")
PHONE = re.compile(r"\+?\(?\d[\d\s().+-]*\d")


@dataclass(frozen=True, slots=True)
class Reading:
    """One meaning of a text; what is empty was not asked for, the rest must all be answered.

    `words` are folded, `births` the dates of which one is meant, `digits` those of a phone.
    `name` is what remains for a name, as it was typed.
    """

    words: tuple[str, ...] = ()
    births: tuple[date, ...] = ()
    digits: str = ""
    name: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.births or self.digits)


def is_enough(text: str) -> bool:
    """Say whether a text has the three letters or digits without which nobody is shown."""
    return len("".join(fold(text))) >= FEWEST


def parse(text: str, *, today: date) -> list[Reading]:
    """Return what a text may mean, the likeliest meaning first.

    "torres 4/7/61" is a name and a birthday; "04071961" may be a birthday or a phone's end.
    """
    found: list[Reading] = []
    for births, rest in _dates_in(text, today):
        digits, name = _phone_in(rest)
        reading = Reading(words=fold(name), births=births, digits=digits, name=name)
        if not reading.is_empty and reading not in found:
            found.append(reading)
    return found


def fold(text: str) -> tuple[str, ...]:
    """Return words as they are compared: "O'Brien Peña-Ruiz" → obrien, pena, ruiz."""
    if text.isascii() and text.isalpha():
        return (text.lower(),)
    # Twice, because taking letters apart can bring capitals to light, and the other way round.
    plain = _apart(_apart(text).casefold()).casefold()
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    bare = bare.translate(SILENT).translate(SPELT)
    return tuple(NOT_A_LETTER.sub(" ", bare).split())


def _apart(text: str) -> str:
    """Return letters apart from their accents, and one sign for those that look the same."""
    return unicodedata.normalize("NFKD", text)


def births(text: str, *, today: date) -> tuple[date, ...]:
    """Return the dates that a whole text may mean as a date of birth, the likeliest first.

    Month before day, as written in the US, then day before month. A year of two digits is of
    this century and of the last one, as far as somebody so old can live.
    """
    return next((dates for dates, rest in _dates_in(text, today) if dates and not rest), ())


def _dates_in(text: str, today: date) -> Iterator[tuple[tuple[date, ...], str]]:
    """Yield each reading's dates with the text around them; without any, the whole text."""
    plain = _lower(text)
    for dates, (start, end) in _spelt_dates(plain, today):
        yield dates, f"{text[:start]} {text[end:]}".strip(" ,;")
        return
    for match in SOLID.finditer(plain):
        dates = _possible(_solid(match[1]), today)
        if dates:
            yield dates, f"{text[: match.start()]} {text[match.end() :]}".strip(" ,;")
    yield (), text.strip()


def _lower(text: str) -> str:
    """Return the text in lower case, every character in its place."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _spelt_dates(text: str, today: date) -> Iterator[tuple[tuple[date, ...], tuple[int, int]]]:
    for pattern in WRITTEN:
        for match in pattern.finditer(text):
            parts = (match["year"], MONTHS[match["month"]], int(match["day"]))
            if dates := _possible([parts], today):
                yield dates, match.span()
    for match in YEAR_FIRST.finditer(text):
        if dates := _possible([(match[1], int(match[3]), int(match[4]))], today):
            yield dates, match.span()
    for match in IN_NUMBERS.finditer(text):
        first, second = int(match[1]), int(match[3])
        both = [(match[4], first, second), (match[4], second, first)]
        if dates := _possible(both, today):
            yield dates, match.span()


def _solid(digits: str) -> list[tuple[str, int, int]]:
    """Return a date without separators: 04071961, 19610407, 040761; month before day first."""
    first, second, year = digits[:2], digits[2:4], digits[4:]
    found = [(year, int(first), int(second)), (year, int(second), int(first))]
    if len(digits) == 8:
        found.append((digits[:4], int(digits[4:6]), int(digits[6:])))
    return found


def _possible(parts: Iterable[tuple[str, int, int]], today: date) -> tuple[date, ...]:
    """Return the real dates among (year, month, day) on which a living person can be born."""
    found: list[date] = []
    for text, month, day in parts:
        for year in _years(text, today):
            born = _date(year, month, day)
            is_new = born is not None and born not in found
            if born is not None and is_new and today.year - OLDEST <= year and born <= today:
                found.append(born)
    return tuple(found)


def _years(text: str, today: date) -> list[int]:
    if len(text) == 4:
        return [int(text)]
    century = today.year // 100 * 100
    return [century + int(text), century - 100 + int(text)]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _phone_in(text: str) -> tuple[str, str]:
    """Return a phone's digits, four at least, and the text without it."""
    for match in PHONE.finditer(text):
        digits = "".join(c for c in match[0] if c in "0123456789")
        if len(digits) >= FEWEST_DIGITS:
            return digits, f"{text[: match.start()]} {text[match.end() :]}".strip(" ,;")
    return "", text
