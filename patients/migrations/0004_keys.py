from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("patients", "0003_free_the_unused_log")]
    operations = []
