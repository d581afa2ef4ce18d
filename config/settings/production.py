"""A clinic's server. Everything it needs is named, and anything unsafe stops it at once."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *  # noqa: F403
from config.settings.base import REDIS_URL, database, env

DEBUG = False


def secret(name: str) -> str:
    """Return a secret of at least 50 characters that is no development key.

    Raises ImproperlyConfigured with the variable's name, never its value.
    """
    value: str = env.str(name)
    if value.startswith("development-only") or len(value) < 50:
        raise ImproperlyConfigured(
            f"{name} must hold at least 50 random characters of its own in production."
        )
    return value


SECRET_KEY = secret("SECRET_KEY")
BLIND_INDEX_KEY = secret("BLIND_INDEX_KEY")
SITE_URL = env.str("SITE_URL")
if not SITE_URL.startswith("https://"):
    raise ImproperlyConfigured("SITE_URL must begin with https://: links in messages lead there.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
if "*" in ALLOWED_HOSTS or not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the site's hosts; * would allow any.")
# How many proxies stand in front, each of which adds to X-Forwarded-For: limits count by network.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)
CSRF_TRUSTED_ORIGINS = [f"https://{host.lstrip('.')}" for host in ALLOWED_HOSTS]

DATABASES = {"default": database(env.str("DATABASE_URL"))}
redis = urlsplit(REDIS_URL)
if redis.scheme == "redis" and redis.hostname not in {"127.0.0.1", "localhost", "::1"}:
    raise ImproperlyConfigured("REDIS_URL must use rediss:// when Redis is on another machine.")

SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrftoken"

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.str("EMAIL_HOST")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = True
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL")

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
