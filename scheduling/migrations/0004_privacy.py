"""A booking's reason is sealed for each visit, and its row of the audit is written with it.

Rows from before columns were sealed are sealed here, the last step that any of them needs.
"""

from importlib import import_module
from typing import Any

from django.db import migrations

from patients.fields import SealedMixin
from patients.indexes import SOURCES, index_of

BOOK = """
CREATE OR REPLACE FUNCTION daysheet_book(
    ask jsonb,
    OUT written uuid[], OUT hold_used boolean,
    OUT is_bookable boolean, OUT zone text, OUT hours text, OUT gone text,
    OUT is_booked boolean, OUT is_held boolean) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    who CONSTANT uuid := ask->>'provider';
    kept_by uuid;
BEGIN
    PERFORM set_config('lock_timeout', ask->>'patience', true);
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(ask->'visits') AS visit(
            id uuid, reference text, reason text, event uuid, starts timestamptz,
            ends timestamptz, busy_start timestamptz, busy_end timestamptz)
    ), booked AS (
        INSERT INTO scheduling_appointment (
            id, reference, patient_id, provider_id, clinic_id, appointment_type_id,
            scheduled_start, scheduled_end, busy, overbook_lane, status,
            reason_for_visit, booked_via, series, version, sequence, created_at)
        SELECT id, reference, (ask->>'patient')::uuid, who, (ask->>'clinic')::uuid,
            (ask->>'type')::uuid, starts, ends, tstzrange(busy_start, busy_end),
            (ask->>'lane')::smallint, 'SCHEDULED', reason, ask->>'via',
            (ask->>'series')::uuid, 0, 0, (ask->>'now')::timestamptz
        FROM wanted ORDER BY starts
        ON CONFLICT DO NOTHING RETURNING id
    ), told AS (
        INSERT INTO scheduling_appointmentevent (
            id, appointment_id, kind, from_status, to_status, by_kind, by_user_id, by_name, at,
            details)
        SELECT wanted.event, booked.id, 'BOOK', '', 'SCHEDULED', ask->>'by_kind',
            (ask->>'by_user')::int, ask->>'by_name', (ask->>'now')::timestamptz, ask->'details'
        FROM booked JOIN wanted ON wanted.id = booked.id
        RETURNING appointment_id
    )
    SELECT coalesce(array_agg(appointment_id), '{}') INTO written FROM told;
    hold_used := false;
    IF cardinality(written) < jsonb_array_length(ask->'visits') THEN
        RETURN;
    END IF;
    IF ask->>'hold' IS NOT NULL THEN
        DELETE FROM scheduling_slothold
        WHERE id = (ask->>'hold')::uuid AND holder = ask->>'holder'
            AND expires_at > clock_timestamp()
        RETURNING provider_id INTO kept_by;
        IF kept_by IS NULL THEN
            RETURN;
        END IF;
        hold_used := true;
    END IF;
    IF ask->>'audit' IS NOT NULL THEN
        PERFORM daysheet_record(ask->'audit');
    END IF;
    PERFORM daysheet_bump(
        CASE WHEN kept_by IS NULL OR kept_by = who THEN ARRAY[who] ELSE ARRAY[who, kept_by] END,
        (ask->>'stamp')::bigint);
    SELECT facts.* INTO is_bookable, zone, hours, gone, is_booked, is_held
    FROM daysheet_facts(ask) AS facts;
END $$;
"""
BEFORE = import_module("scheduling.migrations.0003_booking_functions").BOOK
PLAIN = r"{0} IS NOT NULL AND {0} !~ '^1\.[a-z0-9-]+\.[A-Za-z0-9+/]{{80,}}$'"


def seal_all(apps: Any, schema_editor: Any) -> None:
    """Seal what stands in clear, and write the indexes that it needs."""
    for label in ("patients", "scheduling"):
        for model in apps.get_app_config(label).get_models():
            columns = [f for f in model._meta.concrete_fields if isinstance(f, SealedMixin)]
            for column in columns:
                _seal(schema_editor.connection, column)
    _index(apps.get_model("patients", "Patient"))


def _seal(connection: Any, column: Any) -> None:
    table, name = (connection.ops.quote_name(n) for n in (column.model._meta.db_table, column.name))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {name} FROM {table} WHERE {PLAIN.format(name)}")  # noqa: S608
        sealed = [(column.seal(row, plain), row) for row, plain in cursor.fetchall()]
        cursor.executemany(f"UPDATE {table} SET {name} = %s WHERE id = %s", sealed)  # noqa: S608


def _index(patients: Any) -> None:
    """The historic model opens what it reads like today's; there is no record to note it in."""
    sealed = {column.name: column for column in patients._meta.concrete_fields}
    for patient in patients._base_manager.filter(identity_index=b"").iterator():
        for index, sources in SOURCES.items():
            values = [_open(sealed[name], patient) for name in sources]
            setattr(patient, index, index_of(index, values))
        patient.save(update_fields=list(SOURCES))


def _open(column: Any, patient: Any) -> Any:
    held = patient.__dict__[column.attname]
    return held and column.open(patient.pk, held.text)


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0003_booking_functions"), ("patients", "0009_seals")]
    operations = [
        migrations.RunSQL(BOOK, BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")),
        migrations.RunPython(seal_all, migrations.RunPython.noop),
    ]
