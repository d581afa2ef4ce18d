"""The test suite: plain static storage, fast password hashing, messages kept in memory."""

from config.settings.development import *  # noqa: F403
from config.settings.development import CACHES, Q_CLUSTER
from config.settings.vendors import channels

DEBUG = False
DEMO_ENTRY = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CHANNELS = channels(email="smtp", sms="memory", push="memory")
REMINDER_THREADS = 1  # the test's own: another would not see what is not committed
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True  # a file is found when it is asked for, not all for each client
CACHES = {**CACHES, "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

Q_CLUSTER = {**Q_CLUSTER, "sync": True}
# Journeys through the pages switch it on again; a test of a verb need not keep a record.
LOOKS_MUST_BE_RECORDED = False
