"""Which of several HumanNames is somebody's name today. Digits and accents are kept as written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emr.fhir.tolerant import items, part, text, texts

_ORDER = ("official", "usual", "", "temp", "nickname", "anonymous", "old", "maiden")


@dataclass(frozen=True, slots=True)
class Name:
    given: str
    family: str
    prefix: str = ""
    suffix: str = ""

    @property
    def as_written(self) -> str:
        """The whole name on one line, for somebody who is addressed by it."""
        whole = " ".join(word for word in (self.prefix, self.given, self.family) if word)
        return f"{whole}, {self.suffix}" if self.suffix else whole


def current_name(names: object) -> Name | None:
    """Return the official name, else the most usual one; None where none has any words.

    A name given only as `text` is not taken apart: it stands whole as the family name.
    """
    if isinstance(names, str):
        names = {"text": names}
    ranked = sorted(items(names), key=_rank)
    return next((name for entry in ranked if (name := _read(entry))), None)


def _rank(entry: Mapping[str, Any]) -> tuple[bool, int]:
    use = text(entry.get("use"))
    ended = bool(part(entry.get("period")).get("end"))
    return ended, _ORDER.index(use if use in _ORDER else "")


def _read(entry: Mapping[str, Any]) -> Name | None:
    given = " ".join(texts(entry.get("given")))
    family = " ".join(texts(entry.get("family")))
    if not (given or family):
        whole = text(entry.get("text"))
        return Name(given="", family=whole) if whole else None
    prefix, suffix = (" ".join(texts(entry.get(key))) for key in ("prefix", "suffix"))
    return Name(given=given, family=family, prefix=prefix, suffix=suffix)
