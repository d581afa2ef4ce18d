"""What this house tells everybody in FHIR: which times can be booked. Who and why are not known."""
