"""The tests' settings with other data keys, as of a clinic that lost its own."""

import os

from config.settings.test import *  # noqa: F403

DATA_KEYS = os.environ["OTHER_DATA_KEYS"]
