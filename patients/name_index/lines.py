"""Short texts by place, kept end to end in one string, which is searched faster than they would be
one by one, and takes a third of their memory. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

END = "\n"


class Lines:
    """Texts without line breaks, numbered from 0 on."""

    def __init__(self, texts: Iterable[str]) -> None:
        kept = list(texts)
        self._starts = array("I", accumulate((len(text) + 1 for text in kept), initial=0))
        self._text = END.join([*kept, ""])

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, place: int) -> str:
        return self._text[self._starts[place] : self._starts[place + 1] - 1]

    def having(self, part: str) -> Iterator[int]:
        """Yield the places of texts with this part in them, the lowest first, as they are sought.

        A part that ends with a line break is sought at the end of texts.
        """
        text, starts = self._text, self._starts
        found = text.find(part)
        while found >= 0:
            place = bisect_right(starts, found) - 1
            yield place
            found = text.find(part, starts[place + 1])
