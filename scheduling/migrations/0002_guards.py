"""No booking or hold commits without bumping its provider's calendar; history is append-only."""

from django.db import migrations

GUARDS = """
CREATE CONSTRAINT TRIGGER appointment_insert_bumps AFTER INSERT
    ON scheduling_appointment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.status <> 'CANCELLED') EXECUTE FUNCTION daysheet_guard_provider_id();
CREATE CONSTRAINT TRIGGER appointment_update_bumps AFTER UPDATE
    ON scheduling_appointment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.provider_id <> NEW.provider_id OR OLD.busy <> NEW.busy
          OR (OLD.status = 'CANCELLED') <> (NEW.status = 'CANCELLED'))
    EXECUTE FUNCTION daysheet_guard_provider_id();
CREATE CONSTRAINT TRIGGER appointment_delete_bumps AFTER DELETE
    ON scheduling_appointment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status <> 'CANCELLED') EXECUTE FUNCTION daysheet_guard_provider_id();

CREATE CONSTRAINT TRIGGER hold_insert_bumps AFTER INSERT
    ON scheduling_slothold DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION daysheet_guard_provider_id();
CREATE CONSTRAINT TRIGGER hold_update_bumps AFTER UPDATE
    ON scheduling_slothold DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.provider_id <> NEW.provider_id OR OLD.busy <> NEW.busy
          OR OLD.expires_at <> NEW.expires_at)
    EXECUTE FUNCTION daysheet_guard_provider_id();
CREATE CONSTRAINT TRIGGER hold_delete_bumps AFTER DELETE
    ON scheduling_slothold DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.expires_at > clock_timestamp()) EXECUTE FUNCTION daysheet_guard_provider_id();
"""

APPEND_ONLY = """
CREATE FUNCTION daysheet_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER appointment_event_append_only BEFORE UPDATE OR DELETE
    ON scheduling_appointmentevent FOR EACH ROW EXECUTE FUNCTION daysheet_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0001_initial"), ("providers", "0002_calendar_guard")]
    operations = [
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
    ]
