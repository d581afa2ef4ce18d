"""The composition root as an app, so that its checks and commands are found."""

from typing import Any

from django.apps import AppConfig
from django.core.management import call_command
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


def create_cache_table(**_kwargs: Any) -> None:
    """Make the table of the database cache, where one is configured."""
    call_command("createcachetable", verbosity=0)


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        autodiscover_modules("checks")
        post_migrate.connect(create_cache_table, sender=self)
