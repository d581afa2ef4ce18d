"""People and what they told us, who may see it, and who has seen it."""

from patients.indexes import contact_index
from patients.models.access import (
    ClinicGroupObjectPermission,
    ClinicUserObjectPermission,
    PatientGroupObjectPermission,
    PatientUserObjectPermission,
)
from patients.models.audit import AuditEntry
from patients.models.codes import OneTimeCode
from patients.models.emergency import BreakGlassGrant, GrantKind
from patients.models.keys import KeptKey, KeyProof, kept_key
from patients.models.matching import MatchCandidate, PatientMerge
from patients.models.outbox import OutboxHome
from patients.models.people import (
    CareRelationship,
    CareRelationshipQuerySet,
    Patient,
    PatientIdentifier,
    PatientQuerySet,
)
from patients.models.seals import AuditSeal, AuditVerification
from patients.models.tries import TryCount

__all__ = [
    "AuditEntry",
    "AuditSeal",
    "AuditVerification",
    "BreakGlassGrant",
    "CareRelationship",
    "CareRelationshipQuerySet",
    "ClinicGroupObjectPermission",
    "ClinicUserObjectPermission",
    "GrantKind",
    "KeptKey",
    "KeyProof",
    "MatchCandidate",
    "OneTimeCode",
    "OutboxHome",
    "Patient",
    "PatientGroupObjectPermission",
    "PatientIdentifier",
    "PatientMerge",
    "PatientQuerySet",
    "PatientUserObjectPermission",
    "TryCount",
    "contact_index",
    "kept_key",
]
