"""What every environment shares. Values come typed from the environment or fail loudly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from django.utils.translation import gettext_lazy as _

from config.roles import ROLE_PERMISSIONS as _ROLE_PERMISSIONS
from config.settings.vendors import channels

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
    "config.encoding.OnlyUTF8",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
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
                "patients.privacy.sign_in.context.sign_in",
                "scheduling.context.desk",
                "reminders.context.desk",
                "emr.context.desk",
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

# The default cache stands in PostgreSQL, so that Redis away signs nobody out. Redis, where there is
# one, is for what may be forgotten.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}


def redis_cache(url: str) -> dict[str, Any]:
    """Return Django's settings for one Redis, which is asked once and not waited for."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "CONNECTION_POOL_CLASS": "scheduling.bounded_redis.BoundedPool",
            "CONNECTION_POOL_KWARGS": {},
            "SOCKET_CONNECT_TIMEOUT": 0.2,
            "SOCKET_TIMEOUT": 0.25,
        },
    }


REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES["redis"] = redis_cache(REDIS_URL)

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
# Our own limits stand in for the library's, which tries at the same time could pass.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reset_password": None}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = False
MFA_ADAPTER = "patients.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "patients.staff_forms.EnterCodeForm",
    "reauthenticate": "patients.staff_forms.EnterCodeAgainForm",
    "activate_totp": "patients.staff_forms.SetUpAppForm",
    "add_webauthn": "patients.staff_forms.AddPasskeyForm",
    "authenticate_webauthn": "patients.staff_forms.PasskeyForm",
    "reauthenticate_webauthn": "patients.staff_forms.PasskeyAgainForm",
    "login_webauthn": "patients.staff_forms.PasskeySignInForm",
    "edit_webauthn": "patients.staff_forms.RenamePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 12
MFA_TOTP_ISSUER = SITE_NAME
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True
ROLE_PERMISSIONS = _ROLE_PERMISSIONS
AUDITLOG_LOGENTRY_MODEL = "patients.AuditEntry"
# While the key of the blind indexes changes, look-ups match either; `rotate_keys` writes the new.
BLIND_INDEX_KEY_OLD = ""
# Called by `rotate_keys` with what counts its rows: where else blind indexes are kept.
REINDEX_HANDLERS = ["reminders.suppressions.reindex", "reminders.reindexing.reindex"]
# Every change of these leaves a row; the columns named beside a model say nothing in it.
AUDITED_MODELS: dict[str, list[str]] = {
    "account.EmailAddress": [],
    "auth.Group": [],
    "auth.User": ["password", "last_login"],
    "emr.EMRCode": [],
    "emr.EMRConnection": [],
    "emr.EMRTask": [],
    "emr.PatientMatch": [],
    "emr.SigningKey": ["public"],
    "emr.SyncConflict": [],
    "mfa.Authenticator": ["data", "last_used_at"],
    "patients.CareRelationship": [],
    "patients.ClinicGroupObjectPermission": [],
    "patients.ClinicUserObjectPermission": [],
    "patients.Patient": ["created_at"],
    "patients.PatientGroupObjectPermission": [],
    "patients.PatientIdentifier": ["value"],
    "patients.PatientUserObjectPermission": [],
    "providers.Clinic": [],
    "providers.ClinicClosure": [],
    "providers.InsurancePlan": [],
    "providers.Membership": [],
    "providers.Provider": [],
    "providers.ProviderSchedule": [],
    "providers.Specialty": [],
    "providers.TimeOff": [],
    "providers.VisitType": [],
    "reminders.CallAttempt": [],
    "reminders.ConsentChange": [],
    "reminders.ContactPreference": ["updated_at"],
    "reminders.InboundText": [],
    "reminders.PushSubscription": ["endpoint_digest"],
    "reminders.ReminderPolicy": [],
    "reminders.Suppression": ["recipient", "recipient_index"],
    "scheduling.VisitNote": ["updated_at"],
    "scheduling.WaitlistEntry": [],
    "scheduling.WaitlistPolicy": [],
}
# Seals over the audit: signed by the one process that has the private key, checked by anybody. The
# anchor is a file on another disk than the database's, to which the head of each seal is added.
AUDIT_SEAL_KEY = ""
AUDIT_VERIFY_KEYS: list[str] = []
AUDIT_ANCHOR = env.str("AUDIT_ANCHOR", default="")
# False where `manage.py seal_audit --every 60` runs beside the worker, with a role of its own.
AUDIT_SEALED_BY_WORKER = env.bool("AUDIT_SEALED_BY_WORKER", default=True)
# Sealed values can be opened only where a record of it is kept.
LOOKS_MUST_BE_RECORDED = True
# How many names of all clinics a process keeps open for the finder; about 300 bytes each.
SEARCH_NAMES_IN_MEMORY = env.int("SEARCH_NAMES_IN_MEMORY", default=200_000)

