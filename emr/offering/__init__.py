"""Which visits anybody may book online, and when: what our FHIR face has to tell."""
