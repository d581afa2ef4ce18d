"""The one kind of transaction in which appointments change: durable, with a bounded wait.

Deadlocks, possible only between two moves or undos, are retried here and never reach a caller.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg import errors

from scheduling.errors import Busy

P = ParamSpec("P")
R = TypeVar("R")
TRIES = 4


def in_one_transaction(verb: Callable[P, R]) -> Callable[P, R]:
    """Run a verb in its own durable transaction, again if it was the victim of a deadlock.

    Raises Busy when a lock was not to be had within BOOKING_LOCK_TIMEOUT_MS, or every try failed.
    """

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(TRIES):
            try:
                with transaction.atomic(durable=True):
                    return verb(*args, **kwargs)
            except OperationalError as error:
                if isinstance(error.__cause__, errors.LockNotAvailable):
                    raise Busy from error
                if not isinstance(error.__cause__, errors.DeadlockDetected):
                    raise
            time.sleep(random.uniform(0.005, 0.02) * (attempt + 1))  # noqa: S311
        raise Busy

    return run


def limit_waiting() -> None:
    """Bound every lock wait of the current transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [lock_timeout()])


def lock_timeout() -> str:
    return f"{settings.BOOKING_LOCK_TIMEOUT_MS}ms"
