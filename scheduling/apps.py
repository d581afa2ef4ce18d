"""Slots, booking and the pages around them: the domain's centre."""

from typing import Any

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import IsolationLevel


def require_read_committed(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """Refuse a connection at another isolation level: the check under the lock needs this one.

    At REPEATABLE READ the statement after the lock would still see what was there before it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW default_transaction_isolation")
        (level,) = cursor.fetchone()
    asked: IsolationLevel | None = connection.connection.isolation_level
    if asked is not None:
        level = asked.name.lower().replace("_", " ")
    if level != "read committed":
        raise ImproperlyConfigured(f"Booking needs READ COMMITTED; this database gives {level}.")


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        connection_created.connect(require_read_committed, dispatch_uid="read_committed")
