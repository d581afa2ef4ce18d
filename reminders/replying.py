"""What a text from a patient means, by fixed words alone.

Decides nothing about visits. A sentence is never guessed at: what is not one of the words is for a
person to read. STOP and its kin are the carriers' words, and so are those that lift them.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from reminders.kinds import Meaning

WORDS: dict[Meaning, frozenset[str]] = {
    Meaning.CONFIRM: frozenset({"YES", "Y", "C", "1", "SI", "CONFIRM"}),
    Meaning.CHANGE: frozenset({"2", "CHANGE", "CAMBIAR"}),
    Meaning.STOP: frozenset(
        {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
    ),
    Meaning.START: frozenset({"START", "UNSTOP"}),
}
LONGEST_WORD = 40


class Answer(StrEnum):
    """What is said back, in a notice's `details["text"]`; each has its words in templates.

    CONFIRMED and ALREADY name the visit, LINK and SEVERAL carry its link, OFFER that of an offered
    time, which OFFER_OVER says to be gone; UNCLEAR promises that somebody reads what was written.
    """

    CONFIRMED = "CONFIRMED"
    ALREADY = "ALREADY"
    LINK = "LINK"
    SEVERAL = "SEVERAL"
    OFFER = "OFFER"
    OFFER_OVER = "OFFER_OVER"
    UNCLEAR = "UNCLEAR"


def meaning_of(text: str) -> Meaning:
    """Return what a text says. Case, accents, spaces and punctuation do not count.

    A question is no answer: "yes?" is OTHER. "Stop?" is STOP all the same: no doubt about that
    word is ours to resolve.
    """
    if len(text) > LONGEST_WORD:
        return Meaning.OTHER
    word = fold(text)
    for meaning, words in WORDS.items():
        if word in words:
            asks = "?" in text and meaning is not Meaning.STOP
            return Meaning.OTHER if asks else meaning
    return Meaning.OTHER


def fold(text: str) -> str:
    """Return a text's letters and digits in capitals, without accents: " Sí. " → SI."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filter(str.isalnum, plain)).upper()
