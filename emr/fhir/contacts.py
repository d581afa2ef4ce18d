"""Telecoms and addresses in the shapes in which they are met; numbers are not judged here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emr.fhir.tolerant import items, part, text, texts

_OR = re.compile(r"\bor\b|[;,/]", re.IGNORECASE)
_PHONE_ORDER = ("mobile", "home", "", "work", "temp")
_HOME_ORDER = ("home", "", "temp", "work", "billing")


@dataclass(frozen=True, slots=True)
class Address:
    line: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""

    @property
    def as_written(self) -> str:
        """The address on two lines, as on an envelope."""
        region = " ".join(word for word in (self.state, self.postal_code) if word)
        place = ", ".join(word for word in (self.city, region) if word)
        return "\n".join(row for row in (self.line, place) if row)


def phones(telecom: object) -> tuple[str, ...]:
    """Return the numbers in use as written, best first: by rank, then mobile, home, others.

    A value that holds several, as in "555-0101 or 555-0102", is taken apart.
    """
    found = (piece for value in _values(telecom, {"phone", "sms"}) for piece in _OR.split(value))
    return tuple(dict.fromkeys(piece.strip() for piece in found if piece.strip()))


def emails(telecom: object) -> tuple[str, ...]:
    return _values(telecom, {"email"})


def _values(telecom: object, systems: set[str]) -> tuple[str, ...]:
    wanted = [
        entry
        for entry in items(telecom)
        if text(entry.get("system")) in systems and not _is_over(entry)
    ]
    ranked = sorted(wanted, key=lambda entry: (_rank(entry), _place(entry, _PHONE_ORDER)))
    found = (text(entry.get("value")) for entry in ranked)
    return tuple(dict.fromkeys(value for value in found if value))


def current_address(addresses: object) -> Address:
    """Return the home address, else the best other one; empty where there is none.

    One given only as text, or as bare text in place of an object, stands whole in `line`.
    """
    if isinstance(addresses, str):
        addresses = {"text": addresses}
    ranked = sorted(
        items(addresses), key=lambda entry: (_is_over(entry), _place(entry, _HOME_ORDER))
    )
    return next((read for entry in ranked if (read := _read(entry)) != Address()), Address())


def _read(entry: Mapping[str, Any]) -> Address:
    read = Address(
        line=", ".join(texts(entry.get("line"))),
        city=text(entry.get("city")),
        state=text(entry.get("state")),
        postal_code=text(entry.get("postalCode")),
    )
    return read if read != Address() else Address(line=text(entry.get("text")))


def _is_over(entry: Mapping[str, Any]) -> bool:
    return text(entry.get("use")) == "old" or bool(part(entry.get("period")).get("end"))


def _rank(entry: Mapping[str, Any]) -> int:
    rank = entry.get("rank")
    return rank if isinstance(rank, int) and rank > 0 else 1_000


def _place(entry: Mapping[str, Any], order: tuple[str, ...]) -> int:
    use = text(entry.get("use"))
    return order.index(use if use in order else "")
