"""Copies of the database that only a key's holder can read, and the proof that they restore."""
