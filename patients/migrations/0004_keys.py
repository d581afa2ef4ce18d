"""Proofs of the data keys, and blind indexes of insurance numbers and of name with birthday.

Rows that were written before columns were sealed are sealed by the last migration of scheduling.
"""

from django.db import migrations, models

import patients.fields
import providers.fields

INDEXES = {
    "patient_member_index": "insurance_member_index",
    "patient_identity_index": "identity_index",
}


class Migration(migrations.Migration):
    dependencies = [("patients", "0003_free_the_unused_log")]

    operations = [
        migrations.CreateModel(
            name="KeyProof",
            fields=[
                (
                    "key_id",
                    models.CharField(max_length=24, primary_key=True, serialize=False),
                ),
                ("sealed", models.TextField()),
                ("since", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="KeptKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=providers.fields.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=40, unique=True)),
                ("value", patients.fields.SealedTextField(serialize=False)),
            ],
            options={"abstract": False},
        ),
        *(
            migrations.AddField(
                model_name="patient",
                name=column,
                field=models.BinaryField(default=b"", editable=False, max_length=32),
            )
            for column in INDEXES.values()
        ),
        *(
            migrations.AlterField(
                model_name="patient",
                name=column,
                field=models.BinaryField(default=b"", editable=False, max_length=32),
            )
            for column in ("email_index", "phone_index")
        ),
        *(
            migrations.AddIndex(
                model_name="patient",
                index=models.Index(
                    fields=[column], name=name, condition=~models.Q(**{column: b""})
                ),
            )
            for name, column in INDEXES.items()
        ),
        migrations.AddField(
            model_name="onetimecode",
            name="contact_index_old",
            field=models.BinaryField(
                default=b"",
                help_text="Under the former key, while it changes.",
                max_length=32,
            ),
        ),
    ]
