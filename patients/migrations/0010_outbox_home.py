from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0009_seals")]

    operations = [
        migrations.CreateModel(
            name="OutboxHome",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("cluster", models.BigIntegerField(help_text="The server's system identifier.")),
                (
                    "database",
                    models.BigIntegerField(help_text="The database's object id in that server."),
                ),
                ("held_since", models.DateTimeField(blank=True, null=True)),
                ("released_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_outbox_home")
                ],
            },
        ),
    ]
