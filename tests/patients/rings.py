"""Keys of data, as they follow each other: the test settings' own, and the next one."""

from __future__ import annotations

import base64
from hashlib import sha256

from django.conf import settings

OLD = settings.DATA_KEYS
OLD_ID = OLD.partition(":")[0]
NEW = f"next:{base64.b64encode(sha256(b'the next key').digest()).decode()}"
BOTH = f"{NEW},{OLD}"
WRONG = f"{OLD_ID}:{base64.b64encode(sha256(b'another key').digest()).decode()}"
