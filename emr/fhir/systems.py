"""The names (URIs) under which identifiers and codes are given; our own stand as fixed UUIDs."""

from __future__ import annotations

OWN_SYSTEM = "urn:ietf:rfc:3986"
OWN_VISIT_TYPES = "urn:uuid:7b0c5f0e-7a1d-4d0e-9a53-0b8a6f1d2c41"
OWN_TAGS = "urn:uuid:0e9f6a52-3c1b-4b7e-8f9d-5a2f4b6c7d80"
OWN_CANCEL_REASONS = "urn:uuid:b6a1d3f4-2e58-4c07-9d1a-61c0f2a7e935"

APPOINTMENT_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0276"
CANCEL_REASONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
LOINC = "http://loinc.org"
NOTE_CATEGORIES = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
SNOMED = "http://snomed.info/sct"
