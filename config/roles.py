"""What each role may do at its clinic, as data. Settings hand the table to the page gate."""

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "RECEPTIONIST": frozenset(
        {
            "view_appointments",
            "manage_appointments",
            "overbook",
            "view_patients",
            "manage_patients",
        }
    ),
    "PROVIDER": frozenset({"view_own_schedule", "manage_own_visits"}),
    "CLINIC_ADMIN": frozenset(
        {
            "view_appointments",
            "manage_appointments",
            "overbook",
            "view_patients",
            "manage_patients",
            "manage_clinic",
        }
    ),
    "PRIVACY_OFFICER": frozenset({"view_audit"}),
}
