"""The statements of a booking as functions of the database: one round trip, and plans are kept.

Each statement of a volatile function sees what was committed before it, so that `daysheet_book`
inserts first, locks late and then looks again, exactly as if its statements came one by one.
"""

from django.db import migrations

LOOK = """
CREATE FUNCTION daysheet_look(
    who uuid, lane smallint, busy_start timestamptz, busy_end timestamptz,
    person uuid, starts timestamptz, ends timestamptz, own uuid[],
    OUT provider_busy boolean, OUT patient_busy boolean) LANGUAGE plpgsql STABLE AS $$
BEGIN
    provider_busy := EXISTS (
        SELECT FROM scheduling_appointment
        WHERE provider_id = who AND overbook_lane = lane AND status <> 'CANCELLED'
            AND busy && tstzrange(busy_start, busy_end) AND id <> ALL(own));
    patient_busy := EXISTS (
        SELECT FROM scheduling_appointment
        WHERE patient_id = person AND status <> 'CANCELLED' AND id <> ALL(own)
            AND tstzrange(scheduled_start, scheduled_end) && tstzrange(starts, ends));
END $$;
"""

HOURS = """
CREATE FUNCTION daysheet_hours(who uuid, place uuid, first_day date, last_day date)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_array(
            day_of_week, start_time, end_time, slot_duration_minutes, valid_from, valid_until,
            (SELECT jsonb_agg(visittype_id) FROM providers_providerschedule_visit_types
             WHERE providerschedule_id = hours.id)) ORDER BY day_of_week, start_time), '[]')
        FROM providers_providerschedule AS hours
        WHERE provider_id = who AND clinic_id = place AND is_active
            AND valid_from <= last_day AND (valid_until IS NULL OR valid_until >= first_day));
END $$;
"""

# Asked in a statement of its own, after the calendar's lock.
FACTS = """
CREATE FUNCTION daysheet_facts(
    ask jsonb,
    OUT is_bookable boolean, OUT zone text, OUT hours text, OUT gone text,
    OUT is_booked boolean, OUT is_held boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    who CONSTANT uuid := ask->>'provider';
    place CONSTANT uuid := ask->>'clinic';
    own CONSTANT uuid[] := ARRAY(SELECT jsonb_array_elements_text(ask->'own'));
    own_holds CONSTANT uuid[] := ARRAY(SELECT jsonb_array_elements_text(ask->'own_holds'));
    first timestamptz;
    last timestamptz;
    spans tstzrange[];
BEGIN
    SELECT min(starts), max(ends), array_agg(tstzrange(busy_start, busy_end))
    INTO first, last, spans
    FROM jsonb_to_recordset(ask->'visits') AS visit(
        starts timestamptz, ends timestamptz, busy_start timestamptz, busy_end timestamptz);

    SELECT provider.is_active AND clinic.is_active, clinic.time_zone_id INTO is_bookable, zone
    FROM providers_provider AS provider, providers_clinic AS clinic
    WHERE provider.id = who AND clinic.id = place;

    hours := daysheet_hours(who, place, (ask->>'first_day')::date, (ask->>'last_day')::date);

    SELECT coalesce(jsonb_agg(jsonb_build_array(absent.since, absent.until, absent.kind)), '[]')
    INTO gone FROM (
        SELECT start_datetime, end_datetime, 'away' FROM providers_timeoff
        WHERE provider_id = who AND end_datetime > first AND start_datetime < last
        UNION ALL
        SELECT start_datetime, end_datetime, 'closed' FROM providers_clinicclosure
        WHERE clinic_id = place AND end_datetime > first AND start_datetime < last
    ) AS absent(since, until, kind);

    is_booked := (ask->>'alone')::boolean AND EXISTS (
        SELECT FROM unnest(spans) AS span JOIN scheduling_appointment AS other
            ON other.provider_id = who AND other.busy && span
        WHERE other.status <> 'CANCELLED' AND other.id <> ALL(own));
    is_held := (ask->>'lane')::smallint = 0 AND EXISTS (
        SELECT FROM unnest(spans) AS span JOIN scheduling_slothold AS held
            ON held.provider_id = who AND held.busy && span
        WHERE held.expires_at > clock_timestamp() AND held.id <> ALL(own_holds));
END $$;
"""

BOOK = """
CREATE FUNCTION daysheet_book(
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
            id uuid, reference text, event uuid, starts timestamptz, ends timestamptz,
            busy_start timestamptz, busy_end timestamptz)
    ), booked AS (
        INSERT INTO scheduling_appointment (
            id, reference, patient_id, provider_id, clinic_id, appointment_type_id,
            scheduled_start, scheduled_end, busy, overbook_lane, status,
            reason_for_visit, booked_via, series, version, sequence, created_at)
        SELECT id, reference, (ask->>'patient')::uuid, who, (ask->>'clinic')::uuid,
            (ask->>'type')::uuid, starts, ends, tstzrange(busy_start, busy_end),
            (ask->>'lane')::smallint, 'SCHEDULED', ask->>'reason', ask->>'via',
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
    PERFORM daysheet_bump(
        CASE WHEN kept_by IS NULL OR kept_by = who THEN ARRAY[who] ELSE ARRAY[who, kept_by] END,
        (ask->>'stamp')::bigint);
    SELECT facts.* INTO is_bookable, zone, hours, gone, is_booked, is_held
    FROM daysheet_facts(ask) AS facts;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("scheduling", "0002_guards"),
        ("providers", "0003_bump_function"),
    ]
    operations = [
        migrations.RunSQL(LOOK, "DROP FUNCTION daysheet_look"),
        migrations.RunSQL(HOURS, "DROP FUNCTION daysheet_hours"),
        migrations.RunSQL(FACTS, "DROP FUNCTION daysheet_facts"),
        migrations.RunSQL(BOOK, "DROP FUNCTION daysheet_book"),
    ]
