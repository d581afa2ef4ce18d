"""FHIR R4 at the edge: what others' resources say, read tolerantly, and ours, built strictly.

JSON in and out; nothing is stored and nobody is asked.
"""
