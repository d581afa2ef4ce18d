"""One-click entry for the demo. Loading this package under production settings is refused."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if not getattr(settings, "DEVELOPMENT", False):
    raise ImproperlyConfigured("The demo's code cannot be loaded outside development.")
