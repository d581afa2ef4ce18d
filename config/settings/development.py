"""A developer's machine and the demo. Its keys are public: production refuses them."""

from config.settings.base import *  # noqa: F403
from config.settings.base import (
    BASE_DIR,
    EMAIL_CHANNEL,
    INSTALLED_APPS,
    LOGGING,
    PUSH_HOSTS,
    env,
)
from config.settings.vendors import channels

DEBUG = env.bool("DEBUG", default=False)
DEVELOPMENT = True
SECRET_KEY = "development-only-not-a-secret-0000000000000000000000000000"  # noqa: S105
BLIND_INDEX_KEY = "development-only-" + "0" * 47
# The bytes "development-only-no-secret-00000", which production refuses by their beginning.
DATA_KEYS = "development:ZGV2ZWxvcG1lbnQtb25seS1uby1zZWNyZXQtMDAwMDA="
# The bytes "development-only-no-backup-00000".
BACKUP_KEYS = "development:ZGV2ZWxvcG1lbnQtb25seS1uby1iYWNrdXAtMDAwMDA="
# The bytes "development-only-no-sealing-0000", and the public half of that key.
AUDIT_SEAL_KEY = "development:ZGV2ZWxvcG1lbnQtb25seS1uby1zZWFsaW5nLTAwMDA="
AUDIT_VERIFY_KEYS = ["development:H22PfRnA0epG0TfTswDo18G2NDw00iaiurVkk1C4kTU="]
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
INSTALLED_APPS = [*INSTALLED_APPS, "config.demo"]
DEMO_ENTRY = env.bool("DEMO_ENTRY", default=False)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None  # files are served from where they stand
WHITENOISE_AUTOREFRESH = DEBUG
LOGGING = {**LOGGING, "loggers": {**LOGGING["loggers"], "django-q": {"level": "WARNING"}}}
# Texts and notifications are shown on the terminal unless a vendor is named.
SMS_CHANNEL = env.str("SMS_CHANNEL", default="console")
PUSH_CHANNEL = env.str("PUSH_CHANNEL", default="console")
CHANNELS = channels(email=EMAIL_CHANNEL, sms=SMS_CHANNEL, push=PUSH_CHANNEL)
PUSH_HOSTS = [*PUSH_HOSTS, "127.0.0.1", "localhost"]  # a push service of one's own to try with
# The bytes "development-only-no-push-key-000".
VAPID_PRIVATE_KEY = env.str(
    "VAPID_PRIVATE_KEY", default="ZGV2ZWxvcG1lbnQtb25seS1uby1wdXNoLWtleS0wMDA"
)
# The record system that `manage.py demo` starts beside the clinic; none without an address.
EMR_DEMO_URL = env.str("EMR_DEMO_URL", default="")
EMR_DEMO_SECRET = "development-only-not-a-secret-of-the-demo"  # noqa: S105
