"""Bumping as a function of the database: its plan is kept, and other functions can call it."""

from django.db import migrations

BUMP = """
CREATE FUNCTION daysheet_bump(providers uuid[], fresh bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(providers) > 1 THEN
        PERFORM FROM providers_providercalendar WHERE provider_id = ANY(providers)
            ORDER BY provider_id FOR NO KEY UPDATE;
    END IF;
    UPDATE providers_providercalendar
    SET version = version + 1, stamp = fresh, bumped_by = pg_current_xact_id()
    WHERE provider_id = ANY(providers);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("providers", "0002_calendar_guard")]
    operations = [
        migrations.RunSQL(BUMP, "DROP FUNCTION daysheet_bump(uuid[], bigint)"),
    ]
