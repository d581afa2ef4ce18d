"""Ways in which somebody with the database in their hands could bend the record, drawn at random.

Each act says which row is the first that is no longer what was sealed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.patients.sealing import ask

# Another value of a type, for a column that may be empty.
OTHER_VALUES = {
    "bigint": ["coalesce({c}, 0) + 1", "NULL"],
    "integer": ["coalesce({c}, 0) + 1", "NULL"],
    "smallint": ["{c} + 1"],
    "text": ["coalesce({c}, '') || 'x'", "upper({c})", "NULL"],
    "character varying": ["coalesce({c}, '') || 'x'", "reverse({c})", "''", "NULL"],
    "jsonb": ['\'{{"sex": ["x", 100]}}\'', "NULL", "'null'"],
    "inet": ["'192.0.2.7'", "NULL"],
    "timestamp with time zone": ["{c} + interval '1 microsecond'", "{c} - interval '1 hour'"],
    "uuid": ["gen_random_uuid()", "NULL"],
    "uuid[]": ["{c} || gen_random_uuid()", "'{{}}'", "{c}[2:]"],
    "character varying[]": ["{c} || 'notes'::varchar", "'{{}}'", "{c}[2:]"],
    "xid8": ["({c}::text::bigint - 1)::text::xid8", "({c}::text::bigint + 3)::text::xid8"],
}
COLUMNS = """
SELECT attname, regexp_replace(format_type(atttypid, atttypmod), '\\(.*\\)', '') FROM pg_attribute
WHERE attrelid = 'patients_auditentry'::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""
# The owner of the table drops what stands in the way.
NO_LONGER_REQUIRED = """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'patients_auditentry'::regclass AND contype = 'c'
    LOOP EXECUTE format('ALTER TABLE patients_auditentry DROP CONSTRAINT %I', one.conname);
    END LOOP;
    FOR one IN SELECT attname FROM pg_attribute WHERE attnotnull AND attname <> 'id'
        AND attrelid = 'patients_auditentry'::regclass AND attnum > 0 AND NOT attisdropped
    LOOP EXECUTE format('ALTER TABLE patients_auditentry ALTER %I DROP NOT NULL', one.attname);
    END LOOP;
END $$
"""


@dataclass(frozen=True, slots=True)
class Log:
    """What was sealed: the rows in order, and the first row of each seal, by its number."""

    rows: list[int]
    columns: dict[str, str]
    first_of: dict[int, int]

    @classmethod
    def read(cls) -> Log:
        rows = ask("SELECT id FROM patients_auditentry ORDER BY written_on, written_in, id")
        seals = ask("SELECT number, first_id FROM patients_auditseal ORDER BY number")
        return cls([row for (row,) in rows], dict(ask(COLUMNS)), dict(seals))

    def first(self, *rows: int) -> int:
        return min(rows, key=self.rows.index)


Act = Callable[[Log, Random], int]


def edit(log: Log, dice: Random) -> int:
    """Change one column of one row."""
    column = dice.choice(list(log.columns))
    values = ["{c} + 100000"] if column == "id" else OTHER_VALUES[log.columns[column]]
    return edit_to(log, dice, column=column, value=dice.choice(values))


def edit_to(log: Log, dice: Random, *, column: str, value: str) -> int:
    row = dice.choice(log.rows)
    new = "id + 100000" if column == "id" else value.format(c=f'"{column}"')
    ask(f'UPDATE patients_auditentry SET "{column}" = {new} WHERE id = %s', [row])  # noqa: S608
    return row


def delete(log: Log, dice: Random) -> int:
    """Take out one row or several."""
    gone = dice.sample(log.rows, dice.choice([1, 1, 1, 2, 5, len(log.rows)]))
    ask("DELETE FROM patients_auditentry WHERE id = ANY(%s)", [gone])
    return log.first(*gone)


def insert(log: Log, dice: Random) -> int:
    """Put a row among the sealed ones, as if it had always been there."""
    new = dice.choice([-1, 1]) * dice.randrange(10**6, 10**9)
    like = dice.choice(log.rows)
    names = [name for name in log.columns if name not in {"id", "object_repr"}]
    listed = ", ".join(f'"{name}"' for name in names)
    ask(
        f"INSERT INTO patients_auditentry (id, object_repr, {listed})"  # noqa: S608
        f" SELECT %s, 'invented', {listed} FROM patients_auditentry WHERE id = %s",
        [new, like],
    )
    return new


def insert_out_of_reach(log: Log, dice: Random) -> int:
    """Put in a row that claims a transaction which no seal would ever cover."""
    new = insert(log, dice)
    where = dice.choice(
        [
            "written_in = '9000000000000000000'",
            "written_in = '18446744073709551615'",
            "written_in = '0'",
            "written_in = NULL",
            "written_on = NULL",
        ]
    )
    ask(f"UPDATE patients_auditentry SET {where} WHERE id = %s", [new])  # noqa: S608
    return new


def swap_ids(log: Log, dice: Random) -> int:
    """Let two rows change places."""
    one, other = dice.sample(log.rows, 2)
    for old, new in ((one, 0), (other, one), (0, other)):
        ask("UPDATE patients_auditentry SET id = %s WHERE id = %s", [new, old])
    return log.first(one, other)


def swap_values(log: Log, dice: Random) -> int:
    """Exchange when two rows were written, or who wrote them, or what about."""
    one, other = dice.sample(log.rows, 2)
    columns = dice.choice([["timestamp"], ["timestamp", "written_in"], ["system_actor", "role"]])
    for column in columns:
        ask(
            f'UPDATE patients_auditentry AS a SET "{column}" = b."{column}"'  # noqa: S608
            " FROM patients_auditentry AS b"
            " WHERE a.id = ANY(%s) AND b.id = ANY(%s) AND a.id <> b.id",
            [[one, other], [one, other]],
        )
    return log.first(one, other)


def cut_rows(log: Log, dice: Random) -> int:
    """Cut off the end of the rows and leave the seals."""
    at = dice.randrange(len(log.rows))
    ask("DELETE FROM patients_auditentry WHERE id = ANY(%s)", [log.rows[at:]])
    return log.rows[at]


def cut_everything(log: Log, dice: Random) -> int:
    """Cut off the end of the seals with all that they cover."""
    number = dice.choice(list(log.first_of))
    first = log.first_of[number]
    if number == 1 and dice.random() < 0.5:
        ask("TRUNCATE patients_auditentry, patients_auditseal")
        return first
    ask("DELETE FROM patients_auditseal WHERE number >= %s", [number])
    rows = log.rows[log.rows.index(first) :]
    ask("DELETE FROM patients_auditentry WHERE id = ANY(%s)", [rows])
    return first


ACTS: list[Act] = [
    edit,
    delete,
    insert,
    insert_out_of_reach,
    swap_ids,
    swap_values,
    cut_rows,
    cut_everything,
]
