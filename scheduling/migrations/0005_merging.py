"""No visit, kept time or wait for a record that was joined into another: the joining moved them.

Asked before the row is written, so that the patient's row is locked first, as the joining does.
"""

from django.db import migrations

TABLES = ("appointment", "slothold", "waitlistentry")
GUARD = """
CREATE TRIGGER {table}_patient_not_joined BEFORE INSERT OR UPDATE OF patient_id
    ON scheduling_{table} FOR EACH ROW WHEN (NEW.patient_id IS NOT NULL)
    EXECUTE FUNCTION daysheet_refuse_joined()
"""


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0004_privacy"), ("patients", "0007_matching")]
    operations = [
        migrations.RunSQL(
            GUARD.format(table=table),
            f"DROP TRIGGER {table}_patient_not_joined ON scheduling_{table}",
        )
        for table in TABLES
    ]
