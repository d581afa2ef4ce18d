"""The tests' settings with another data or index key, as of a clinic that lost its own."""

import os

from config.settings import test
from config.settings.test import *  # noqa: F403

DATA_KEYS = os.environ.get("OTHER_DATA_KEYS", test.DATA_KEYS)
BLIND_INDEX_KEY = os.environ.get("OTHER_INDEX_KEY", test.BLIND_INDEX_KEY)
