"""The seals over the audit, which nobody rewrites either, and what verifications found."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import providers.fields

GUARDS = """
CREATE TRIGGER seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON patients_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION daysheet_refuse_rewriting();
-- Digests do not compress: spare the attempt.
ALTER TABLE patients_auditseal ALTER COLUMN entries SET STORAGE EXTERNAL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0008_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("previous", models.BinaryField(max_length=32, unique=True)),
                ("cluster", models.BigIntegerField()),
                ("timeline", models.IntegerField()),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None
                    ),
                ),
                ("through_in", models.BigIntegerField()),
                ("through_id", models.BigIntegerField()),
                ("first_id", models.BigIntegerField()),
                ("rows", models.IntegerField()),
                ("total", models.BigIntegerField()),
                ("entries", models.BinaryField()),
                ("entries_digest", models.BinaryField(max_length=32)),
                ("sealed_at", models.DateTimeField()),
                ("key", models.CharField(max_length=40)),
                ("signature", models.BinaryField(max_length=64)),
            ],
            options={
                "ordering": ["number"],
                "indexes": [models.Index(fields=["cluster", "number"], name="seal_by_cluster")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(number__gte=1, rows__gte=1), name="seal_covers_rows"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditVerification",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=providers.fields.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
                ("is_intact", models.BooleanField(null=True)),
                ("damage", models.CharField(blank=True, default="", max_length=20)),
                ("finding", models.TextField(blank=True, default="")),
                ("bad_row", models.BigIntegerField(null=True)),
                ("bad_seal", models.BigIntegerField(null=True)),
                ("rows", models.BigIntegerField(default=0)),
                ("seals", models.BigIntegerField(default=0)),
                ("unsealed", models.BigIntegerField(default=0)),
                ("head", models.CharField(blank=True, default="", max_length=64)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["-asked_at"]},
        ),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
    ]
