"""A clinic's server. Everything it needs is named, and anything unsafe stops it at once."""

from ssl import TLSVersion

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *  # noqa: F403
from config.settings.base import CACHES, REDIS_URL, database, env
from config.settings.sealing import seal_key, verify_keys
from config.settings.transport import private_database, private_redis
from config.settings.vendors import require_vendors
from patients.crypto import BadKeys, is_weak, parse_keys

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


def key_ring(name: str) -> str:
    """Return "id:base64,id:base64", keys of 32 random bytes each, the first of which writes.

    Raises ImproperlyConfigured with the variable's name and a key's id, never a key.
    """
    value: str = env.str(name)
    try:
        keys = parse_keys(value)
    except BadKeys as error:
        raise ImproperlyConfigured(f"{name} cannot be used: {error}.") from None
    for key_id, key in keys.items():
        if is_weak(key):
            raise ImproperlyConfigured(f"{name}: the key {key_id} is not 32 random bytes.")
    return value


SECRET_KEY = secret("SECRET_KEY")
BLIND_INDEX_KEY = secret("BLIND_INDEX_KEY")
BLIND_INDEX_KEY_OLD = secret("BLIND_INDEX_KEY_OLD") if env.str("BLIND_INDEX_KEY_OLD", "") else ""
if BLIND_INDEX_KEY in {BLIND_INDEX_KEY_OLD, SECRET_KEY}:
    raise ImproperlyConfigured("BLIND_INDEX_KEY must be a key of its own.")
DATA_KEYS = key_ring("DATA_KEYS")
# Only where backups are made or tried out: the web and worker processes need none.
BACKUP_KEYS = key_ring("BACKUP_KEYS") if env.str("BACKUP_KEYS", default="") else ""
if BACKUP_KEYS and {*parse_keys(BACKUP_KEYS).values()} & {*parse_keys(DATA_KEYS).values()}:
    raise ImproperlyConfigured("BACKUP_KEYS must be keys of their own.")
AUDIT_VERIFY_KEYS = verify_keys(env.list("AUDIT_VERIFY_KEYS"))
# Only the process that seals says AUDIT_SEALER=true and has the key; the web process refuses it.
AUDIT_SEAL_KEY = (
    seal_key(env.str("AUDIT_SEAL_KEY"), AUDIT_VERIFY_KEYS)
    if env.bool("AUDIT_SEALER", default=False)
    else ""
)
AUDIT_ANCHOR = env.str("AUDIT_ANCHOR")
SITE_URL = env.str("SITE_URL")
if not SITE_URL.startswith("https://"):
    raise ImproperlyConfigured("SITE_URL must begin with https://: links in messages lead there.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
if "*" in ALLOWED_HOSTS or not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the site's hosts; * would allow any.")
# How many proxies stand in front, each of which adds to X-Forwarded-For: limits count by network.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)
CSRF_TRUSTED_ORIGINS = [f"https://{host.lstrip('.')}" for host in ALLOWED_HOSTS]

DATABASES = {"default": private_database(database(env.str("DATABASE_URL")))}
REDIS_URL = private_redis(REDIS_URL)
if REDIS_URL.startswith("rediss:"):
    CACHES["redis"]["OPTIONS"]["CONNECTION_POOL_KWARGS"] |= {
        "ssl_check_hostname": True,
        "ssl_min_version": TLSVersion.TLSv1_2,
    }

SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by machines beside this one
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrftoken"

EMAIL_BACKEND = "patients.outbound.VerifiedSMTP"
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = True
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL")
require_vendors(lambda name: str(globals()[name]))

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
