"""An unchanging list of people and the quick ways to places in it: words, birthdays, phones.

A place is a row's number; rows are sorted, so the lowest places come first in a list of people.
Columns are arrays and long strings: an object for each person would take three times the memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import accumulate, islice

from patients.closeness import FEWEST_INNER_DIGITS, Closeness
from patients.name_index.lines import END, Lines
from patients.name_index.rows import Row

AFTER_ALL = "\U0010ffff"
KEY_BYTES = 16

Grade = tuple[int, int]
Graded = tuple[Grade, int]
Level = tuple[set[int], set[int]]  # whose names have a word, and whose begin with it


class Table:
    """People by place, from 0 on."""

    def __init__(self, rows: Iterable[Row]) -> None:
        ordered = sorted(rows)
        lines = [row.line for row in ordered]
        self._phones = Lines(row.phone for row in ordered)
        self.born = array("i", (row.born for row in ordered))
        self.keys = b"".join(row.id for row in ordered)
        ordered.clear()  # their memory is enough for all that follows
        self._lines = Lines(lines)
        self._joined = Lines(line.replace(" ", "") for line in lines)
        self._by_key = array("I", sorted(range(len(lines)), key=self.key_at))
        self._by_birth = array("I", sorted(range(len(lines)), key=self.born.__getitem__))
        self._words, self._starts, self._places = _postings(lines)

    def __len__(self) -> int:
        return len(self.born)

    def key_at(self, place: int) -> bytes:
        return self.keys[place * KEY_BYTES : (place + 1) * KEY_BYTES]

    def row_at(self, place: int) -> Row:
        return Row(self._lines[place], self.key_at(place), self.born[place], self._phones[place])

    def place_of(self, key: bytes) -> int | None:
        """Return where the patient with this id stands, if anywhere."""
        found = bisect_left(self._by_key, key, key=self.key_at)
        if found < len(self) and self.key_at(self._by_key[found]) == key:
            return self._by_key[found]
        return None

    def born_on(self, ordinals: Iterable[int]) -> list[int]:
        """Return the places of people born on any of these days."""
        places: list[int] = []
        for day in ordinals:
            first = bisect_left(self._by_birth, day, key=self.born.__getitem__)
            last = bisect_right(self._by_birth, day, lo=first, key=self.born.__getitem__)
            places += self._by_birth[first:last]
        return places

    def reached_at(self, digits: str) -> Iterator[int]:
        """Return the places of those whose number ends so, or has six digits or more of it."""
        return self._phones.having(digits if len(digits) >= FEWEST_INNER_DIGITS else digits + END)

    def having(self, words: Iterable[str]) -> set[int]:
        """Return the places of names with all of these whole words."""
        return set.intersection(*(set(self._answering(word, exactly=True)) for word in words))

    def named(self, words: Sequence[str], *, hidden: Collection[int], most: int) -> list[Graded]:
        """Return the best places for words that must all be answered, as `closeness` grades them.

        Whole words are looked at first, then beginnings, then parts; what comes later is not
        even sought once `most` are found.
        """
        exact = [set(self._answering(word, exactly=True)) for word in words]
        started = [set(self._answering(word)) for word in words]
        best: list[Graded] = []
        seen = set(hidden)
        for worst, places in self._tiers(words, exact, started):
            new = (place for place in places if place not in seen)
            levels = list(zip(exact, started, strict=True))
            found = _best(new, worst, levels, most=most - len(best))
            best += found
            seen |= {place for _grade, place in found}
            if len(best) >= most:
                break
        return best

    def _tiers(
        self, words: Sequence[str], exact: Sequence[set[int]], started: Sequence[set[int]]
    ) -> Iterator[tuple[Closeness, Iterable[int]]]:
        yield Closeness.EXACT, sorted(set.intersection(*exact))
        yield Closeness.PREFIX, sorted(set.intersection(*started))
        yield Closeness.FRAGMENT, self._having_parts(words, started)

    def _answering(self, word: str, *, exactly: bool = False) -> Sequence[int]:
        """Return the places of names with this word, or with one that begins so."""
        first = bisect_left(self._words, word)
        if exactly:
            is_there = first < len(self._words) and self._words[first] == word
            last = first + is_there
        else:
            last = bisect_left(self._words, word + AFTER_ALL, lo=first)
        return self._places[self._starts[first] : self._starts[last]]

    def _having_parts(self, words: Sequence[str], started: Sequence[set[int]]) -> Iterator[int]:
        """Yield the places of names with all words in them; one letter must begin a word."""
        letters = [begun for word, begun in zip(words, started, strict=True) if len(word) == 1]
        parts = [word for word in words if len(word) > 1]
        for place in self._joined.having(max(parts, key=len)) if parts else ():
            line = self._joined[place]
            if all(part in line for part in parts) and all(place in begun for begun in letters):
                yield place


def _best(
    places: Iterable[int], worst: Closeness, levels: Sequence[Level], *, most: int
) -> list[Graded]:
    """Return the first of ascending places, with the worst grade of their words and the sum.

    Where all have the same grade, no more are asked for than are wanted.
    """
    if len(levels) == 1 or worst is Closeness.EXACT:
        alike = (int(worst), int(worst) * len(levels))
        return [(alike, place) for place in islice(places, most)]
    graded = (
        ((int(worst), sum((at not in whole) + (at not in begun) for whole, begun in levels)), at)
        for at in places
    )
    return nsmallest(most, graded)


def _postings(lines: Sequence[str]) -> tuple[Lines, array[int], array[int]]:
    """Return all words in order, where each one's places start, and the places end to end.

    A name of several words counts as one word too: "de la cruz" is found as "delacruz".
    """
    by_word: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        words = set(line.split())
        if " " in line:
            words.update(part.replace(" ", "") for part in line.split("\t") if part)
        for word in words:
            by_word.setdefault(word, []).append(place)
    words_in_order = sorted(by_word)
    lengths = (len(by_word[word]) for word in words_in_order)
    starts = array("I", accumulate(lengths, initial=0))
    places = array("I", (place for word in words_in_order for place in by_word[word]))
    return Lines(words_in_order), starts, places
