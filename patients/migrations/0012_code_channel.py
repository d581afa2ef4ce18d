from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0011_sign_in")]
    operations = [
        migrations.AddField(
            model_name="onetimecode",
            name="channel",
            field=models.CharField(
                choices=[("EMAIL", "E-mail"), ("SMS", "Text message")],
                default="EMAIL",
                max_length=5,
            ),
        )
    ]
