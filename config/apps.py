"""The composition root as an app, so that its checks and commands are found."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.core.management import call_command
from django.db.models.signals import post_migrate
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules


def create_cache_table(**_kwargs: Any) -> None:
    """Make the table of the database cache, where one is configured."""
    call_command("createcachetable", verbosity=0)


def schedule_jobs(**_kwargs: Any) -> None:
    """Write the periodic jobs, once the queue's tables are there."""
    import_module("config.schedule").apply()


def settle_outboxes(**kwargs: Any) -> None:
    """Make a new database the one whose background jobs run, once it has a place to say so."""
    known = kwargs.get("apps", apps)  # a flush names none
    migrated = known.all_models["patients"]
    if "outboxhome" in migrated:
        import_module("patients.outboxes").settle(now=timezone.now())


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Find the checks, and finish each migration; the signal comes from apps with models."""
        autodiscover_modules("checks")
        queue = apps.get_app_config("django_q")
        post_migrate.connect(create_cache_table, sender=queue)
        post_migrate.connect(schedule_jobs, sender=queue)
        post_migrate.connect(settle_outboxes, sender=queue)


class SetupConfig(AdminConfig):
    """Django's admin, as the site where clinics are set up."""

    default_site = "providers.admin_site.SetupSite"
