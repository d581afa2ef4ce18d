from django.db import migrations, models
from django.db.models.functions import TruncMinute


class Migration(migrations.Migration):
    dependencies = [("providers", "0004_permissions")]
    operations = [
        migrations.AddConstraint(
            model_name="providerschedule",
            constraint=models.CheckConstraint(
                name="schedule_on_whole_minutes",
                condition=models.Q(
                    start_time=TruncMinute("start_time"), end_time=TruncMinute("end_time")
                ),
                violation_error_message="Hours must start and end on a whole minute.",
            ),
        )
    ]
