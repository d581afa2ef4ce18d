"""The waitlist: policies, offers as they are made, and why an opening ended."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import providers.fields


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0012_code_channel"),
        ("providers", "0006_previous_stamp"),
        ("scheduling", "0006_relation_of_booking"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WaitlistPolicy",
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
                    "mode",
                    models.CharField(
                        choices=[
                            ("OFF", "Do not offer"),
                            ("SEQUENTIAL", "One after the other"),
                            ("OVERLAPPING", "Several at once"),
                        ],
                        default="SEQUENTIAL",
                        max_length=11,
                    ),
                ),
                (
                    "window_minutes",
                    models.PositiveSmallIntegerField(
                        default=120,
                        validators=[
                            django.core.validators.MinValueValidator(10),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                    ),
                ),
                (
                    "shortest_window_minutes",
                    models.PositiveSmallIntegerField(
                        default=15,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(240),
                        ],
                    ),
                ),
                (
                    "spacing_divisor",
                    models.PositiveSmallIntegerField(
                        default=48,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(500),
                        ],
                    ),
                ),
                (
                    "shortest_spacing_minutes",
                    models.PositiveSmallIntegerField(
                        default=5,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(240),
                        ],
                    ),
                ),
                (
                    "longest_spacing_minutes",
                    models.PositiveSmallIntegerField(
                        default=120,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                    ),
                ),
                (
                    "most_offers_a_day",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="To one patient, by the clinic's calendar.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "waitlist policies",
            },
        ),
        migrations.AddField(
            model_name="opening",
            name="ended",
            field=models.CharField(
                blank=True,
                choices=[
                    ("CLAIMED", "Taken by a patient on the waitlist"),
                    ("BOOKED", "Booked by somebody else"),
                    ("EXHAUSTED", "Nobody on the waitlist wanted it"),
                    ("TOO_LATE", "Too close to its time"),
                    ("RETURNED", "The visit stands again"),
                    ("NOT_WORKED", "Not worked any more"),
                    ("SWITCHED_OFF", "The clinic does not offer it"),
                    ("WITHDRAWN", "Withdrawn by the desk"),
                ],
                default="",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="opening",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="opening",
            name="next_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name="opening",
            name="visit_type",
            field=models.ForeignKey(
                blank=True,
                help_text="Of the visit that freed it: whose rules for offering are asked first.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="providers.visittype",
            ),
        ),
        migrations.AddField(
            model_name="waitlistentry",
            name="booked",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="scheduling.appointment",
            ),
        ),
        migrations.AddField(
            model_name="waitlistentry",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="waitlistentry",
            name="source",
            field=models.CharField(
                choices=[("DESK", "Front desk"), ("PORTAL", "Online")], default="DESK", max_length=6
            ),
        ),
        migrations.AddField(
            model_name="waitlistentry",
            name="telehealth_acceptable",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="answered_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="appointment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="scheduling.appointment",
            ),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="days_gained",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="made_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="rank",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="reasons",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="via",
            field=models.CharField(
                choices=[("MESSAGE", "Message"), ("PHONE", "Phone")],
                default="MESSAGE",
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="visit_end",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="visit_start",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="waitlistoffer",
            name="visit_type",
            field=models.ForeignKey(
                default=None,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="providers.visittype",
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="opening",
            name="cause",
            field=models.CharField(
                choices=[
                    ("CANCEL", "Cancelled"),
                    ("RELEASE", "Not confirmed"),
                    ("MOVE", "Moved"),
                    ("LEAVE", "Time off taken back"),
                    ("HOURS", "More hours"),
                    ("REST", "Left over"),
                    ("DESK", "Chosen by the desk"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="opening",
            name="created_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name="opening",
            name="policy",
            field=models.CharField(
                blank=True,
                choices=[
                    ("OFF", "Do not offer"),
                    ("SEQUENTIAL", "One after the other"),
                    ("OVERLAPPING", "Several at once"),
                ],
                default="",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="waitlistentry",
            name="created_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name="waitlistentry",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="waits_for_sooner",
                to="scheduling.appointment",
            ),
        ),
        migrations.AddIndex(
            model_name="opening",
            index=models.Index(
                condition=models.Q(("state", "OPEN")),
                fields=["next_at"],
                name="opening_to_be_looked_at",
            ),
        ),
        migrations.AddIndex(
            model_name="opening",
            index=models.Index(fields=["clinic", "created_at"], name="opening_by_clinic"),
        ),
        migrations.AddIndex(
            model_name="waitlistentry",
            index=models.Index(
                condition=models.Q(("status", "WAITING")),
                fields=["clinic", "created_at"],
                name="waitlist_of_clinic",
            ),
        ),
        migrations.AddIndex(
            model_name="waitlistoffer",
            index=models.Index(
                condition=models.Q(("status", "OFFERED")),
                fields=["expires_at"],
                name="offer_by_expiry",
            ),
        ),
        migrations.RunSQL(
            "UPDATE scheduling_opening SET ended = 'RETURNED', ended_at = created_at"
            " WHERE state <> 'OPEN'",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="opening",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "OPEN"), ("ended", ""), ("ended_at__isnull", True)),
                    models.Q(
                        models.Q(("state", "OPEN"), _negated=True),
                        models.Q(("ended", ""), _negated=True),
                        ("ended_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="opening_ended_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitlistoffer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "OFFERED")),
                fields=("entry",),
                name="offer_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitlistoffer",
            constraint=models.CheckConstraint(
                condition=models.Q(("visit_end__gt", models.F("visit_start"))),
                name="offer_visit_in_order",
            ),
        ),
        migrations.AddField(
            model_name="waitlistpolicy",
            name="clinic",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="waitlist_policies",
                to="providers.clinic",
            ),
        ),
        migrations.AddField(
            model_name="waitlistpolicy",
            name="visit_type",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="providers.visittype",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitlistpolicy",
            constraint=models.UniqueConstraint(
                fields=("clinic", "visit_type"), name="waitlist_policy_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="waitlistpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("window_minutes__gte", models.F("shortest_window_minutes"))),
                name="waitlist_windows_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitlistpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("longest_spacing_minutes__gte", models.F("shortest_spacing_minutes")),
                    ("spacing_divisor__gte", 1),
                ),
                name="waitlist_spacings_in_order",
            ),
        ),
    ]
