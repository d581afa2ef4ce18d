from django.db import migrations, models
from django.db.models import Q

LIVE = ["QUEUED", "CLAIMED", "SENDING", "UNKNOWN", "WAITING"]


class Migration(migrations.Migration):
    dependencies = [("emr", "0003_sync")]

    operations = [
        migrations.AddConstraint(
            model_name="outboundmessage",
            constraint=models.UniqueConstraint(
                name="emr_one_sending_of_visit",
                fields=["connection", "appointment"],
                condition=Q(state="SENDING"),
            ),
        ),
        migrations.AddConstraint(
            model_name="outboundmessage",
            constraint=models.UniqueConstraint(
                name="emr_patient_asked_once",
                fields=["connection", "patient"],
                condition=Q(("what", "PATIENT"), ("state__in", LIVE)),
            ),
        ),
    ]
