"""Riverside Clinic, an invented clinic for demonstrations: its people, its year and its week.

Everything is drawn from dates alone, so that one day always looks the same. Nobody here is real.
"""
