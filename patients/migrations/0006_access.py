from datetime import timedelta

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import patients.fields
import providers.fields


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0005_audit"),
        ("providers", "0004_permissions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterModelOptions(
            name="patient",
            options={
                "permissions": [
                    ("view_shared_record", "Can see the record, which a colleague shares")
                ]
            },
        ),
        migrations.CreateModel(
            name="BreakGlassGrant",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("EMERGENCY", "Emergency access"),
                            ("OVERSIGHT", "Privacy officer's look"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("TREATMENT", "To treat the patient now"),
                            ("SAFETY", "To keep the patient or others safe"),
                            ("REACH", "To reach the patient urgently"),
                            ("COMPLAINT", "To look into a complaint"),
                            ("INCIDENT", "To look into an incident"),
                            ("REQUEST", "To answer the patient's own request"),
                        ],
                        max_length=9,
                    ),
                ),
                ("reason", patients.fields.SealedTextField(serialize=False)),
                (
                    "granted_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField()),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[("JUSTIFIED", "Justified"), ("FOLLOW_UP", "Needs follow-up")],
                        default="",
                        max_length=9,
                    ),
                ),
                (
                    "note",
                    patients.fields.SealedTextField(blank=True, default="", serialize=False),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.patient",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-granted_at"],
                "indexes": [
                    models.Index(fields=["user", "expires_at"], name="grant_by_user"),
                    models.Index(
                        condition=Q(kind="EMERGENCY", reviewed_at__isnull=True),
                        fields=["granted_at"],
                        name="grant_to_review",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(expires_at__lte=F("granted_at") + timedelta(minutes=60)),
                        name="grant_lasts_an_hour_at_most",
                    ),
                    models.CheckConstraint(
                        condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True, verdict="")
                        | Q(
                            reviewed_at__isnull=False,
                            reviewed_by__isnull=False,
                            verdict__in=["JUSTIFIED", "FOLLOW_UP"],
                        ),
                        name="grant_review_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("user")),
                        name="grant_not_reviewed_by_its_user",
                    ),
                ],
            },
        ),
    ]
