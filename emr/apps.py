"""The clinic's other record system: what comes in from it and goes out to it."""

from django.apps import AppConfig


class EmrConfig(AppConfig):
    name = "emr"
