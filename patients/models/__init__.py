"""People and what they told us, who may see it, and who has seen it."""

from patients.models.access import (
    ClinicGroupObjectPermission,
    ClinicUserObjectPermission,
    PatientGroupObjectPermission,
    PatientUserObjectPermission,
)
from patients.models.audit import AuditEntry
from patients.models.codes import OneTimeCode
from patients.models.people import (
    CareRelationship,
    CareRelationshipQuerySet,
    Patient,
    PatientIdentifier,
    PatientQuerySet,
    contact_index,
)

__all__ = [
    "AuditEntry",
    "CareRelationship",
    "CareRelationshipQuerySet",
    "ClinicGroupObjectPermission",
    "ClinicUserObjectPermission",
    "OneTimeCode",
    "Patient",
    "PatientGroupObjectPermission",
    "PatientIdentifier",
    "PatientQuerySet",
    "PatientUserObjectPermission",
    "contact_index",
]
