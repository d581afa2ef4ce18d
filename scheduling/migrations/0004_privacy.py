from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0003_booking_functions"), ("patients", "0009_seals")]
    operations = []
