"""The audit's table as it is written from now on, and the triggers that let nobody rewrite it.

`daysheet_record` writes one row from JSON, in the transaction of whoever calls it: pages, verbs,
jobs and the booking function alike. What it can find out itself (the roles that somebody holds,
the clinic of a patient) it looks up in the same round trip.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import providers.fields

ACTS = [
    (0, "Added"),
    (1, "Changed"),
    (2, "Removed"),
    (3, "Seen"),
    (4, "Searched"),
    (5, "Exported"),
    (6, "Printed"),
    (7, "Sent"),
    (8, "Sign-in"),
    (9, "Shared"),
    (10, "Emergency access"),
    (11, "Merged"),
    (12, "Reviewed"),
]

GUARDS = """
CREATE FUNCTION daysheet_stamp_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.timestamp := clock_timestamp();
    NEW.written_in := pg_current_xact_id();
    NEW.written_on := (pg_control_system()).system_identifier;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_stamped BEFORE INSERT ON patients_auditentry
    FOR EACH ROW EXECUTE FUNCTION daysheet_stamp_record();

CREATE FUNCTION daysheet_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON patients_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION daysheet_refuse_rewriting();
"""
# With rows in it the table has no way back: they have what the former one could not hold.
NO_GUARDS = """
DROP TRIGGER audit_append_only ON patients_auditentry;
DROP TRIGGER audit_stamped ON patients_auditentry;
DROP FUNCTION daysheet_refuse_rewriting, daysheet_stamp_record;
"""

RECORD = """
CREATE FUNCTION daysheet_record(entry jsonb) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    people uuid[] := ARRAY(SELECT jsonb_array_elements_text(entry->'patients'));
    place uuid := entry->>'clinic';
    who CONSTANT int := entry->>'actor';
    held text := entry->>'role';
BEGIN
    IF cardinality(people) = 0 AND entry->>'asked' IS NOT NULL THEN
        people := ARRAY(SELECT id FROM patients_patient WHERE id = (entry->>'asked')::uuid);
    END IF;
    IF place IS NULL AND cardinality(people) > 0 THEN
        SELECT clinic_id INTO place FROM patients_patient WHERE id = people[1];
    END IF;
    IF held IS NULL AND who IS NOT NULL THEN
        SELECT coalesce(
            string_agg(DISTINCT role, ',' ORDER BY role) FILTER (WHERE clinic_id = place),
            string_agg(DISTINCT role, ',' ORDER BY role)) INTO held
        FROM providers_membership WHERE user_id = who AND is_active;
        IF held IS NULL AND EXISTS (SELECT FROM patients_patient WHERE user_id = who) THEN
            held := 'PATIENT';
        END IF;
    END IF;
    INSERT INTO patients_auditentry (
        content_type_id, object_pk, object_id, object_repr, action, changes, changes_text,
        actor_id, system_actor, role, clinic_id, page, purpose, outcome, request_id, browser,
        remote_addr, patient_ids, field_names)
    SELECT (SELECT id FROM django_content_type
            WHERE app_label = entry->>'app' AND model = entry->>'model'),
        coalesce(entry->>'object', ''),
        CASE WHEN entry->>'object' ~ '^[0-9]{1,18}$' THEN (entry->>'object')::bigint END,
        coalesce(entry->>'repr', ''), (entry->>'action')::smallint,
        nullif(entry->'changes', 'null'), '',
        who, coalesce(entry->>'system', ''), coalesce(held, ''), place,
        coalesce(entry->>'page', ''), coalesce(entry->>'purpose', ''),
        coalesce(entry->>'outcome', 'DONE'), coalesce(entry->>'request', ''),
        coalesce(entry->>'browser', ''), (entry->>'address')::inet, people,
        ARRAY(SELECT jsonb_array_elements_text(entry->'fields'));
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("patients", "0004_keys"),
        ("providers", "0003_bump_function"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterModelOptions(
            name="auditentry",
            options={
                "get_latest_by": "timestamp",
                "ordering": ["-timestamp", "-id"],
                "verbose_name": "log entry",
                "verbose_name_plural": "log entries",
            },
        ),
        migrations.AddField(
            "auditentry", "browser", models.CharField(blank=True, default="", max_length=64)
        ),
        migrations.AddField(
            "auditentry",
            "clinic",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="providers.clinic",
            ),
        ),
        migrations.AddField(
            "auditentry", "page", models.CharField(blank=True, default="", max_length=100)
        ),
        migrations.AlterField(
            "auditentry", "action", models.PositiveSmallIntegerField(choices=ACTS)
        ),
        migrations.AlterField(
            "auditentry",
            "actor",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            "auditentry", "cid", models.CharField(blank=True, max_length=255, null=True)
        ),
        migrations.AlterField(
            "auditentry",
            "content_type",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="contenttypes.contenttype",
            ),
        ),
        migrations.AlterField(
            "auditentry", "object_id", models.BigIntegerField(blank=True, null=True)
        ),
        migrations.AlterField(
            "auditentry", "object_pk", models.CharField(blank=True, default="", max_length=255)
        ),
        migrations.AlterField(
            "auditentry", "object_repr", models.TextField(blank=True, default="")
        ),
        migrations.AlterField(
            "auditentry",
            "outcome",
            models.CharField(
                choices=[("DONE", "Done"), ("DENIED", "Denied"), ("FAILED", "Failed")],
                default="DONE",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            "auditentry", "role", models.CharField(blank=True, default="", max_length=100)
        ),
        migrations.AlterField(
            "auditentry",
            "timestamp",
            models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False
            ),
        ),
        migrations.AlterField(
            "auditentry",
            "written_in",
            providers.fields.TransactionIdField(editable=False),
        ),
        migrations.AddField(
            "auditentry",
            "written_on",
            models.BigIntegerField(editable=False, help_text="The cluster that counted."),
            preserve_default=False,
        ),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["actor", "timestamp"], name="audit_by_actor")
        ),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["clinic", "timestamp"], name="audit_by_clinic")
        ),
        migrations.AddIndex(
            "auditentry",
            models.Index(fields=["written_on", "written_in", "id"], name="audit_by_writing"),
        ),
        migrations.AddConstraint(
            "auditentry",
            models.CheckConstraint(
                condition=models.Q(actor__isnull=False) | ~models.Q(system_actor=""),
                name="audit_names_an_actor",
            ),
        ),
        migrations.AddConstraint(
            "auditentry",
            models.CheckConstraint(
                condition=models.Q(outcome__in=["DONE", "DENIED", "FAILED"]),
                name="audit_outcome_known",
            ),
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        migrations.RunSQL(RECORD, "DROP FUNCTION daysheet_record"),
    ]
