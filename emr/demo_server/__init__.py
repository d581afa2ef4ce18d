"""A small FHIR R4 server for demonstrations and tests: one process, on loopback."""
