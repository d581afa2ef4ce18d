"""What makes a notification the same when it comes again. Pure.

Where nothing in it does, it is another each time: reading a resource once more than needed harms
nothing, and missing a change would.
"""

from __future__ import annotations

import hashlib
from uuid import uuid4

from emr.visits import Told

LONGEST = 200


def key_of(told: Told, *, subscription: str = "", number: int | None = None) -> str:
    """Return the key of something told, empty where nothing sets it apart from the next.

    `number` is a subscription's own count of its notifications.
    """
    what = f"{told.resource_type}/{told.resource_id}"
    if told.version_id:
        return _short(f"{what}/{told.version_id}")
    if number is not None:
        return _short(f"event/{subscription}/{told.event or number}/{what}")
    return ""


def new_key(told: Told) -> str:
    """Return a key that nothing else has."""
    return _short(f"told/{uuid4().hex}/{told.resource_type}/{told.resource_id}")


def _short(key: str) -> str:
    return key if len(key) <= LONGEST else hashlib.sha256(key.encode()).hexdigest()
