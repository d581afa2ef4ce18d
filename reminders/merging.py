"""What of the reminders hangs on a patient's record, and how it goes over when two are joined.

Calls and the cadence of visits hang on visits and go with them. A no to a channel outlives the
joining, whichever of the two records it stood in.
"""

from __future__ import annotations

from patients.repointing import Repointing
from reminders.models import (
    ConsentChange,
    ContactPreference,
    Delivery,
    InboundText,
    Notice,
    PushSubscription,
)

CHANNELS = ("email", "sms", "push")


def on_merge(way: Repointing) -> None:
    """Move notices, the ledger, consents, devices and texts, and settle the preferences."""
    for model in (Notice, Delivery, ConsentChange, PushSubscription, InboundText):
        way.move(model._default_manager.all())
    _move_preference(way)


def _move_preference(way: Repointing) -> None:
    """Let the survivor keep its own; where it has none, the other record's goes over."""
    mine = ContactPreference.objects.filter(patient=way.target).first()
    if mine is None:
        way.move(ContactPreference.objects.all())
        return
    theirs = ContactPreference.objects.filter(patient=way.source).first()
    if theirs is not None and way.is_joining:
        both = {name: getattr(mine, name) and getattr(theirs, name) for name in CHANNELS}
        way.change(mine, **both)
