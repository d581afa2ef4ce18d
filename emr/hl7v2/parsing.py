"""An HL7 v2 message taken apart: bytes to text, text to segments, fields and their parts.

Lenient where senders are careless: any encoding characters, any line end, segments nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from emr.failures import Refused
from emr.hl7v2.errors import Damaged
from emr.hl7v2.escaping import Separators, unescaped

_LINE_END = re.compile(r"\r\n|\r|\n")
_NULL = '""'
CHARACTER_SETS = {
    "ASCII": "latin-1",
    "8859/1": "latin-1",
    "8859/15": "iso8859-15",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UNICODE": "utf-8",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One repetition of a field, as it stands."""

    text: str
    separators: Separators

    def part(self, component: int = 1, sub: int = 1) -> str:
        """Return a component's subcomponent, counted from 1, as it is meant; "" where none is."""
        whole = _nth(self.text, self.separators.component, component)
        said = _nth(whole, self.separators.sub, sub)
        return "" if said == _NULL else unescaped(said, self.separators).strip()


@dataclass(frozen=True, slots=True)
class Segment:
    name: str
    fields: tuple[str, ...]
    separators: Separators

    def each(self, number: int) -> Iterator[Field]:
        """Yield the repetitions of a field, counted as HL7 counts them."""
        raw = self.fields[number - 1] if number <= len(self.fields) else ""
        marks = self.separators
        yield from (Field(one, marks) for one in (raw.split(marks.repetition) if raw else ()))

    def part(self, number: int, component: int = 1, sub: int = 1) -> str:
        """Return a part of a field's first repetition."""
        first = next(self.each(number), None)
        return first.part(component, sub) if first else ""


@dataclass(frozen=True, slots=True)
class Message:
    segments: tuple[Segment, ...]

    @property
    def header(self) -> Segment:
        return self.segments[0]

    def all(self, name: str) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment:
        """Return the first segment of a name, empty where there is none."""
        found = self.all(name)
        return found[0] if found else Segment(name, (), self.header.separators)


def decoded(raw: bytes) -> str:
    """Return a message's text by the character set that MSH-18 names.

    Where it names none, UTF-8 is tried and ISO 8859-1 taken else. Raises Damaged for what does not
    begin with MSH, holds a NUL or is not of the set it names, Refused for a set nobody knows.
    """
    start = raw.lstrip()
    fields = re.split(rb"[\r\n]", start, maxsplit=1)[0].split(start[3:4] or b"|")
    if not start.startswith(b"MSH") or len(fields) < 2 or b"\0" in start:
        raise Damaged("not-hl7")
    label = fields[17].decode("latin-1").split("~")[0].strip().upper() if len(fields) > 17 else ""
    if label and label not in CHARACTER_SETS:
        raise Refused("character-set")
    try:
        return start.decode(CHARACTER_SETS.get(label, "utf-8"))
    except UnicodeDecodeError:
        if label:
            raise Damaged("character-set") from None
        return start.decode("latin-1")


def encoded(text: str) -> bytes:
    """Return a message of ours in the character set that its own MSH-18 names."""
    label = parsed(text).header.part(18)
    return text.encode(CHARACTER_SETS.get(label, "utf-8"))


def parsed(text: str) -> Message:
    """Take a message apart. Raises Damaged where it does not begin with a usable MSH."""
    lines = [line for line in _LINE_END.split(text.strip()) if line.strip()]
    if not lines or not lines[0].startswith("MSH") or len(lines[0]) < 8:
        raise Damaged("not-hl7")
    marks = _separators(lines[0])
    return Message(tuple(_segment(line, marks) for line in lines))


def _separators(header: str) -> Separators:
    field = header[3]
    encoding = header[4:].partition(field)[0]
    if field.isalnum() or len(set(field + encoding)) != 1 + len(encoding) or not encoding:
        raise Damaged("encoding-characters")
    chosen = encoding[:4] + "^~\\&"[len(encoding[:4]) :]
    return Separators(field, *chosen)


def _segment(line: str, marks: Separators) -> Segment:
    name, *fields = line.split(marks.field)
    if name == "MSH":  # whose first field is the separator itself
        fields = [marks.field, *fields]
    return Segment(name.strip(), tuple(fields), marks)


def _nth(text: str, separator: str, number: int) -> str:
    parts = text.split(separator)
    return parts[number - 1] if number <= len(parts) else ""
