"""What FHIR R4 resources say, read tolerantly: JSON in, frozen dataclasses out, nothing stored."""
