"""A calendar remembers the stamp that stood before the transaction that bumped it last."""

from django.db import migrations, models

BUMP = """
CREATE OR REPLACE FUNCTION daysheet_bump(providers uuid[], fresh bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(providers) > 1 THEN
        PERFORM FROM providers_providercalendar WHERE provider_id = ANY(providers)
            ORDER BY provider_id FOR NO KEY UPDATE;
    END IF;
    UPDATE providers_providercalendar
    SET version = version + 1, stamp = fresh, bumped_by = pg_current_xact_id(),
        previous_stamp = CASE WHEN bumped_by = pg_current_xact_id() THEN previous_stamp
                         ELSE stamp END
    WHERE provider_id = ANY(providers);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("providers", "0005_whole_minutes")]
    operations = [
        migrations.AddField(
            "providercalendar", "previous_stamp", models.BigIntegerField(null=True)
        ),
        migrations.RunSQL(BUMP, migrations.RunSQL.noop),
    ]
