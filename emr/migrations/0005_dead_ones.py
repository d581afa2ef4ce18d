from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("emr", "0004_one_at_a_time")]

    operations = [
        migrations.AddIndex(
            model_name="outboundmessage",
            index=models.Index(
                name="emr_outbound_dead",
                fields=["connection", "-created_at"],
                condition=Q(state="DEAD"),
            ),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                name="emr_inbound_dead",
                fields=["connection", "-received_at"],
                condition=Q(state="DEAD"),
            ),
        ),
    ]
