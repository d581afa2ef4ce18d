"""Where a one-time code is to be sent, until it has been. Codes that are on their way end here."""

from django.db import migrations, models

import patients.fields


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            # A sealed column has no default in the database: each row's value is its own.
            database_operations=[
                migrations.RunSQL(
                    [
                        "DELETE FROM patients_onetimecode",
                        "ALTER TABLE patients_onetimecode ADD COLUMN contact text NOT NULL",
                    ],
                    "ALTER TABLE patients_onetimecode DROP COLUMN contact",
                )
            ],
            state_operations=[
                migrations.AddField(
                    model_name="onetimecode",
                    name="contact",
                    field=patients.fields.SealedTextField(
                        blank=True,
                        default="",
                        help_text="Where to send it; empty once that was done.",
                    ),
                )
            ],
        ),
        migrations.AlterField(
            model_name="onetimecode",
            name="code_digest",
            field=models.BinaryField(default=b"", max_length=32),
        ),
    ]
