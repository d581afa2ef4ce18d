"""The queue of background jobs, which gives out none while the outboxes are held."""

from __future__ import annotations

import time
from typing import Any

from django_q.brokers.orm import ORM
from django_q.conf import Conf

from patients import outboxes


class HeldQueue(ORM):  # type: ignore[misc]  # untyped library
    """django-q2's queue in PostgreSQL. Jobs can be put into it at any time."""

    def dequeue(self) -> Any:
        """Return the next jobs; none, after the queue's usual pause, while all wait."""
        if outboxes.are_held():
            time.sleep(Conf.POLL)
            return None
        return super().dequeue()
