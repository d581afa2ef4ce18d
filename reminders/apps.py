"""Messages about visits: what is due, and how it reaches people once."""

from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "reminders"
