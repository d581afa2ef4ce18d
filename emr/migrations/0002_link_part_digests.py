from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("emr", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="emrlink",
            name="changed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="emrlink",
            name="part_digests",
            field=models.JSONField(default=dict),
        ),
    ]
