"""Values that stand nowhere else, to be typed as patients' data and then looked for everywhere."""

from __future__ import annotations

import base64
import re
import string
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import quote, quote_plus

WORD = "quovax"
FIRST_BIRTHDAY = date(1901, 1, 5)
ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


@dataclass(slots=True)
class Canaries:
    """Gives out values, and remembers each with all the forms that it may take."""

    given: dict[str, set[str]] = field(default_factory=dict)

    def value_for(self, name: str, kind: str) -> str:
        """Return a new value as somebody would type it into a field of this name and kind."""
        if "email" in name or name == "login" or kind == "email":
            return self._keep(f"{self._letters()}@mail.example")
        if "phone" in name or kind == "tel":
            return self._phone()
        if name in {"dob", "birthday"} or "dob" in name:
            return self._birthday()
        if "postal" in name or "zip" in name:
            return self._keep(f"97{len(self.given):03d}-4321")
        if "member" in name or "insurance" in name:
            return self._keep(f"QVX-{len(self.given):05d}-Q")
        return self._keep(self._letters().capitalize())

    def _phone(self) -> str:
        local = f"{5_600_000 + len(self.given) * 7}"
        typed = f"(212) {local[:3]}-{local[3:]}"
        return self._keep(typed, f"212{local}", f"212-{local[:3]}-{local[3:]}")

    def _birthday(self) -> str:
        day = FIRST_BIRTHDAY + timedelta(days=37 * len(self.given))
        typed = f"{day.month}/{day.day}/{day.year}"
        return self._keep(
            typed, day.isoformat(), f"{day:%m/%d/%Y}", f"{day:%B} {day.day}, {day.year}"
        )

    def _letters(self) -> str:
        number, letters = len(self.given), ""
        for _place in range(4):
            number, rest = divmod(number, 26)
            letters += string.ascii_lowercase[rest]
        return WORD + letters + WORD[::-1]

    def _keep(self, typed: str, *forms: str) -> str:
        self.given[typed] = {typed, *forms}
        return typed

    def found_in(self, text: bytes) -> list[str]:
        """Return the values that stand in a text: plain, quoted, or in whatever it encodes."""
        layers = [layer.lower() for layer in unfolded(text)]
        return [
            typed
            for typed, forms in self.given.items()
            if any(needle in layer for needle in _needles(forms) for layer in layers)
        ]


def _needles(forms: set[str]) -> set[bytes]:
    written = {way(form) for form in forms for way in (str, quote, quote_plus)}
    plain = {form.lower().encode() for form in written}
    return plain | {form.encode().hex().encode() for form in forms}


def unfolded(text: bytes, depth: int = 2) -> Iterator[bytes]:
    """Yield a text and what a thief without keys reads out of it: base64, hex, zlib."""
    yield text
    if depth == 0:
        return
    for match in ENCODED.finditer(text):
        for inner in _decoded(match[0]):
            yield from unfolded(inner, depth - 1)


def _decoded(word: bytes) -> Iterator[bytes]:
    if re.fullmatch(rb"(?:[0-9a-fA-F]{2}){12,}", word):
        yield bytes.fromhex(word.decode())
    for alphabet in (None, b"-_"):
        padded = word.rstrip(b"=") + b"=" * (-len(word.rstrip(b"=")) % 4)
        try:
            inner = base64.b64decode(padded, altchars=alphabet, validate=True)
        except ValueError:
            continue
        yield inner
        try:
            yield zlib.decompress(inner)
        except zlib.error:
            continue


__all__ = ["Canaries", "unfolded"]
