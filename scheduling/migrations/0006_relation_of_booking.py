"""Whose patient somebody becomes by a visit is written with the booking, in its one round trip.

After the calendar's lock, as in a move: two that lock the same rows lock them in the same order.
"""

from importlib import import_module

from django.db import migrations

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
    INSERT INTO patients_carerelationship AS known (
        id, patient_id, provider_id, kind, since, until)
    SELECT (ask->>'relation')::uuid, (ask->>'patient')::uuid, who, 'VISIT',
        (ask->>'now')::timestamptz, max((visit->>'ends')::timestamptz)
            + make_interval(months => (ask->>'relation_months')::int)
    FROM jsonb_array_elements(ask->'visits') AS visit
    ON CONFLICT (patient_id, provider_id, kind) DO UPDATE
        SET until = greatest(known.until, excluded.until);
    SELECT facts.* INTO is_bookable, zone, hours, gone, is_booked, is_held
    FROM daysheet_facts(ask) AS facts;
END $$;
"""
BEFORE = import_module("scheduling.migrations.0004_privacy").BOOK


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0005_merging"), ("patients", "0006_access")]
    operations = [migrations.RunSQL(BOOK, BEFORE)]
