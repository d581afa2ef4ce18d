"""How names are written in messages: as they are where there is room, shorter where there is not.

Knows no row. A patient types their own first name, and whoever books for a stranger's number could
type an advertisement: nothing that a phone would turn into a link is left of it.
"""

from __future__ import annotations

import re
from itertools import accumulate

from reminders.gsm import fold_name, septets

LONGEST_GIVEN_NAME = 40
LEAST = 3  # septets of a name below which it is left out: it would say nothing
NOT_OF_NAMES = re.compile(r"[^\w\s.'’ʼ-]|[\d_]")
DOT_INSIDE = re.compile(r"\.(?=\S)")
TITLE = re.compile(r"^[^\W\d_]+\.$")


def given_name(typed: str) -> str:
    """Return a first name as letters, spaces, hyphens and apostrophes, on one line."""
    plain = DOT_INSIDE.sub(". ", NOT_OF_NAMES.sub(" ", typed))
    return " ".join(plain.split())[:LONGEST_GIVEN_NAME].strip(" .'’ʼ-")


def short(name: str, most: int) -> str:
    """Return a name for a text message, in at most `most` septets: cut after a word, or in one."""
    whole = fold_name(" ".join(name.split()))
    if septets(whole) <= most:
        return whole
    at_a_word = _cut(whole, most + 1).rpartition(" ")[0]
    if len(at_a_word) > most // 2:
        return at_a_word.rstrip(" ,&-")
    return _abbreviated(whole, most)


def short_provider(name: str, most: int) -> str:
    """Return a provider's title and last name: "Dr. Rodriguez"; degrees after a comma go."""
    plain = fold_name(" ".join(name.partition(",")[0].split()))
    first, _, rest = plain.partition(" ")
    last = rest.rpartition(" ")[2]
    titled = f"{first} {last}" if TITLE.match(first) else f"{first[:1]}. {last}"
    wanted = [plain, titled] if last else [plain]
    found = next((one for one in wanted if septets(one) <= most), None)
    return _abbreviated(wanted[-1], most) if found is None else found


def _abbreviated(name: str, most: int) -> str:
    """Return the beginning of a name with a period; nothing where too little of it is left."""
    start = _cut(name, most - 1).rstrip(" .,'-")
    return f"{start}." if len(start) >= LEAST else ""


def _cut(text: str, most: int) -> str:
    """Return as much of the beginning of a text as takes at most `most` septets."""
    return text[: sum(total <= most for total in accumulate(map(septets, text)))]
