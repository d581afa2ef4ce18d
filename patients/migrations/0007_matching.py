"""Records that may be one person's, records that were joined, and a guard against late comers."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import patients.fields
import providers.fields

# Whoever adds something to a record locks its row, and waits for a joining that is under way.
GUARD = """
CREATE FUNCTION daysheet_refuse_joined() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE joined uuid;
BEGIN
    SELECT merged_into_id INTO joined FROM patients_patient WHERE id = NEW.patient_id
        FOR KEY SHARE;
    IF joined IS NOT NULL THEN
        RAISE EXCEPTION 'this record was joined into another'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'patient_not_joined';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER identifier_patient_not_joined BEFORE INSERT OR UPDATE OF patient_id
    ON patients_patientidentifier FOR EACH ROW EXECUTE FUNCTION daysheet_refuse_joined();
"""
NO_GUARD = """
DROP TRIGGER identifier_patient_not_joined ON patients_patientidentifier;
DROP FUNCTION daysheet_refuse_joined();
"""


def key(name, to, on_delete=django.db.models.deletion.PROTECT, **more):
    return (name, models.ForeignKey(on_delete=on_delete, to=to, **{"related_name": "+"} | more))


def person(name, **more):
    return key(name, settings.AUTH_USER_MODEL, **more)


ID = (
    "id",
    models.UUIDField(
        default=providers.fields.new_id, editable=False, primary_key=True, serialize=False
    ),
)
CASCADE = {"on_delete": django.db.models.deletion.CASCADE}
MAYBE = {"null": True, "blank": True}


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0006_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="MatchCandidate",
            fields=[
                ID,
                key("clinic", "providers.clinic", **CASCADE),
                key("one", "patients.patient", **CASCADE),
                key("other", "patients.patient", **CASCADE),
                (
                    "chance",
                    models.FloatField(help_text="That both are one person, from 0 to 1."),
                ),
                ("band", models.CharField(max_length=8)),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        models.CharField(max_length=20), blank=True, default=list, size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("OPEN", "To be looked at"),
                            ("MERGED", "Joined"),
                            ("DISTINCT", "Different people"),
                        ],
                        default="OPEN",
                        max_length=8,
                    ),
                ),
                person("decided_by", **MAYBE),
                ("decided_at", models.DateTimeField(**MAYBE)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["clinic", "-chance"],
                        name="match_waiting",
                        condition=Q(state="OPEN"),
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(name="match_pair_once", fields=["one", "other"]),
                    models.CheckConstraint(
                        name="match_pair_in_order", condition=Q(one__lt=F("other"))
                    ),
                    models.CheckConstraint(
                        name="match_decided_by_somebody",
                        condition=Q(state="OPEN", decided_by=None, decided_at=None)
                        | ~Q(state="OPEN") & Q(decided_by__isnull=False, decided_at__isnull=False),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PatientMerge",
            fields=[
                ID,
                key("clinic", "providers.clinic"),
                key("keep", "patients.patient", related_name="merges"),
                key("away", "patients.patient"),
                ("moved", models.JSONField(default=dict)),
                ("changes", patients.fields.SealedTextField(default="[]")),
                person("made_by"),
                ("made_at", models.DateTimeField()),
                person("undone_by", **MAYBE),
                ("undone_at", models.DateTimeField(**MAYBE)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        name="patient_merged_once", fields=["away"], condition=Q(undone_at=None)
                    ),
                    models.CheckConstraint(name="merge_of_two", condition=~Q(keep=F("away"))),
                    models.CheckConstraint(
                        name="merge_undone_by_somebody",
                        condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                        | Q(undone_at__isnull=False, undone_by__isnull=False),
                    ),
                ]
            },
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
