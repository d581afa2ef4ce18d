"""The audit library makes its own log table although ours takes its place.

The table stays, for the library's own migrations; its foreign keys go, so that nothing empty stands
in the way of the tables it would refer to.
"""

from django.db import migrations

DROP_FOREIGN_KEYS = """
DO $$
DECLARE key record;
BEGIN
    FOR key IN
        SELECT conname FROM pg_constraint
        WHERE conrelid = to_regclass('auditlog_logentry') AND contype = 'f'
    LOOP
        EXECUTE format('ALTER TABLE auditlog_logentry DROP CONSTRAINT %I', key.conname);
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0002_one_time_code_contact"),
        ("auditlog", "0017_add_actor_email"),
    ]
    operations = [migrations.RunSQL(DROP_FOREIGN_KEYS, migrations.RunSQL.noop)]
