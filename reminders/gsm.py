"""The alphabet of text messages: what of a text it can say, and how much room that takes.

Decides how letters outside of it are written. A letter that has no like in it is left out, so a
name in another script is lost: `fold_name` tells. Source: 3GPP TS 23.038, default alphabet.
"""

from __future__ import annotations

import unicodedata

PART = 160  # septets of a message that is one part
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")  # two septets each: an escape goes before them
LIKE = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "ʼ": "'", "ʻ": "'", "`": "'", "´": "'", "′": "'",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "•": "-", "·": "-",
    "…": "...", "\t": " ",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
    "ı": "i", "œ": "oe", "Œ": "OE", "ħ": "h", "Ħ": "H", "ẞ": "ß", "ə": "e", "Ə": "E",
}  # fmt: skip


def fold(text: str) -> str:
    """Return a text in the alphabet: á as a, ñ as ñ, “quotes” as "quotes", 李 as nothing."""
    return "".join(map(_fold, unicodedata.normalize("NFC", text)))


def _fold(char: str) -> str:
    if char in BASIC or char in EXTENDED:
        return char
    if char in LIKE:
        return LIKE[char]
    if char.isspace():
        return " "
    plain = unicodedata.normalize("NFKD", char)
    return "".join(LIKE.get(c, c) for c in plain if c in BASIC or c in LIKE)


def fold_name(name: str) -> str:
    """Return a name in the alphabet; empty where that would lose one of its letters."""
    letters = (char for char in unicodedata.normalize("NFC", name) if char.isalpha())
    return "" if any(not _fold(char).strip() for char in letters) else fold(name).strip()


def septets(text: str) -> int:
    """Return how much of `PART` a text takes that is in the alphabet.

    Raises ValueError for one that is not: it would be sent as UCS-2, of which one part holds 70.
    """
    if strange := sorted(set(text) - BASIC - EXTENDED):
        raise ValueError(f"not in the alphabet of text messages: {strange}")
    return len(text) + sum(char in EXTENDED for char in text)
