"""Tells the rest of the product, in the same transaction, that a contact left a patient's record.

Who listens is named in settings; this module knows none of them.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from patients.models import Patient


def address_left(patient: Patient) -> None:
    """Call whoever gave something to the address or number on file until now."""
    for path in settings.CONTACT_HANDLERS:
        import_string(path)(patient)
