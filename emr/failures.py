"""How a record system says no, as facts that decide what may be done next.

An error carries a status and codes, never an address, a header, a name or a body.
"""

from __future__ import annotations

from datetime import timedelta


class EMRError(Exception):
    """The other side did not simply do it. `codes` are short and without PHI."""

    def __init__(self, *codes: str) -> None:
        super().__init__(" ".join(codes))
        self.codes = codes


class TryLater(EMRError):
    """Surely not done, and may be tried again: no connection, 408, 425, 429, 5xx to a read."""

    def __init__(self, *codes: str, after: timedelta | None = None) -> None:
        super().__init__(*codes)
        self.after = after


class Unsure(EMRError):
    """Perhaps done: the request was written, and no answer says what became of it. Search first."""


class Refused(EMRError):
    """Surely not done, and never will be as it is: 400, 403 to 406, 410, 415, 422, AE, AR."""


class NotFound(Refused):
    """404 and 410: there is no such resource (any more)."""


class Clash(EMRError):
    """It was changed there since it was read: 409, 412, 424. Read it again, then agree."""


class BeingEdited(TryLater):
    """423: somebody has it open there; soon again."""


class Unauthorized(EMRError):
    """401 with a token that is new: the credentials are wrong. For people, not for a retry."""


class NotOffered(EMRError):
    """This connection cannot do that at all; nothing was sent."""


class NoSlot(Refused):
    """The other side has no slot there, or it is taken."""
