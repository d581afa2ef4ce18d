"""SMART on FHIR: what a server says of itself, proving who asks, and being opened from an EMR."""
