from django.db import migrations

PERMISSIONS = [
    ("view_appointments", "Can see the clinic's appointments"),
    ("manage_appointments", "Can book, move and cancel at the clinic"),
    ("overbook", "Can double-book on purpose"),
    ("view_patients", "Can see who the clinic's patients are and how to reach them"),
    ("manage_patients", "Can register patients and change their details"),
    ("view_reasons", "Can see and write why a patient comes, until the visit starts"),
    ("view_own_schedule", "Can see the own day and week"),
    ("manage_own_visits", "Can complete own visits and write their notes"),
    ("share_records", "Can share the record of an own patient with a colleague"),
    ("break_glass", "Can open one patient's record in an emergency"),
    ("manage_clinic", "Can set up the clinic"),
    ("view_staff", "Can see who works at the clinic and in which role"),
    ("view_audit", "Can see who looked at what"),
    ("look_with_reason", "Can look at one patient for a stated reason"),
]


class Migration(migrations.Migration):
    dependencies = [("providers", "0003_bump_function")]
    operations = [
        migrations.AlterModelOptions(
            name="clinic", options={"ordering": ["name"], "permissions": PERMISSIONS}
        )
    ]
