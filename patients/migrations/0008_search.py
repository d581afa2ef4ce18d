"""Keeps note of the transaction that last changed what a patient is found by.

Whoever keeps names in memory asks for what was changed by transactions that were still running
when they last looked, or have begun since (`patients/name_index/reading.py`). No number is handed
out and no row is locked, so two registrations never wait for each other and cannot deadlock here;
a counter per clinic would make each wait for the other's commit. The notes are taken by triggers,
ENABLE ALWAYS, so that raw SQL, imports, restores of rows and replication take them too. The column
is the database's own: no model writes it, and a forged value is written over.
"""

from django.db import migrations

COLUMNS = """
ALTER TABLE patients_patient ADD COLUMN names_changed_in xid8 NOT NULL DEFAULT '0';
CREATE INDEX patient_names_changed ON patients_patient (clinic_id, names_changed_in);
CREATE TABLE patients_namegone (
    clinic_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    gone_in xid8 NOT NULL
);
CREATE INDEX namegone_by_clinic ON patients_namegone (clinic_id, gone_in);
"""
NO_COLUMNS = """
DROP TABLE patients_namegone;
ALTER TABLE patients_patient DROP COLUMN names_changed_in;
"""

FUNCTIONS = """
CREATE FUNCTION daysheet_name_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.names_changed_in := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE FUNCTION daysheet_name_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO patients_namegone VALUES (OLD.clinic_id, OLD.id, pg_current_xact_id());
    RETURN NULL;
END $$;
"""
NO_FUNCTIONS = "DROP FUNCTION daysheet_name_changed, daysheet_name_gone"

TRIGGERS = """
CREATE TRIGGER patient_name_made BEFORE INSERT
    ON patients_patient FOR EACH ROW EXECUTE FUNCTION daysheet_name_changed();
CREATE TRIGGER patient_name_changed BEFORE UPDATE
    ON patients_patient FOR EACH ROW
    WHEN ((OLD.id, OLD.clinic_id, OLD.merged_into_id, OLD.names_changed_in, OLD.given_name,
           OLD.family_name, OLD.dob, OLD.phone)
          IS DISTINCT FROM
          (NEW.id, NEW.clinic_id, NEW.merged_into_id, NEW.names_changed_in, NEW.given_name,
           NEW.family_name, NEW.dob, NEW.phone))
    EXECUTE FUNCTION daysheet_name_changed();
CREATE TRIGGER patient_name_left AFTER UPDATE
    ON patients_patient FOR EACH ROW
    WHEN ((OLD.id, OLD.clinic_id) IS DISTINCT FROM (NEW.id, NEW.clinic_id))
    EXECUTE FUNCTION daysheet_name_gone();
CREATE TRIGGER patient_name_gone AFTER DELETE
    ON patients_patient FOR EACH ROW EXECUTE FUNCTION daysheet_name_gone();
ALTER TABLE patients_patient
    ENABLE ALWAYS TRIGGER patient_name_made,
    ENABLE ALWAYS TRIGGER patient_name_changed,
    ENABLE ALWAYS TRIGGER patient_name_left,
    ENABLE ALWAYS TRIGGER patient_name_gone;
"""
NO_TRIGGERS = """
DROP TRIGGER patient_name_made ON patients_patient;
DROP TRIGGER patient_name_changed ON patients_patient;
DROP TRIGGER patient_name_left ON patients_patient;
DROP TRIGGER patient_name_gone ON patients_patient;
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0007_matching")]
    operations = [
        migrations.RunSQL(COLUMNS, NO_COLUMNS),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
