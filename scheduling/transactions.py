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
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import errors

from scheduling.errors import Busy, PatientJoined

P = ParamSpec("P")
R = TypeVar("R")
TRIES = 4


def in_one_transaction(verb: Callable[P, R]) -> Callable[P, R]:
    """Run a verb in its own durable transaction, again if it was the victim of a deadlock.

    Raises Busy when a lock was not to be had within BOOKING_LOCK_TIMEOUT_MS, or every try failed,
    and PatientJoined where the patient's record was joined into another meanwhile.
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
            except IntegrityError as error:
                if is_of_joined(error):
                    raise PatientJoined from error
                raise
            time.sleep(random.uniform(0.005, 0.02) * (attempt + 1))  # noqa: S311
        raise Busy

    return run


def is_of_joined(error: IntegrityError) -> bool:
    """Say whether the database refused a row because its patient's record was joined."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) == "patient_not_joined"


def limit_waiting() -> None:
    """Bound every lock wait of the current transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [lock_timeout()])


def lock_timeout() -> str:
    return f"{settings.BOOKING_LOCK_TIMEOUT_MS}ms"
