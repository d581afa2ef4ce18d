"""A developer's machine and the demo. Its keys are public: production refuses them."""

from config.settings.base import *  # noqa: F403
from config.settings.base import BASE_DIR, INSTALLED_APPS, LOGGING, env

DEBUG = env.bool("DEBUG", default=False)
DEVELOPMENT = True
SECRET_KEY = "development-only-not-a-secret-0000000000000000000000000000"  # noqa: S105
BLIND_INDEX_KEY = "development-only-" + "0" * 47
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
INSTALLED_APPS = [*INSTALLED_APPS, "config.demo"]
DEMO_ENTRY = env.bool("DEMO_ENTRY", default=False)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None  # files are served from where they stand
WHITENOISE_AUTOREFRESH = DEBUG
LOGGING = {**LOGGING, "loggers": {"django-q": {"level": "WARNING"}}}
