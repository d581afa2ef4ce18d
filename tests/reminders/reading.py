"""How hard a text is to read: the school grade of English, the longest sentence of any language.

Syllables are counted by groups of vowels, which is a little more than a dictionary says.
"""

from __future__ import annotations

import re

SENTENCE_END = re.compile(r"[.?!:]+(?=\s|$)|\n\s*\n")
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
LINK = re.compile(r"https?://\S+")
VOWELS = re.compile(r"[aeiouy]+")


def sentences(text: str) -> list[list[str]]:
    """Return the words of each sentence; links and numbers are none."""
    parts = SENTENCE_END.split(LINK.sub("", text))
    return [words for part in parts if (words := WORD.findall(part))]


def syllables(word: str) -> int:
    lower = word.lower()
    silent = lower.endswith("e") and not lower.endswith(("le", "ee"))
    return max(1, len(VOWELS.findall(lower)) - silent)


def grade(text: str) -> float:
    """Return the Flesch-Kincaid grade level of an English text: years of school."""
    said = sentences(text)
    words = [word for sentence in said for word in sentence]
    per_word = sum(map(syllables, words)) / len(words)
    return 0.39 * len(words) / len(said) + 11.8 * per_word - 15.59
