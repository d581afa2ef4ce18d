"""The demo's own app, which only the development settings install."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if not getattr(settings, "DEVELOPMENT", False):
    raise ImproperlyConfigured("The demo's code cannot be loaded outside development.")


class DemoConfig(AppConfig):
    name = "config.demo"
    label = "demo"
