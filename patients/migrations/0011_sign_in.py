"""The table that limits count in: one statement counts, so that no tries pass it side by side."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0010_outbox_home")]

    operations = [
        migrations.CreateModel(
            name="TryCount",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("ends_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
