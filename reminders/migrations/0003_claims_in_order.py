"""Deliveries are claimed in the order of this index: what somebody waits for before reminders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0002_append_only")]
    operations = [
        migrations.RemoveIndex("delivery", "delivery_queued"),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["is_automated", "not_before", "id"],
                name="delivery_queued",
                condition=models.Q(state="QUEUED"),
            ),
        ),
    ]
