"""Consents stay as they were given; nothing new is planned or agreed to for a joined record.

What was sent or received is kept in any case, so the ledger and the texts have no such guard.
"""

from django.db import migrations

# A joining of two records is the one thing that may change whose consent it is.
CONSENT = """
CREATE TRIGGER consent_change_stays BEFORE DELETE
    ON reminders_consentchange FOR EACH ROW EXECUTE FUNCTION daysheet_refuse_change();
CREATE TRIGGER consent_change_unchanged BEFORE UPDATE
    ON reminders_consentchange FOR EACH ROW
    WHEN ((OLD.id, OLD.channel, OLD.given, OLD.source, OLD.by_user_id, OLD.at)
        IS DISTINCT FROM (NEW.id, NEW.channel, NEW.given, NEW.source, NEW.by_user_id, NEW.at))
    EXECUTE FUNCTION daysheet_refuse_change();
"""
NO_CONSENT = """
DROP TRIGGER consent_change_stays ON reminders_consentchange;
DROP TRIGGER consent_change_unchanged ON reminders_consentchange;
"""
TABLES = ("consentchange", "contactpreference", "notice", "pushsubscription")
GUARD = """
CREATE TRIGGER {table}_patient_not_joined BEFORE INSERT OR UPDATE OF patient_id
    ON reminders_{table} FOR EACH ROW WHEN (NEW.patient_id IS NOT NULL)
    EXECUTE FUNCTION daysheet_refuse_joined()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0001_initial"),
        ("scheduling", "0005_merging"),
        ("patients", "0007_matching"),
    ]
    operations = [
        migrations.RunSQL(CONSENT, NO_CONSENT),
        *(
            migrations.RunSQL(
                GUARD.format(table=table),
                f"DROP TRIGGER {table}_patient_not_joined ON reminders_{table}",
            )
            for table in TABLES
        ),
    ]
