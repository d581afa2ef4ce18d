"""Clinics, their staff, and when providers work. Imports nothing of ours."""

from typing import Any
from zoneinfo import available_timezones

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def seed_time_zones(sender: AppConfig, **_kwargs: Any) -> None:
    """Fill the table of time zones from zoneinfo; zones once known are never removed."""
    model: Any = sender.get_model("TimeZone")
    model.objects.bulk_create(
        [
            model(name=name)
            for name in sorted(available_timezones())
            if "/" in name or name == "UTC"
        ],
        ignore_conflicts=True,
    )


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        post_migrate.connect(seed_time_zones, sender=self)
