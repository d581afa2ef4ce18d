"""What every environment shares. Values come typed from the environment or fail loudly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from django.utils.translation import gettext_lazy as _

from config.roles import ROLE_PERMISSIONS as _ROLE_PERMISSIONS

django_stubs_ext.monkeypatch()  # lets generic fields and admins name their model

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

SITE_NAME = env.str("SITE_NAME", default="Daysheet")
# Where links in messages lead: scheme and host, without a slash at the end.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")
DEBUG = False
ALLOWED_HOSTS: list[str] = []
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

INSTALLED_APPS = [
    "providers",
    "patients",
    "scheduling",
    "reminders",
    "emr",
    "config.apps.SetupConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "auditlog",
    "csp",
    "django_htmx",
    "django_q",
    "guardian",
    "config.apps.ConfigConfig",  # last: it looks at what all others have registered
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "config.encoding.OnlyUTF8",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "patients.privacy.recording.AccessRecordMiddleware",
    "patients.privacy.middleware.PageMiddleware",
    "patients.privacy.sign_in.SignInMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "patients.privacy.context.site",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for one PostgreSQL URL.

    A `?host=/directory` query (a Unix socket) becomes HOST, so that `dbshell` and the test
    database follow it. Prepared statements are off unless DATABASE_PREPARE is set, because a
    pooler in transaction mode may not carry them.
    """
    settings: dict[str, Any] = env.db_url_config(url)
    settings["ENGINE"] = "django.db.backends.postgresql"
    options = settings.setdefault("OPTIONS", {})
    settings["HOST"] = options.pop("host", settings.get("HOST", ""))
    options["server_side_binding"] = True
    prepare = env.int("DATABASE_PREPARE", default=0)
    if prepare:
        options["prepare_threshold"] = prepare
    return settings | {
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


DATABASES = {"default": database(env.str("DATABASE_URL", default="postgresql:///daysheet"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The default cache counts tries to sign in, and stands in PostgreSQL: while Redis is away nobody is
# locked out, and no limit is lifted. Redis, where there is one, is for what may be forgotten.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES["redis"] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
        },
    }

# People
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "patients.accounts.StaffAccountAdapter"
ACCOUNT_FORMS = {
    "login": "patients.staff_forms.SignInForm",
    "reauthenticate": "patients.staff_forms.ReauthenticateForm",
    "change_password": "patients.staff_forms.ChangePasswordForm",
    "reset_password": "patients.accounts.NewPasswordForm",
    "reset_password_from_key": "patients.staff_forms.ResetPasswordKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = False
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True
ROLE_PERMISSIONS = _ROLE_PERMISSIONS
AUDITLOG_LOGENTRY_MODEL = "patients.AuditEntry"
# Sealed values can be opened only where a record of it is kept.
LOOKS_MUST_BE_RECORDED = True

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# What is said after an act may name a patient: it ends with the session, and is in no cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

# The clinic's words
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
PHONE_REGION = env.str("PHONE_REGION", default="US")

# Booking
# Called in order inside the transaction of every change to an appointment.
BOOKING_HANDLERS = [
    "patients.relationships.on_appointment_change",
    "scheduling.links.on_appointment_change",
]
BOOKING_LOCK_TIMEOUT_MS = env.int("BOOKING_LOCK_TIMEOUT_MS", default=3_000)
CARE_RELATIONSHIP_MONTHS = env.int("CARE_RELATIONSHIP_MONTHS", default=12)

# Background jobs: the queue is in PostgreSQL, so no task is lost with a cache.
Q_CLUSTER = {
    "name": "daysheet",
    "orm": "default",
    "workers": env.int("WORKERS", default=2),
    "timeout": 60,
    "retry": 600,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "poll": 1,
    "save_limit": 1_000,
    "label": "Background jobs",
}

# Files
STATIC_URL = "static/"
STATIC_ROOT: Path | None = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# The browser
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "microphone", "geolocation", "payment", "usb")
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Daysheet <no-reply@localhost>")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logging.JSONFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}
