"""What somebody has typed on the way to a booking, as it stands sealed in their hold.

Kept as typed, right or wrong, so that nothing is lost; the form decides whether it will do.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

LONGEST = 2_000


@dataclass(slots=True, kw_only=True)
class Draft:
    """`choices` are the address's, `typed` the form's fields, `code` the one-time code's id."""

    choices: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    code: str = ""

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Draft:
        return cls(**json.loads(text)) if text else cls()

    def type(self, posted: dict[str, str]) -> None:
        """Replace what was typed, cut at 2,000 characters a field."""
        self.typed = {name: value[:LONGEST] for name, value in posted.items()}
