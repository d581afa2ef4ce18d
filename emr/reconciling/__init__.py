"""Compares a clinic's visits with a record system's, and queues what brings the two together."""
