"""What each database role may do, as data, and the SQL that makes it so.

`owner` migrates and is used for nothing else; `app` serves pages and works off jobs; `sealer` seals
the record of looks; `backup` reads. Knows neither passwords nor who connects from where.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

READ, ADD, CHANGE, REMOVE = "SELECT", "INSERT", "UPDATE", "DELETE"
EVERYTHING = (READ, ADD, CHANGE, REMOVE)
# What the app may do less of than with any other table.
KEPT_FROM_APP = {
    "django_migrations": (READ,),
    "patients_auditentry": (READ, ADD),
    "patients_auditseal": (READ,),
    "patients_auditverification": (READ, ADD, CHANGE),
    "patients_outboxhome": (READ,),
    "scheduling_appointmentevent": (READ, ADD),
}
OF_SEALER = {
    "patients_auditentry": (READ,),
    "patients_auditseal": (READ, ADD),
    "patients_auditverification": (READ, ADD),
}
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the three roles that are no owner."""

    app: str
    sealer: str
    backup: str

    def names(self) -> tuple[str, ...]:
        return self.app, self.sealer, self.backup


def statements(roles: Roles, *, tables: list[str], database: str) -> Iterator[sql.Composed]:
    """Yield what the owner says, or a superuser, so that each role may do its part and no more.

    Everything granted before is taken back first, so that saying it again after a migration
    brings new tables in. Nobody is granted TRUNCATE, TRIGGER or a change of the schema.
    """
    unknown = {*KEPT_FROM_APP, *OF_SEALER} - {*tables}
    if unknown:
        raise LookupError(f"The database has no table {min(unknown)}: migrate it first.")
    yield from _begin(roles, database)
    for table in tables:
        yield _grant(KEPT_FROM_APP.get(table, EVERYTHING), table, roles.app)
        yield _grant((READ,), table, roles.backup)
    for table, may in OF_SEALER.items():
        yield _grant(may, table, roles.sealer)
    yield _all_sequences("USAGE", roles.app)
    yield _all_sequences("USAGE", roles.sealer)
    yield _all_sequences("SELECT", roles.backup)


def _begin(roles: Roles, database: str) -> Iterator[sql.Composed]:
    place = sql.Identifier(database)
    yield sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(place)
    yield sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC").format()
    for name in roles.names():
        role = sql.Identifier(name)
        for kind in ("TABLES", "SEQUENCES"):
            yield sql.SQL("REVOKE ALL ON ALL {} IN SCHEMA public FROM {}").format(
                sql.SQL(kind), role
            )
        yield sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(place, role)
        yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role)


def _grant(may: tuple[str, ...], table: str, role: str) -> sql.Composed:
    return sql.SQL("GRANT {} ON {} TO {}").format(
        sql.SQL(", ").join(map(sql.SQL, may)), sql.Identifier(table), sql.Identifier(role)
    )


def _all_sequences(may: str, role: str) -> sql.Composed:
    return sql.SQL("GRANT {} ON ALL SEQUENCES IN SCHEMA public TO {}").format(
        sql.SQL(may), sql.Identifier(role)
    )
