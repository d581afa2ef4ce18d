"""Text as it stands between HL7 v2's separators, both ways. Logs nothing, quotes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

BREAK = r"\.br" + "\\"
_OUT = {"\\": r"\E" + "\\", "|": r"\F" + "\\", "^": r"\S" + "\\", "&": r"\T" + "\\",
        "~": r"\R" + "\\"}  # fmt: skip
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class Separators:
    """Which characters part fields, components, repetitions and subcomponents."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    sub: str = "&"

    @property
    def encoding(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.sub


OURS = Separators()


def escaped(text: str, *, longest: int, keeps_lines: bool = False) -> str:
    """Return text that no reader takes for a separator, cut to `longest` characters as written.

    Line ends become spaces, or breaks where `keeps_lines`; other control characters go, because
    two of them end a message.
    """
    words: list[str] = []
    room = longest
    for char in _lines(text):
        word = (BREAK if keeps_lines else " ") if char == "\n" else _OUT.get(char, char)
        room -= len(word)
        if room < 0:
            break
        words.append(word)
    return "".join(words)


def fits(text: str, *, longest: int) -> bool:
    """Whether `escaped` would leave nothing of it out."""
    return escaped(text, longest=longest) == escaped(text, longest=8 * len(text) + 1)


def _lines(text: str) -> str:
    joined = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in joined if char == "\n" or _may_stand(char))


def _may_stand(char: str) -> bool:
    return ord(char) >= 32 and not 0x7F <= ord(char) <= 0x9F and not "\ud800" <= char <= "\udfff"


def unescaped(text: str, separators: Separators) -> str:
    """Return what a text says; an escape that is unknown here is left out."""
    if separators.escape not in text or not separators.escape:
        return text
    pieces = text.split(separators.escape)
    if len(pieces) % 2 == 0:  # one that is never closed stands for itself
        pieces[-2:] = [pieces[-2] + separators.escape + pieces[-1]]
    return "".join(
        _meant(piece, separators) if number % 2 else piece for number, piece in enumerate(pieces)
    )


def _meant(code: str, separators: Separators) -> str:
    plain = {"F": separators.field, "S": separators.component, "T": separators.sub,
             "R": separators.repetition, "E": separators.escape}  # fmt: skip
    if code in plain:
        return plain[code]
    if code[:3] in {".br", ".sp", ".ce"}:
        return "\n"
    if code[:1] == "X" and _HEX.fullmatch(code[1:]):
        return bytes.fromhex(code[1:]).decode("latin-1").replace("\0", "")
    return ""