# In the database, sealed: Redis may be away, and a copy of the table says nothing.
SESSION_ENGINE = "patients.privacy.sessions"
SESSION_IDLE_SECONDS = 15 * 60
SESSION_ABSOLUTE_SECONDS = 12 * 60 * 60
SESSION_WARNING_SECONDS = 2 * 60
# What opens something to a browser without a sign-in, and ends by the same limits.
SESSION_GRANTS = ["visit_links"]
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
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
    "scheduling.auditing.on_appointment_change",
    "reminders.planning.on_appointment_change",
    "scheduling.openings.on_appointment_change",
    "reminders.calls.on_appointment_change",
    "emr.outbox.writing.on_appointment_change",
]
# Called in the transaction in which somebody's record is made.
REGISTRATION_HANDLERS = ["emr.outbox.writing.on_registration"]
# Called in order inside the transaction of every change to hours, time off and closures.
HOURS_HANDLERS = ["scheduling.hours_openings.on_hours_change"]
# Called in order when two records of one person are joined, and when they are taken apart again.
MERGE_HANDLERS = [
    "patients.merged_rows.on_merge",
    "scheduling.merging.on_merge",
    "emr.merging.on_merge",
    "reminders.merging.on_merge",
]
# Called in the transaction in which a one-time code, or a new link to a visit, is asked for.
CODE_HANDLERS = ["reminders.notices.code_asked"]
LINK_HANDLERS = ["reminders.notices.link_asked"]
# Called in the transaction that takes an e-mail address or a number off a patient's record.
CONTACT_HANDLERS = [
    "scheduling.links.on_contact_change",
    "scheduling.waitlist.tokens.on_contact_change",
    "reminders.devices.on_contact_change",
]
# How patients can be told of freed time, and who tells them, in the transaction that offers it.
OFFER_REACH = "reminders.offers.reach_of"
OFFER_HANDLERS = ["reminders.offers.on_offers"]
BOOKING_LOCK_TIMEOUT_MS = env.int("BOOKING_LOCK_TIMEOUT_MS", default=3_000)
# Called with the invented clinic and `now` once it has its people and visits.
DEMO_SEEDERS = ["reminders.seeding.seed", "emr.seeding.seed"]
CARE_RELATIONSHIP_MONTHS = env.int("CARE_RELATIONSHIP_MONTHS", default=12)

# Messages: the vendor of each channel. Their addresses are theirs unless another is named; without
# TLS only one on this machine is spoken to.
EMAIL_CHANNEL = env.str("EMAIL_CHANNEL", default="smtp")
SMS_CHANNEL = env.str("SMS_CHANNEL", default="off")
PUSH_CHANNEL = env.str("PUSH_CHANNEL", default="off")
CHANNELS = channels(email=EMAIL_CHANNEL, sms=SMS_CHANNEL, push=PUSH_CHANNEL)
# What staff are sent goes out here too; called by patients, which knows no channel.
MAIL_SENDER = "reminders.channels.registry.send_staff_mail"
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_FROM = env.str("TWILIO_FROM", default="")
TWILIO_MESSAGING_SERVICE_SID = env.str("TWILIO_MESSAGING_SERVICE_SID", default="")
TWILIO_BASE_URL = env.str("TWILIO_BASE_URL", default="https://api.twilio.com")
SENDGRID_API_KEY = env.str("SENDGRID_API_KEY", default="")
SENDGRID_BASE_URL = env.str("SENDGRID_BASE_URL", default="https://api.sendgrid.com")
# The public key by which SendGrid's reports are known to be its own.
SENDGRID_EVENT_KEY = env.str("SENDGRID_EVENT_KEY", default="")
# How far from now a report may say that it was signed; an older one may be a replay.
WEBHOOK_WINDOW_SECONDS = env.int("WEBHOOK_WINDOW_SECONDS", default=600)
VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", default="")  # made by `manage.py vapid_keys`
VAPID_SUBJECT = env.str("VAPID_SUBJECT", default="")  # mailto: or https:, for the push services
# A browser says where its notifications go: nothing is sent to a host that is not named here.
PUSH_HOSTS = [
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
]
VENDOR_TIMEOUT_SECONDS = env.int("VENDOR_TIMEOUT_SECONDS", default=10)
REMINDER_THREADS = env.int("REMINDER_THREADS", default=8)
MESSAGE_DIRECTORY = BASE_DIR / "var" / "messages"  # of the channel `file`

# HL7 v2 over TLS: whom we trust (without a file the system's authorities), how we show ourselves.
HL7_CA_FILE = env.str("HL7_CA_FILE", default="")
HL7_CLIENT_CERT = env.str("HL7_CLIENT_CERT", default="")
HL7_CLIENT_KEY = env.str("HL7_CLIENT_KEY", default="")

# Background jobs: the queue is in PostgreSQL, so no task is lost with a cache.
Q_CLUSTER = {
    "name": "daysheet",
    "orm": "default",
    "broker_class": "config.queue.HeldQueue",  # a restored copy sends nothing by itself
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

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logging.JSONFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    # At DEBUG these write numbers, secret addresses and whole messages.
    "loggers": {name: {"level": "ERROR"} for name in ("python_http_client", "twilio", "urllib3")},
}
